#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: cli-test.py [BUILD]

Every bad input has one clear message and the right exit status, before anything runs; and what the commands print.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from harness import AGENTTEST, check, finish

GOOD = """about: A service that lives
tags: [quick]
units: { live.service: { properties: { ExecStart: /bin/sleep 600 } } }
steps:
  - start: live.service
  - expect: { state: { ActiveState: active } }
    within: 10s
"""
FAILING = GOOD.replace("ActiveState: active", "ActiveState: failed").replace("within: 10s", "within: 100ms")
SKIPPED = GOOD.replace("units:", "requires: { commands: [no-such-command] }\nunits:", 1)
ENDLESS = GOOD.replace("ActiveState: active", "SubState: never-that").replace("within: 10s", "within: 300s")


def call(*arguments, environment=None, **options):
    """agenttest as a user calls it; status, standard output, standard error."""
    finished = subprocess.run(
        [str(AGENTTEST), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        env={**os.environ, **(environment or {})},
        **options,
    )
    return finished.returncode, finished.stdout.decode(errors="replace"), finished.stderr.decode(errors="replace")


def expect(what, status, message, *arguments, **options):
    """One clear message on standard error, this exit status, nothing else."""
    found, stdout, stderr = call(*arguments, **options)
    check(found == status, f"{what}: exit status {found}, not {status}\n{stdout}{stderr}")
    check(message in stderr, f"{what}: {message!r} is not in\n{stderr}")
    check(not stdout, f"{what}: there is standard output\n{stdout}")
    check(len(stderr.strip().splitlines()) <= 6, f"{what}: the message is long\n{stderr}")


def wrong_usage(folder):
    good = folder / "good.yaml"
    expect("no argument", 3, "nothing to do; see agenttest --help")
    expect("no path", 3, "no PATH... given; see agenttest run --help", "run")
    expect("unknown option", 3, "unknown option --filer; did you mean --filter?", good, "--filer=x")
    expect("unknown letter", 3, "unknown option -Z", good, "-Z")
    expect("option of another command", 3, "unknown option --jobs", "check", good, "--jobs=1")
    expect("option without its argument", 3, "option --jobs needs an argument", good, "--jobs")
    expect("no number", 3, '--jobs takes a number from 1 to 1024, not "many"', good, "--jobs=many")
    expect("zero jobs", 3, '--jobs takes a number from 1 to 1024, not "0"', good, "-j0")
    expect("no duration", 3, "--timeout takes a duration", good, "--timeout=soon")
    expect("no scale", 3, '--lateness-scale takes auto or a number from 1 to 1000, not "0"', good, "--lateness-scale=0")
    expect("no define", 3, '--define takes NAME=VALUE, not "x"', good, "--define=x")
    expect("the same define twice", 3, "--define x is given twice", good, "-Dx=1", "-Dx=2")
    expect("a define that nobody asks for", 3, "--define falt: no scenario here asks for ${falt}", good, "-Dfalt=1")
    for option in ["--junit=x.xml", "--tap=x.tap", "--evidence=x", "--shard=1/2", "--color=never"]:
        expect(option + " twice", 3, f"{option.split('=')[0]} is given twice", good, option, option)
    for shard in ["1", "0/2", "3/2", "1/-3", "1/2x", "1/ 2", "1/10000"]:
        expect("shard", 3, f'--shard takes I/N with I from 1 to N and N at most 9999, not "{shard}"', good, f"--shard={shard}")
    expect("TAP without a name", 3, "--tap must not be empty", good, "--tap=")
    expect("no color", 3, "--color takes auto, always or never", good, "--color=blue")
    expect("no such stage", 3, 'There is no stage "moon"; there are: sandbox, system, user', good, "--stage=moon")
    expect("argument too many", 3, 'doctor takes no argument, not "x"', "doctor", "x")


def one_file_for_two(folder):
    """Two reports to one file, by whatever name, or a report over what is read: refused before anything is written."""
    good, here = folder / "good.yaml", folder / "reports"
    here.mkdir()
    (here / "there.xml").touch()
    (here / "link.xml").symlink_to("there.xml")
    message = "--tap and --junit go to one file"
    for one, other in [("x.xml", "./x.xml"), ("x.xml", here / "x.xml"), ("link.xml", "there.xml")]:
        expect(f"{one} and {other}", 3, message, good, f"--tap={one}", f"--junit={other}", cwd=here)
        expect(f"merge: {one} and {other}", 3, message, "merge", "x", f"--tap={one}", f"--junit={other}", cwd=here)
    expect("both on standard output", 3, message, good, "--tap", "--junit=/dev/stdout")
    check(sorted(p.name for p in here.iterdir()) == ["link.xml", "there.xml"], "something was written")
    (here / "link.yaml").symlink_to(good)
    for option, path in [("--tap", good), ("--junit", good), ("--junit", here / "link.yaml")]:
        expect("a report over a scenario", 3, "would be written over the scenario file", good, f"{option}={path}")
        check(good.read_text() == GOOD, "the scenario is there still")
    shutil.rmtree(here)


def bad_paths(folder):
    (folder / "empty").mkdir()
    (folder / "fifo").mkdir()
    os.mkfifo(folder / "fifo" / "x.yaml")
    expect("missing path", 3, "missing.yaml: No such file or directory", folder / "missing.yaml")
    expect("folder without scenarios", 3, "holds no scenario: no *.yaml or *.yml file", folder / "empty")
    expect("a device", 3, "/dev/zero: neither a file nor a folder", "/dev/zero")
    expect("a FIFO in a folder", 3, "holds no scenario", folder / "fifo")


def bad_files(folder):
    nested = "steps: " + "[" * 5000 + "]" * 5000 + "\n"
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{n}: &{n} [*{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}]\n" for p, n in zip("abcdefgh", "bcdefghi")
    )
    for name, content, message in [
        ("empty", b"", "empty.yaml"),
        ("comment", b"# nothing\n", "comment.yaml"),
        ("huge", b"# x\n" * 2621440, "huge.yaml: too large: at most 1024 KiB are read"),
        ("nul", GOOD.encode().replace(b"lives", b"li\0ves"), "nul.yaml:1:"),
        ("latin1", "about: gr\xfcn\n".encode("latin1"), "latin1.yaml:1:"),
        ("nested", nested.encode(), "nested.yaml:1:"),
        ("bomb", bomb.encode(), "bomb.yaml:"),
        ("unknown", GOOD.replace("steps", "step").encode(), "did you mean `steps`?"),
        ("unit-file", b"about: x\nunits: { a.service: ./missing.service }\nsteps:\n  - start: a.service\n", "missing.service"),
    ]:
        path = folder / f"{name}.yaml"
        path.write_bytes(content)
        expect(name, 3, message, path)
        path.unlink()


def hostile_names(folder):
    """What is in a file's name, or in its text, obeys nobody."""
    name = folder / "bad\x1b[2J\n::error::x.yaml"
    for text, status in [(GOOD, 3), ('about: x\nsteps:\n  - "\\e[2J\\n::error::y": 1\n', 3)]:
        name.write_text(text.replace("ExecStart", "ExecStrat"))
        found, stdout, stderr = call("check", name)
        check(found == status and "\x1b" not in stderr and "\n::" not in stderr, f"a hostile name: {found} {stderr!r}")
    name.unlink()
    found, stdout, stderr = call("check", name)
    check(found == 3 and "\x1b" not in stderr, f"a hostile name that is not there: {stderr!r}")


def steps_that_cannot_be(folder):
    """A step that fails, hangs or does harm whatever the daemon does is a mistake in the file."""
    path = folder / "step.yaml"
    for step, message in [
        ("set-property: MemoryMaxx=1", "no unit has a setting `MemoryMaxx`; did you mean `MemoryMax`?"),
        ("set-property: [TasksMax=1, =1]", 'takes settings like `MemoryMax=64M`, and this is "=1"'),
        ('run: ""', "`run` is empty: there is nothing to run"),
        ("run: { command: x, status: 256 }", "`status` is never `256`"),
        ("crash: SIGCONT", "SIGCONT ends none; write `signal: SIGCONT`"),
        ("remove: //", "`remove` does not take the whole root"),
        ("remove: x", "`path` is a path on the stage and begins with a slash"),
        ("write: { path: rel, content: x }", "`path` is a path on the stage and begins with a slash"),
    ]:
        path.write_text(GOOD + f"  - {step}\n")
        status, stdout, stderr = call("check", path)
        check(status == 3 and message in stderr and ":8:" in stderr, f"{step}: {status}\n{stdout}{stderr}")
    path.write_text(GOOD + "  - set-property: [MemoryMax=64M, CPUQuota=50%]\n  - crash: SIGTERM\n  - remove: /x\n"
                    '  - run: { command: kill -9 $$, status: 137 }\n  - write: { path: "${scenario_dir}/x", content: "" }\n')
    check(call("check", path)[0] == 0, "good steps are refused")
    path.unlink()


def nothing_runs_where_one_file_is_bad(folder):
    (folder / "bad.yaml").write_text("step: []\n")
    status, stdout, stderr = call(folder / "good.yaml", folder / "bad.yaml")
    check(status == 3 and not stdout, f"one bad file: {status}\n{stdout}{stderr}")
    (folder / "bad.yaml").unlink()


def selection(folder):
    good = folder / "good.yaml"
    expect("nothing selected", 5, "no scenario is selected by --filter and --tag", good, "--filter=nothing")
    expect("nothing selected, for automake", 77, "no scenario is selected", good, "--tag=x", "--exit-protocol=automake")
    status, stdout, _ = call(good, "--filter=nothing", "--tap")
    check((status, stdout) == (5, "TAP version 13\n1..0 # SKIP no scenario is selected\n"), f"{status} {stdout}")
    state = {"XDG_STATE_HOME": str(folder / "fresh")}
    again = ("--rerun-failed", good)
    expect("rerun where nothing was played", 5, "nothing has been played yet", *again, environment=state)
    check(call(good, environment=state)[0] == 0, "good.yaml passes")
    expect("rerun where all passed", 5, "no scenario that is selected failed when it was last played", *again, environment=state)
    status, stdout, _ = call("list", folder, "--tag=quick", "--json")
    names = [json.loads(line)["name"] for line in stdout.splitlines()]
    check(status == 0 and names == [f"{folder}/good.yaml"], f"list: {status} {stdout}")


def evidence(folder):
    good = folder / "good.yaml"
    (folder / "full").mkdir()
    (folder / "full" / "x").write_text("")
    expect("evidence folder in use", 3, "is not empty: name a new one", good, "--evidence", folder / "full")
    for place, message in [(good / "x", "cannot be made: Not a directory"), ("/proc/x", "cannot be made")]:
        status, stdout, stderr = call(good, "--evidence", place)
        check(status == 2 and message in stdout, f"evidence in {place}: {status}\n{stdout}{stderr}")
        check(stdout.splitlines()[-1] == "0 passed, 0 failed, 1 error", f"evidence in {place}:\n{stdout}{stderr}")
    expect("TAP where nothing can be made", 2, "TAP file /proc/x cannot be written", good, "--tap=/proc/x")
    automake = "--exit-protocol=automake"
    expect("usage, for automake", 99, "unknown option --filer", good, automake, "--filer=x")
    expect("no scenario, for automake", 99, "missing.yaml", folder / "missing.yaml", automake)
    expect("TAP in no folder, for automake", 99, "cannot be written", good, automake, "--tap=/no/x.tap")
    for option, message in [("--junit=/proc/x.xml", "/proc/x.xml cannot be written"),
                            ("--tap=/dev/full", "The TAP report could not be written to /dev/full: No space left")]:
        for more, status in [([], 2), (["--filter=nothing"], 2), ([automake], 99), ([automake, "--filter=nothing"], 99)]:
            found, stdout, stderr = call(good, option, *more)
            check(found == status and message in stderr, f"{option} {more}: {found}, not {status}\n{stdout}{stderr}")
    expect("JUnit with a name too long", 2, "cannot be written: File name too long", good, f"--junit={folder}/{256 * 'x'}")
    expect("JUnit in no folder", 2, "The JUnit report: /no/x.xml cannot be written", good, "--junit=/no/x.xml")
    expect("JUnit without a name", 3, "--junit must not be empty", good, "--junit=")
    expect("JUnit flavor", 3, "--junit-flavor takes common, xunit2 or gitlab", good, "--junit-flavor=ant")
    expect("replay without evidence", 3, "holds no evidence", "replay", folder / "full")


def no_room(folder):
    """A file system that is full after a few files: one message, the run ends in order, status 2."""
    script = f"""mount -t tmpfs -o size=256k tmpfs {folder}/small && mkdir {folder}/small/out &&
        exec {AGENTTEST} {folder}/good.yaml --repeat=4 --jobs=2 --evidence={folder}/small/out"""
    (folder / "small").mkdir()
    finished = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=300, check=False
    )
    output = finished.stdout + finished.stderr
    check(finished.returncode == 2, f"full disk: exit status {finished.returncode}\n{output}")
    check("No space left on device" in output, f"full disk: not told\n{output}")
    check(finished.stdout.strip().splitlines()[-1].startswith("0 passed, 0 failed"), f"full disk: no summary\n{output}")


def no_privilege(folder):
    """As nobody, who has no cgroup, the sandbox cannot be made: every scenario is an error that says so."""
    public = folder / "public"
    public.mkdir()
    shutil.copy(AGENTTEST, public / "agenttest")
    shutil.copy(folder / "good.yaml", public / "good.yaml")
    (public / "again.yaml").write_text(GOOD)
    state = folder / "state-of-nobody"
    state.mkdir()
    os.chown(state, 65534, 65534)
    folder.chmod(0o755)
    public.chmod(0o755)
    finished = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", public / "agenttest", public],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(state)},
        check=False,
    )
    check(finished.returncode == 2, f"nobody: exit status {finished.returncode}\n{finished.stdout}{finished.stderr}")
    check(finished.stdout.count("delegated") == 1, f"nobody: the reason is not told once\n{finished.stdout}")
    check(finished.stdout.splitlines()[-1] == "0 passed, 0 failed, 2 errors", finished.stdout)
    doctor = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", public / "agenttest", "doctor"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    check(doctor.returncode == 2 and "sudo" in doctor.stdout, f"doctor as nobody: {doctor.returncode}\n{doctor.stdout}")


def no_systemd(folder):
    status, stdout, _ = call(folder / "good.yaml", environment={"AGENTTEST_SYSTEMD": "/no/such/systemd"})
    check(status == 2 and "/no/such/systemd" in stdout, f"no systemd: {status}\n{stdout}")


def units_that_cannot_start(folder):
    """A unit the manager refuses is the scenario's or the machine's fault; a program that is not there fails."""
    steps = "steps:\n  - start: x.service\n"
    (folder / "deployed.service").write_text("[Service]\nExecStart=/bin/sleep 9\nMemryMax=1\n")
    state = {"XDG_STATE_HOME": str(folder / "state-of-errors")}
    for name, units, status, message in [
        ("refused", "{ x.service: { properties: { Type: oneshot, Restart: always, ExecStart: /bin/true } } }", 2, "bad unit file setting"),
        ("not-installed", "{ x.service: installed }", 2, "Unit x.service not found"),
        ("setting", "{ x.service: { file: deployed.service, properties: { MemoryMax: banana } } }", 2, "zz-agenttest.conf:2: Invalid"),
        ("obsolete", "{ x.service: { properties: { ExecStart: /bin/sleep 9, StandardOutput: syslog } } }", 0, "1 passed"),
        ("deployed", "{ x.service: { file: deployed.service } }", 0, "1 passed"),
        ("no-program", "{ x.service: { properties: { Type: exec, ExecStart: /usr/bin/no-such } } }", 1, "203/EXEC"),
    ]:
        path = folder / f"{name}.yaml"
        path.write_text(f"about: {name}\nunits: {units}\n{steps}")
        found, stdout, stderr = call(path, environment=state)
        check(found == status and message in stdout, f"{name}: {found}, not {status}; {message!r} in\n{stdout}{stderr}")
        path.unlink()


def no_manager():
    """To observe needs a service manager: without one it is no mistake of who calls."""
    script = f"mkdir -p /run/systemd; mount -t tmpfs tmpfs /run/systemd; exec {AGENTTEST} observe cron.service"
    finished = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    check(finished.returncode == 2 and "cannot talk to the service manager" in finished.stderr,
          f"observe without a manager: {finished.returncode} {finished.stderr}")
    expect("observe what is no unit", 3, '"cron" is no unit name', "observe", "cron")


def no_cgroups(folder):
    script = f"umount -l /sys/fs/cgroup/* 2>/dev/null; umount -l /sys/fs/cgroup; exec {AGENTTEST} {folder}/good.yaml"
    finished = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=300, check=False
    )
    output = finished.stdout + finished.stderr
    check(finished.returncode == 2 and "no cgroup file system is mounted" in output, f"{finished.returncode}\n{output}")


def outcomes(folder):
    """What a run tells of each outcome; TAP and exit status."""
    state = {"XDG_STATE_HOME": str(folder / "state")}
    mixed = folder / "mixed"
    mixed.mkdir()
    for name, text in [("good", GOOD), ("failing", FAILING), ("skipped", SKIPPED)]:
        (mixed / f"{name}.yaml").write_text(text)
    status, stdout, stderr = call(mixed, environment=state)
    check(status == 1, f"mixed: {status}\n{stdout}{stderr}")
    check(stdout.splitlines()[-1] == "1 passed, 1 failed, 1 skipped", stdout)
    check("failing.yaml:6:" in stdout and "| " in stdout and "expected:" in stdout, f"the failure is not shown\n{stdout}")
    check("command no-such-command is not in PATH" in stdout, f"the skip has no reason\n{stdout}")
    kept = sorted(p.name for p in (folder / "state" / "agenttest").glob("*/*") if p.is_dir())
    check(len(kept) == 1 and "failing" in kept[0], f"kept: {kept}")
    for line in stdout.splitlines():
        if line.strip().startswith("replay:"):
            status, replayed, stderr = call(*line.split()[2:])
            check(status == 1 and "same verdicts as recorded" in replayed, f"replay: {status}\n{replayed}{stderr}")

    status, stdout, stderr = call(mixed, "--tap", environment=state)
    check(stdout.startswith("TAP version 13\n1..3\n"), stdout)
    check((stdout.count("\nok "), stdout.count("\nnot ok "), stdout.count(" # SKIP ")) == (2, 1, 1), stdout)
    check("1 passed, 1 failed, 1 skipped" in stderr, f"people are told on standard error\n{stderr}")
    check(call(mixed / "skipped.yaml", environment=state)[0] == 5, "everything skipped is not green")


def judged_again(folder):
    """replay of all that lies in a run's folder; what it shows on GitHub, and where it is to be quiet."""
    (folder / "again").mkdir()
    (folder / "again" / "good.yaml").write_text(GOOD)
    (folder / "again" / "failing.yaml").write_text(FAILING)
    kept = folder / "again-evidence"
    check(call(folder / "again", f"--evidence={kept}")[0] == 1, "to be judged again")
    everything = sorted(path for path in kept.iterdir() if not path.name.startswith("."))
    check(kept / "run.ndjson" in everything, f"{everything}")
    status, stdout, stderr = call("replay", *everything)
    check((status, stderr) == (1, "") and stdout.endswith("\n1 passed, 1 failed\n"), f"{status}\n{stdout}{stderr}")
    status, stdout, _ = call("replay", "--quiet", *everything)
    check(status == 1 and "PASS" not in stdout and "FAIL" in stdout, f"quiet: {status}\n{stdout}")
    lines = call("replay", *everything, environment={"GITHUB_ACTIONS": "true"})[1].splitlines()
    token = lines[0].removeprefix("::stop-commands::")
    check(len(token) > 16 and lines[-2:] == [f"::{token}::", "1 passed, 1 failed"], f"GitHub: {lines}")
    expect("replay of nothing", 3, "no evidence of a scenario is named, only run.ndjson", "replay", kept / "run.ndjson")
    status, stdout, _ = call("list", folder / "again")
    kept.rename(folder / "again" / "kept")
    check((status, stdout) == call("list", folder / "again")[:2], "evidence was taken for scenarios")
    shutil.rmtree(folder / "again")


def github(folder):
    """Annotations behind the fence, the step summary; nothing of it elsewhere."""
    summary = folder / "summary.md"
    summary.write_text("before\n")
    (folder / "failing.yaml").write_text(FAILING.replace("/bin/sleep 600", "/bin/sh -c 'echo ::error::mine; sleep 600'"))
    environment = {"XDG_STATE_HOME": str(folder / "state"), "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(folder),
                   "GITHUB_STEP_SUMMARY": str(summary)}
    status, stdout, stderr = call(folder / "failing.yaml", environment=environment)
    (folder / "failing.yaml").unlink()
    lines = stdout.splitlines()
    check(status == 1 and lines[0].startswith("::stop-commands::"), f"GitHub: {status}\n{stdout}{stderr}")
    token = lines[0].removeprefix("::stop-commands::")
    check(len(token) > 16 and lines.count(f"::{token}::") == 1, f"GitHub: the fence is not ended\n{stdout}")
    behind = lines[lines.index(f"::{token}::") + 1 :]
    check(len(behind) == 1 and behind[0].startswith("::error file=failing.yaml,line=6,"), f"GitHub: {behind}")
    text = summary.read_text()
    check(text.startswith("before\n") and "0 passed, 1 failed" in text, f"GitHub: {text}")


def standard_streams(folder):
    """What agenttest was started with is written to as it is: a log is added to, a closed one is told."""
    log, tap = folder / "build.log", folder / "x.tap"
    state = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    for option in ["--junit=/dev/stdout", f"--junit={log}", "--tap=/dev/stdout", "--tap=/dev/stderr"]:
        log.write_text("before\n")
        with open(log, "ab") as end:
            status = subprocess.run([AGENTTEST, folder / "good.yaml", option], stdout=end, stderr=end, env=state).returncode
            end.write(b"behind\n")
        text = log.read_text()
        check(status == 0 and text.startswith("before\n") and text.endswith("behind\n"), f"{option} to a log: {status}\n{text}")
        check("1 passed, 0 failed" in text and ("</testsuites>" in text or "ok 1 - " in text), f"{option} to a log:\n{text}")
    for closed, status in [(1, 2), (2, 0)]:
        script = f'exec "$@" {closed}>&-'
        found = subprocess.run(["sh", "-c", script, "-", AGENTTEST, folder / "good.yaml", f"--tap={tap}"], env=state,
                               capture_output=True, check=False).returncode
        check(found == status, f"descriptor {closed} is closed: status {found}, not {status}")
        lines = tap.read_text().splitlines()
        check(len(lines) == 3 and lines[2].startswith("ok 1 - "), f"descriptor {closed} is closed: {lines}")


def interrupted(folder):
    (folder / "endless.yaml").write_text(ENDLESS)
    process = subprocess.Popen(
        [str(AGENTTEST), str(folder / "endless.yaml"), "--verbose", "--tap=" + str(folder / "endless.tap")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "XDG_STATE_HOME": str(folder / "state")},
    )
    process.stdout.readline()  # the line that the run begins with: signals are taken from here on
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    check(process.returncode == 130, f"SIGINT: {process.returncode}\n{output}")
    check("ended early by SIGINT" in output and "1 error" in output, f"SIGINT: not reported\n{output}")
    check("Bail out! " in (folder / "endless.tap").read_text(), "SIGINT: TAP does not say so")


def without_a_terminal(folder):
    """nohup: a SIGHUP that was ignored from the beginning ends nothing, one that was not does."""
    path = folder / "short.yaml"
    path.write_text(GOOD + "  - run: sleep 1\n")
    # Whoever runs the tests may be behind nohup itself.
    for prefix, status in [(["nohup"], 0), (["env", "--default-signal=HUP"], 129)]:
        process = subprocess.Popen([*prefix, AGENTTEST, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   stdin=subprocess.DEVNULL, text=True)
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        output, _ = process.communicate(timeout=60)
        check(process.returncode == status, f"SIGHUP behind {prefix}: {process.returncode}, not {status}\n{output}")
    path.unlink()


def documents():
    status, stdout, _ = call("schema")
    check(status == 0 and "$schema" in json.loads(stdout), "schema is no JSON Schema")
    status, stdout, _ = call("manual")
    check(status == 0 and "ActiveState" in stdout, "manual")
    for command in ["run", "check", "list", "replay", "doctor", "schema", "manual"]:
        status, stdout, stderr = call(command, "--help")
        check(status == 0 and stdout.startswith(f"usage: agenttest {command} ") and not stderr, f"{command} --help")
        check(max(map(len, stdout.splitlines())) <= 110, f"{command} --help is wide")
    check(call("--version")[1].startswith("agenttest "), "--version")
    with open("/dev/full", "wb") as full:
        status = subprocess.run([AGENTTEST, "manual"], stdout=full, stderr=subprocess.DEVNULL, check=False).returncode
    check(status == 2, f"standard output that is full: {status}")


def main():
    with tempfile.TemporaryDirectory(prefix="agenttest-cli.", dir="/var/tmp") as name:
        folder = pathlib.Path(name)
        (folder / "good.yaml").write_text(GOOD)
        wrong_usage(folder)
        one_file_for_two(folder)
        selection(folder)
        bad_paths(folder)
        shutil.rmtree(folder / "fifo")
        bad_files(folder)
        hostile_names(folder)
        steps_that_cannot_be(folder)
        nothing_runs_where_one_file_is_bad(folder)
        evidence(folder)
        no_room(folder)
        no_privilege(folder)
        no_systemd(folder)
        no_manager()
        no_cgroups(folder)
        units_that_cannot_start(folder)
        outcomes(folder)
        judged_again(folder)
        github(folder)
        standard_streams(folder)
        interrupted(folder)
        without_a_terminal(folder)
        documents()
    finish()


main()
