#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The stage `system`, on a machine that may be harmed: a sandbox, in which agenttest plays on PID 1 itself.

Without arguments but the build folder, or with `--inside` on a machine of which that may be said (a virtual one): then
everything is checked right there. Compared before and after: units and their states, drop-in folders, files with bytes,
mode, owner and times, limits in force, processes.
"""
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile

sys.argv = [a for a in sys.argv if a != "--inside"] if "--inside" not in sys.argv else sys.argv
INSIDE = "--inside" in sys.argv
sys.argv = [a for a in sys.argv if a != "--inside"]

from harness import AGENTTEST, BUILD, ROOT, Run, check, finish  # noqa: E402

PROBE = """[Unit]
Description=a unit that this machine has
[Service]
ExecStart=/bin/sleep 1000
LimitNOFILE=512
MemoryMax=100M
[Install]
WantedBy=multi-user.target
"""
NEEDED = "[Service]\nExecStart=/bin/sleep 1000\n"
# A service with data that must not be lost, whatever it does in a scenario.
PRECIOUS = pathlib.Path("/var/lib/precious")
KEEPER = f"""[Service]
ExecStart=/bin/sh -c 'ls {PRECIOUS}; rm -f {PRECIOUS}/old; echo more >>{PRECIOUS}/new; exec sleep 1000'
"""
# What DynamicUser= would move away.
MOVED = pathlib.Path("/var/lib/moved")
CONFIG = pathlib.Path("/etc/probe.conf")
UNITS = pathlib.Path("/etc/systemd/system")


def outside():
    """Plays this file in a sandbox and hands on what it says."""
    with tempfile.TemporaryDirectory(prefix="agenttest-test.", dir="/var/tmp") as folder:
        scenario = pathlib.Path(folder) / "outer.yaml"
        line = f"exec {sys.executable} {pathlib.Path(__file__).resolve()} {BUILD} --inside"
        scenario.write_text(
            "about: agenttest plays on the PID 1 of a sandbox\n"
            "units: { other.service: { properties: { ExecStart: /bin/sleep 1000 } } }\n"
            f"steps: [ {{ run: {{ command: {json.dumps(line)} }}, within: 180s }} ]\n"
        )
        run = Run(scenario)
        for entry in run.play().entries:
            if entry["kind"] == "command":
                print(entry["f"].get("stdout", ""), entry["f"].get("stderr", ""), sep="", end="")
        # The deaths of what the nested runs started are not this scenario's to explain.
        verdict = next(v for v in run.play().verdicts if v["id"] == "steps[0]")
        check(verdict["verdict"] == "pass", f"the checks inside hold: {verdict['sentence']}")
    finish()


# --- inside ---


def systemctl(*arguments):
    return subprocess.run(["systemctl", *arguments], capture_output=True, text=True, timeout=60)


def property_of(unit, name):
    return systemctl("show", "--value", "-p", name, unit).stdout.strip()


def files_below(folder):
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        status = path.lstat()
        found[str(path)] = (
            oct(status.st_mode),
            status.st_uid,
            status.st_gid,
            status.st_mtime_ns if path.is_file() else 0,
            path.read_bytes() if path.is_file() and not path.is_symlink() else "",
        )
    return found


def machine():
    """All that has to be the same before and after."""
    units = systemctl("list-units", "--all", "--plain", "--no-legend", "--full").stdout
    facts = {"units": sorted(" ".join(line.split()[:4]) for line in units.splitlines())}
    for folder in ("/etc/systemd", "/run/systemd/system", "/run/systemd/system.control", "/run/systemd/transient"):
        facts[folder] = files_below(folder)
    for folder in (PRECIOUS, MOVED):
        facts[str(folder)] = files_below(folder)
    for folder in ("/var/lib", "/var/cache", "/usr/bin"):
        facts[folder] = sorted(os.listdir(folder))
    facts["/run"] = sorted(set(os.listdir("/run")) - {"test.fifo", "nested-evidence"})
    facts["config"] = (CONFIG.read_bytes(), CONFIG.stat().st_mode, CONFIG.stat().st_uid, CONFIG.stat().st_gid,
                       CONFIG.stat().st_mtime_ns, "trusted.note" in os.listxattr(CONFIG))  # fmt: skip
    for unit in ("probe.service", "asleep.service"):
        facts[unit] = {p: property_of(unit, p) for p in ("ActiveState", "LimitNOFILE", "MemoryMax", "DropInPaths",
                                                         "Environment", "FreezerState", "NeedDaemonReload")}  # fmt: skip
    pid = property_of("probe.service", "MainPID")
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    facts["open files"] = re.search(r"Max open files.*", limits).group()
    environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    facts["environment"] = b"colour" in environment
    group = property_of("probe.service", "ControlGroup")
    for name in (f"/sys/fs/cgroup/memory{group}/memory.limit_in_bytes", f"/sys/fs/cgroup{group}/memory.max"):
        if os.path.exists(name):
            facts["memory"] = pathlib.Path(name).read_text()
    return facts


def differences(before, after):
    lines = []
    for key in before:
        if before[key] == after[key]:
            continue
        if isinstance(before[key], dict):
            lines += [f"{key}: {k}: {before[key].get(k)} -> {after[key].get(k)}"
                      for k in before[key].keys() | after[key].keys() if before[key].get(k) != after[key].get(k)]
        elif isinstance(before[key], list):
            lines.append(f"{key}: -{sorted(set(before[key]) - set(after[key]))} +{sorted(set(after[key]) - set(before[key]))}")
        else:
            lines.append(f"{key}: {before[key]} -> {after[key]}")
    return "\n".join(lines)


def check_same(before, what):
    different = differences(before, machine())
    check(not different, f"{what}: the machine is as it was:\n{different}")


class Folder:
    """Scenarios of this test."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="agenttest-test.", dir="/var/tmp"))

    def write(self, name, text):
        path = self.path / name
        path.write_text(text)
        return path


def play(path, *arguments):
    return Run("run", "--stage", "system", path, "-v", *arguments)


def set_up():
    (UNITS / "probe.service").write_text(PROBE)
    (UNITS / "asleep.service").write_text("[Unit]\nWants=needed.service\n[Service]\nExecStart=/bin/sleep 1000\n")
    (UNITS / "needed.service").write_text(NEEDED)
    (UNITS / "follower.service").write_text("[Unit]\nBindsTo=probe.service\nAfter=probe.service\n" + NEEDED)
    (UNITS / "brave.service").write_text("[Unit]\nFailureAction=reboot\n" + NEEDED)
    (UNITS / "keeper.service").write_text(KEEPER)
    (UNITS / "piddle.service").write_text(f"[Service]\nPIDFile={PRECIOUS}/pid\nExecStart=/bin/sleep 1000\n")
    PRECIOUS.mkdir(mode=0o750)
    (PRECIOUS / "old").write_text("years of work")
    MOVED.mkdir()
    (MOVED / "old").write_text("years of work")
    (UNITS / "settled.service").write_text("[Service]\nStateDirectory=moved\nExecStart=/bin/sleep 1000\n")
    (UNITS / "moving.service").write_text("[Service]\nDynamicUser=yes\nStateDirectory=moved\nExecStart=/bin/sleep 1000\n")
    (UNITS / "fresh.service").write_text("[Service]\nDynamicUser=yes\nStateDirectory=fresh/below\nExecStart=/bin/sleep 1000\n")
    (UNITS / "broken.service").write_text("[Service]\nType=oneshot\nExecStart=/bin/false\n")
    (UNITS / "other-name.service").symlink_to("probe.service")
    (UNITS / "NetworkManager.service").write_text(NEEDED)
    (UNITS / "net.service").symlink_to("NetworkManager.service")
    for name, settings in {
        "shy": "",
        "rival": "Conflicts=shy.service",
        "bringer": "Wants=shy.service",
        "carrier": "Wants=moving.service",
        "fatal": "OnFailure=doom.target",
        "isolating": "OnSuccess=shy.service\nOnSuccessJobMode=isolate",
        "ruled": "",
        "hidden": "",
        "tail": "PropagatesStopTo=NetworkManager.service",
    }.items():
        (UNITS / f"{name}.service").write_text(f"[Unit]\n{settings}\n{NEEDED}")
    for name, drop_in in ("ruled", "zzz.conf"), ("hidden", "zz-agenttest.conf"):
        (UNITS / f"{name}.service.d").mkdir(exist_ok=True)
        (UNITS / f"{name}.service.d" / drop_in).write_text("[Service]\nNice=0\n")
    CONFIG.write_text("one = 1\n")
    CONFIG.chmod(0o640)
    os.chown(CONFIG, 7, 8)
    os.setxattr(CONFIG, "trusted.note", b"kept")
    systemctl("daemon-reload")
    systemctl("start", "probe.service", "follower.service", "rival.service")
    systemctl("start", "broken.service")
    subprocess.run(["systemd-run", "--unit=passing", "sleep", "1000"], capture_output=True, timeout=60)


# Everything a scenario may change, at once.
CHANGES = """about: everything that a scenario may change
units:
  probe.service: { file: installed, properties: { LimitNOFILE: 400, MemoryMax: 50M } }
  asleep.service: installed
  agent.service: %(root)s/fixtures/units/agent.service
environment: { colour: blue }
files:
  /usr/bin/agentd: ${build}/agentd
  /etc/probe.conf: { content: "one = 2", mode: 0600 }
  /etc/new/below/file.conf: { content: new }
directories: { /var/lib/probe-data: { mode: 0700 } }
steps:
  - start: agent.service
  - run: agentctl submit --count 10
  - restart: probe.service
  - expect: { state: { unit: probe.service, LimitNOFILE: 400, MemoryMax: "52428800" } }
  - start: asleep.service
  - expect: { state: { unit: asleep.service, ActiveState: active } }
%(middle)s
  - signal: { unit: agent.service, signal: SIGTERM }
  - expect:
      exit: { unit: agent.service, code: 0 }
      log: { unit: agent.service, json: { event: checkpoint } }
    within: 5s
  - crash: { unit: asleep.service }
  - expect: { exit: { unit: asleep.service, signal: SIGKILL } }
    within: 5s
"""


# A folder that the machine has: the scenario's is shown to the service, to commands and to probes in its place.
STAND_IN = """about: a service that harms its data
units: { keeper.service: installed }
directories:
  /var/lib/precious: { mode: 0700 }
  /var/lib/precious/below: { owner: nobody, mode: 0711 }
files: { /var/lib/precious/given: { content: hello } }
steps:
  - run: ls /var/lib/precious; touch /var/lib/precious/touched
    save: said
  - start: keeper.service
  - expect:
      log: given
      file: { path: /var/lib/precious/new, content: /more/ }
      command: { run: "printf 'below\\ngiven\\n'", stdout: "${said}" }
    within: 5s
  - expect: { file: { path: /var/lib/precious/old, exists: no } }
%s
  - signal: SIGTERM
  - expect: { exit: { signal: SIGTERM } }
    within: 5s
  - start: keeper.service
never:
  - log: old
"""


def stand_in(folder, name, middle=""):
    return folder.write(name, STAND_IN % middle)


def test_stand_in(folder):
    before = machine()
    run = play(stand_in(folder, "stand-in.yaml"))
    check(run.status == 0, f"a folder of the machine is hidden from the scenario:\n{run.stdout}{run.stderr}")
    check_same(before, "played with a folder in another's place")
    killed_half_way(folder, kill_guard=True, scenario=stand_in)
    run = Run("rollback", evidence=False)
    check(run.status == 0, f"rollback: {run.stdout}{run.stderr}")
    check_same(before, "killed with a folder in another's place, then rollback")


# Units with what is in their section besides ExecStart=; "placed": refused once our drop-in is in force, as an error.
STAND_IN_REFUSED = [
    ("probe.service", None, "is running"),
    ("piddle.service", None, "would not find it"),
    ("meta.service", "[Unit]\nWants=worker.service\n[Service]", "may have worker.service started"),
    ("worker.socket", "[Socket]\nListenStream=/run/worker.sock", "may have worker.service started"),
    ("needed.service: installed, needed.socket", f"[Socket]\nListenStream={PRECIOUS}/sock", "in its Listen"),
    ("bound.service", f"[Service]\nBindPaths=/srv:{PRECIOUS}", f"BindPaths=/srv:{PRECIOUS}, which is in the way"),
    ("shown.service", "[Service]\nBindPaths=/var/lib:/srv", "BindPaths=/var/lib:/srv, which is in the way"),
    ("rooted.service", "[Service]\nRootDirectory=/srv", "RootDirectory=/srv"),
    ("owner.service", "[Service]\nUser=nobody\nStateDirectory=precious", "StateDirectory= or the like"),
    ("noisy.service", f"[Service]\nStandardOutput=append:{PRECIOUS}/log", "StandardOutput=append"),
    ("given.service", f"[Service]\nEnvironmentFile=-{PRECIOUS}/env", "in its EnvironmentFiles"),
    ("picky.service", f"[Unit]\nConditionPathExists={PRECIOUS}/old\n[Service]", "in its Conditions"),
    ("strict.service", "[Service]\nProtectSystem=strict\nReadWritePaths=/var/log", "may not write to /var/lib/precious"),
    ("plus.service", f"[Service]\nExecStartPre=+/bin/rm -f {PRECIOUS}/old", 'ExecStartPreEx with "+"'),
    ("reset.service", "[Service]", "takes the folder back"),
]
DIRECTORY_REFUSED = [
    ("/var", "nothing is shown in place of /var"),
    ("/var/lib", "nothing is shown in place of /var/lib"),
    ("/usr/bin", "nothing is shown in place of /usr/bin"),
    ("/etc/probe.conf", "no directory"),
    ("/var/lib/systemd", "nothing is put into"),
]


def test_stand_in_refused(folder):
    (UNITS / "worker.service").write_text(NEEDED)
    for unit, settings, _ in STAND_IN_REFUSED:
        if settings:
            command = "" if unit.endswith(".socket") else "\nExecStart=/bin/sleep 1000\n"
            (UNITS / unit.split()[-1]).write_text(settings + command)
    (UNITS / "reset.service.d").mkdir(exist_ok=True)
    (UNITS / "reset.service.d/zzz.conf").write_text("[Service]\nBindPaths=\n")
    systemctl("daemon-reload")
    before = machine()
    for unit, directory, why in [(u, PRECIOUS, why) for u, _, why in STAND_IN_REFUSED] + [
        ("keeper.service", d, why) for d, why in DIRECTORY_REFUSED
    ]:
        path = folder.write("refused.yaml", f"about: refused\nunits: {{ {unit}: installed }}\ndirectories: [ {directory} ]\n"
                            "steps: [ { run: exit 1 } ]\n")  # fmt: skip
        run = play(path)
        is_placed = unit == "reset.service"
        check(run.status == (2 if is_placed else 3) and why in run.stdout + run.stderr and not (run.plays() and not is_placed),
              f"{unit} {directory}: {run.stdout}{run.stderr}")  # fmt: skip
    check_same(before, "refused to hide folders")


def test_directories_in_any_order(folder):
    before = machine()
    path = folder.write("order.yaml", "about: what lies above is made first\nunits: { keeper.service: installed }\n"
                        "directories: [ /srv/above/below, /srv/above, /var/lib/precious/below, /var/lib/precious ]\n"
                        "steps: [ { start: keeper.service }, { expect: { log: below }, within: 5s } ]\n")  # fmt: skip
    run = play(path)
    check(run.status == 0, f"directories in any order:\n{run.stdout}{run.stderr}")
    check_same(before, "directories in any order")


def changes(folder, name, middle=""):
    return folder.write(name, CHANGES % {"root": ROOT, "middle": middle})


def test_undone(folder):
    before = machine()
    run = play(changes(folder, "changes.yaml"))
    check(run.status == 0, f"it passes:\n{run.stdout}{run.stderr}")
    check_same(before, "played to its end")
    return run


FREEZE = """
  - freeze: probe.service
  - expect: { state: { FreezerState: frozen } }
    within: 5s
"""


SLEEP = "ExecStart=/bin/sleep 1000\n"
# Units with a way of their own to be left otherwise than they were.
ODD_UNITS = {
    "slow.service": "[Service]\nExecStart=/bin/bash -c 'trap \"sleep 60; exit 0\" TERM; while :; do sleep 0.1; done'\n"
                    "TimeoutStopSec=1\n",
    "still.service": "[Service]\n" + SLEEP,
    "phoenix.service": "[Service]\nRestart=always\nRestartSec=100\n" + SLEEP,
    "hup.service": "[Service]\nType=notify\nNotifyAccess=all\nExecStart=/bin/bash -c 'show() { cat /etc/agenttest-hup.conf "
                   ">/run/hup.inforce; }; trap show HUP; show; systemd-notify --ready; while :; do sleep 0.1; done'\n",
    "web.socket": "[Socket]\nListenStream=/run/web.sock\nRemoveOnStop=yes\n",
    "web.service": "[Service]\n" + SLEEP,
    "hungry.service": "[Unit]\nWants=failing.service late.service\n[Service]\n" + SLEEP,
    "failing.service": "[Service]\nType=oneshot\nExecStart=/bin/false\n",
    "gate.service": "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'read line </run/gate.fifo'\n",
    "late.service": "[Unit]\nAfter=gate.service\n[Service]\n" + SLEEP,
    "rest.service": "[Service]\nKillMode=none\nStateDirectory=one/two\nExecStart=/bin/sleep 4711\n",
    "backup.service": "[Unit]\nRequires=still.service\nAfter=still.service\n[Service]\nType=oneshot\n"
                      "ExecStart=/bin/sh -c 'echo ran >>/run/backup.log; read line </run/gate.fifo'\n"
                      "ExecStopPost=/bin/sh -c 'echo done >/run/done.fifo'\n",
}  # fmt: skip


def set_up_odd():
    for name, text in ODD_UNITS.items():
        (UNITS / name).write_text(text)
    pathlib.Path("/etc/agenttest-hup.conf").write_text("production")
    for name in ("gate", "done"):
        os.mkfifo(f"/run/{name}.fifo")
    systemctl("daemon-reload")
    systemctl("start", "slow.service", "still.service", "phoenix.service", "hup.service")
    systemctl("start", "web.socket")
    systemctl("start", "web.service")


def play_odd(folder, units, steps, more=""):
    """Plays @steps with @units, and everything is as it was."""
    before = machine()
    names = ", ".join(f"{unit}: installed" for unit in units.split())
    path = folder.write("odd.yaml", f"about: odd\nunits: {{ {names} }}\n{more}\nsteps: [ {steps} ]\n")
    run = play(path)
    check(run.status == 0, f"{steps} passes:\n{run.stdout}{run.stderr}")
    check_same(before, steps)


def test_signals_undone(folder):
    play_odd(folder, "still.service", "signal: SIGSTOP")
    stat = pathlib.Path(f"/proc/{property_of('still.service', 'MainPID')}/stat").read_text()
    check(stat.rpartition(")")[2].split()[0] != "T", f"a process that was stopped goes on: {stat}")
    # It heeds the signal some time after the scenario.
    pid = property_of("slow.service", "MainPID")
    play_odd(folder, "slow.service", "repeat: { times: 2, steps: [ { signal: SIGTERM } ] }")
    check(pid != property_of("slow.service", "MainPID"), "a daemon that is about to end is another one now")
    play_odd(folder, "phoenix.service", "{ crash: { unit: phoenix.service } }")
    check(property_of("phoenix.service", "SubState") == "running", "what waits to be restarted is running")
    # It has read the scenario's file without being started anew; and one started anew has as well.
    for step in ("signal: SIGHUP", "restart: hup.service"):
        play_odd(folder, "hup.service", f"{{ {step} }}, {{ expect: {{ file: {{ path: /run/hup.inforce, content: scenario }} }}, "
                 "within: 5s }", "files: { /etc/agenttest-hup.conf: { content: scenario } }")  # fmt: skip
        inforce = pathlib.Path("/run/hup.inforce").read_text()
        check(inforce == "production", f"{step}: the machine's settings are in force again: {inforce}")


def test_sockets_undone(folder):
    play_odd(folder, "web.socket", "stop: web.socket")
    play_odd(folder, "web.service web.socket", "{ stop: web.service }, { stop: web.socket }")
    for unit in ("web.socket", "web.service"):
        check(property_of(unit, "ActiveState") == "active", f"{unit} is active again")


def test_along_undone(folder):
    starting = subprocess.Popen(["systemctl", "start", "gate.service"])
    # Nobody reads the gate before it runs.
    with open("/run/gate.fifo", "w") as gate:
        play_odd(folder, "hungry.service", "start: hungry.service")
        play_odd(folder, "late.service", "{ run: systemctl start --no-block late.service }")
        jobs = systemctl("list-jobs", "--no-legend").stdout
        check("late.service" not in jobs, f"no job waits to start what was not running: {jobs}")
        systemctl("start", "--no-block", "late.service")
        path = folder.write("late.yaml", "about: x\nunits: { late.service: installed }\nsteps: [ { start: late.service } ]\n")
        run = play(path)
        check(run.status == 3 and "is activating" in run.stderr, f"one that somebody's job is about to start: {run.stderr}")
        systemctl("stop", "late.service")
        gate.write("go\n")
    starting.wait(timeout=30)
    check(property_of("late.service", "ActiveState") == "inactive", "what waited to be started is not")

    play_odd(folder, "rest.service", "{ start: rest.service }, { stop: rest.service }")
    left = [p for p in pathlib.Path("/proc").glob("[0-9]*/cmdline") if b"\0004711" in p.read_bytes()]
    check(not left, f"no process outlives its unit: {left}")

    systemctl("start", "--no-block", "backup.service")
    before = machine()
    path = folder.write("backup.yaml", "about: a oneshot ends meanwhile\nunits: { still.service: installed }\n"
                        "steps: [ { run: echo go >/run/gate.fifo; read line </run/done.fifo }, { restart: still.service } ]\n")  # fmt: skip
    run = play(path)
    check(run.status == 0, f"a oneshot ends while a scenario is played:\n{run.stdout}{run.stderr}")
    log = pathlib.Path("/run/backup.log").read_text()
    check(log == "ran\n", f"a oneshot that came to its end is not started again: {log}")
    different = differences(before, machine())
    check("backup.service" in different and "\n" not in different, f"nothing but that is otherwise:\n{different}")


def test_limits_undone(folder):
    before = machine()
    # systemd freezes on cgroup v2 only.
    freeze = FREEZE if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else ""
    path = folder.write("limits.yaml", """about: limits that are set, filled and lifted while the unit runs
units: { probe.service: installed }
steps:
  - set-property: TasksMax=20
  - expect: { limit: { TasksMax: 20 } }
    within: 5s
  - hog: { tasks: 40 }
    within: 20s
""" + freeze)  # fmt: skip
    run = play(path)
    check(run.status == 0, f"limits are set:\n{run.stdout}{run.stderr}")
    check_same(before, "limits, a hog, and a unit left frozen")


def test_deaths_say_so(run):
    sentence = next(v["sentence"] for v in run.play().verdicts if v["id"] == "deaths")
    check("deaths of children were not observed" in sentence, sentence)


def test_read_only(folder):
    before = machine()
    path = folder.write("greedy.yaml", """about: commands cannot write to the machine
units: { probe.service: installed }
steps:
  - run: 'touch /etc/greedy || echo refused; echo x > $TMPDIR/mine && cat $TMPDIR/mine'
    save: said
  - expect: { command: { run: "echo refused; echo x", stdout: "${said}" } }
""")  # fmt: skip
    run = play(path)
    check(run.status == 0, f"commands find read-only file systems:\n{run.stdout}{run.stderr}")
    check_same(before, "a command that writes")


def children_of(pid):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append((int(entry.name), (entry / "comm").read_text().strip()))
            except OSError:
                pass
    return found


def start_half_way(folder, name, scenario=changes):
    """Starts a run that says through a pipe when all its changes are made, and waits for that."""
    if not os.path.exists("/run/test.fifo"):
        os.mkfifo("/run/test.fifo")
    path = scenario(folder, "half.yaml", '  - run: { command: "echo here > /run/test.fifo; sleep 1000" }\n    within: 200s')
    pipe = os.open("/run/test.fifo", os.O_RDWR)
    process = subprocess.Popen([AGENTTEST, "run", "--stage", "system", path, "--evidence", folder.path / name],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    process_fd = os.pidfd_open(process.pid)
    ready, _, _ = select.select([pipe, process_fd], [], [], 60)
    if not check(pipe in ready and os.read(pipe, 5) == b"here\n", "the scenario is half-way"):
        process.kill()
        print(process.stdout.read().decode(), flush=True)
    os.close(pipe)
    os.close(process_fd)
    return process


def killed_half_way(folder, kill_guard, scenario=changes):
    """Ends a run by SIGKILL when all its changes are made."""
    process = start_half_way(folder, f"killed-{kill_guard}-{len(os.listdir(folder.path))}", scenario)
    children = children_of(process.pid)
    guard = next(pid for pid, comm in children if comm == "agenttest-guard")
    guard_fd = os.pidfd_open(guard)
    performers = [os.pidfd_open(pid) for pid, comm in children if pid != guard]
    if kill_guard:
        os.kill(guard, signal.SIGKILL)
    process.kill()
    process.wait()
    for fd in [guard_fd, *performers]:
        ended, _, _ = select.select([fd], [], [], 60)
        check(ended, "all processes of the run end")


def test_guard_undoes(folder):
    before = machine()
    killed_half_way(folder, kill_guard=False)
    check_same(before, "killed, and the guard lived")


def test_rollback_undoes(folder):
    before = machine()
    killed_half_way(folder, kill_guard=True)
    check(differences(before, machine()), "without a guard the changes are still there")
    run = subprocess.run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "-i", "HOME=/nowhere",
                          AGENTTEST, "rollback"],
                         capture_output=True, text=True, timeout=60)  # fmt: skip
    check(run.returncode == 0 and "nothing to undo" in run.stdout, f"root's log is not a user's: {run.stdout}{run.stderr}")
    run = Run("rollback", evidence=False)
    check(run.status == 0 and "undone" in run.stdout, f"rollback says what it did: {run.stdout}{run.stderr}")
    again = Run("rollback", evidence=False)
    check(again.status == 0 and "nothing to undo" in again.stdout, f"a second time there is nothing: {again.stdout}")
    check_same(before, "killed, then rollback")


def test_next_run_undoes(folder):
    before = machine()
    killed_half_way(folder, kill_guard=True)
    path = folder.write("next.yaml", "about: next\nunits: { probe.service: installed }\n"
                        "steps: [ { expect: { state: { ActiveState: active, LimitNOFILE: 512 } } } ]\n")  # fmt: skip
    run = play(path)
    check(run.status == 0, f"the next run finds the machine as it was:\n{run.stdout}{run.stderr}")
    check("undone" in run.stderr + run.stdout, f"the next run says what it undid: {run.stderr}")
    check_same(before, "killed, then another run")


REFUSED = [
    ("systemd-journald.service", "a part of the service manager", ""),
    ("dbus.service", "the message bus", ""),
    ("ssh.service", "remote access", ""),
    ("multi-user.target", "only services, sockets, timers and paths", ""),
    ("nothing-here.service", "LoadState=not-found", ""),
    ("brave.service", "FailureAction=reboot", ""),
    ("broken.service", "has failed", ""),
    ("other-name.service", "another name of probe.service: write probe.service", ""),
    ("net.service", "NetworkManager.service, and that is the network", ""),
    ("passing.service", "would be gone for good", ""),
    ("moving.service", "would move /var/lib/moved", ""),
    ("shy.service", "conflicts with rival.service, which is active", ""),
    ("bringer.service", "may have shy.service started: shy.service conflicts with rival.service", ""),
    ("carrier.service", "may have moving.service started: moving.service has DynamicUser=yes", ""),
    ("fatal.service", "OnFailure=doom.target, and that is a state of the machine", ""),
    ("isolating.service", "OnSuccessJobMode=isolate, which would hit the whole machine", ""),
    ("tail.service", "NetworkManager.service stops with tail.service, and is the network", ""),
    ("probe.service", "nothing is put into /etc/passwd", "files: { /etc/passwd: { content: x } }"),
    ("probe.service", "only files of the scenario's own units", "files: { /run/systemd/system/ssh.service: { content: x } }"),
    ("probe.service", "only files of the scenario's own units", "files: { /run/systemd/system/x.service.d/x.conf: { content: x } }"),
    ("probe.service", "of its own", "files: { /run/systemd/system/probe.service: { content: x } }"),
    ("probe.service", "symbolic link", "files: { /etc/linked: { content: x } }"),
    ("probe.service", "/etc/probe.conf is there, and is no folder", "directories: [ /etc/probe.conf/below ]"),
    ("probe.service", "the name is too long", f"directories: [ /srv/{'x' * 300} ]"),
    ("probe.service", "Read-only file system", "files: { /run/read-only/x: { content: x } }"),
]


def test_refused(folder):
    os.symlink("/etc/probe.conf", "/etc/linked")
    os.mkdir("/run/read-only")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", "/run/read-only"], check=True)
    before = machine()
    for unit, why, more in REFUSED:
        path = folder.write("refused.yaml", f"about: refused\nunits: {{ {unit}: installed }}\n{more}\n"
                            f"steps: [ {{ run: exit 1 }} ]\n")  # fmt: skip
        run = play(path)
        check(run.status == 3 and why in run.stderr and not run.plays(), f"{unit} {more} is refused, {why}: {run.stdout}{run.stderr}")
    path = folder.write("refused.yaml", "about: x\nunits: { probe.service: installed }\n"
                        "steps: [ { write: { path: /etc/x, content: x } } ]\n")  # fmt: skip
    run = play(path)
    check(run.status == 3 and "cannot be undone" in run.stderr, f"write is refused: {run.stderr}")
    path = folder.write("refused.yaml", f"about: x\nunits: {{ probe.service: {ROOT}/fixtures/units/agent.service }}\n"
                        "steps: [ { start: probe.service } ]\n")  # fmt: skip
    run = play(path)
    check(run.status == 3 and "of its own" in run.stderr, f"a unit of the same name is refused: {run.stderr}")
    check_same(before, "refused")
    os.unlink("/etc/linked")
    subprocess.run(["umount", "/run/read-only"], check=True)
    os.rmdir("/run/read-only")


# Refused once the scenario's settings are in force, before anything is started.
REFUSED_PLACED = [
    ("settled.service", "would move /var/lib/moved", "{ file: installed, properties: { DynamicUser: yes } }"),
    ("probe.service", "conflicts with rival.service", "{ file: installed, properties: { Conflicts: rival.service } }"),
    ("probe.service", "FailureAction=reboot", "{ file: installed, properties: { FailureAction: reboot } }"),
    ("brought.service", "conflicts with rival.service", "brought.service"),
    ("ruled.service", "ruled.service.d/zzz.conf is read after", "{ file: installed, properties: { Nice: 5 } }"),
    ("hidden.service", "are not read by the manager", "{ file: installed, properties: { Nice: 5 } }"),
]


def test_refused_placed(folder):
    before = machine()
    folder.write("brought.service", f"[Unit]\nConflicts=rival.service\n{NEEDED}")
    for unit, why, file in REFUSED_PLACED:
        path = folder.write("refused.yaml", f"about: refused\nunits: {{ {unit}: {file} }}\nsteps: [ {{ start: {unit} }} ]\n")
        run = play(path)
        check(run.status == 2 and why in run.stdout + run.stderr, f"{unit} {file} is refused, {why}: {run.stdout}{run.stderr}")
    check_same(before, "refused once placed")


def test_unit_folders(folder):
    before = machine()
    path = folder.write("folders.yaml", "about: folders that a start makes\nunits: { fresh.service: installed }\n"
                        "steps: [ { start: fresh.service }, { expect: { state: { ActiveState: active }, "
                        "file: { path: /var/lib/private/fresh/below } }, within: 5s } ]\n")  # fmt: skip
    run = play(path)
    check(run.status == 0, f"a state folder is made:\n{run.stdout}{run.stderr}")
    check_same(before, "a state folder with those above it")


def test_pending_reload(folder):
    with open(UNITS / "follower.service", "a") as unit:
        unit.write("Nice=1\n")
    path = folder.write("reload.yaml", "about: x\nunits: { probe.service: { file: installed, properties: { Nice: 5 } } }\n"
                        "steps: [ { restart: probe.service } ]\n")  # fmt: skip
    run = play(path)
    check(run.status == 3 and "daemon-reload" in run.stderr, f"a change that waits for a reload: {run.stderr}")
    path = folder.write("set.yaml", "about: x\nunits: { probe.service: installed }\n"
                        "steps: [ { repeat: { times: 1, steps: [ { set-property: TasksMax=20 } ] } } ]\n")  # fmt: skip
    run = play(path)
    check(run.status == 3 and "daemon-reload" in run.stderr, f"the same with set-property: {run.stdout}{run.stderr}")
    systemctl("daemon-reload")


def test_interrupted(folder):
    before = machine()
    process = start_half_way(folder, "interrupted")
    run = Run("rollback", evidence=False)
    check(run.status == 2 and "is playing" in run.stderr, f"a run that lives is not rolled back: {run.stdout}{run.stderr}")
    process.send_signal(signal.SIGTERM)
    status = process.wait(timeout=120)
    check(status == 143, f"an interrupted run says so: {status}")
    check_same(before, "interrupted")


def test_replay(run):
    replayed = subprocess.run([AGENTTEST, "replay", run.evidence], capture_output=True, text=True, timeout=120)
    check("not the recorded" not in replayed.stdout + replayed.stderr and replayed.returncode == run.status,
          f"a replay comes to the same verdicts: {replayed.stdout}{replayed.stderr}")  # fmt: skip


LEAKY = f"""[Service]
LimitNOFILE=20000
ExecStart={sys.executable} -c "import os, time\\nwhile True: os.open('/dev/null', 0); time.sleep(0.02)"
"""


# Nothing is wrong with these; each once looked as if.
WELL = {
    "frac.service": "[Service]\nCPUQuota=12.5%\nMemoryMax=1000001\nExecStart=/bin/sleep 1000\n",
    "raiser.service": "[Service]\nLimitNOFILE=100:200\nExecStart=/bin/bash -c 'ulimit -S -n 200; exec sleep 1000'\n",
    "once.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n",
}


def observe(*units):
    return Run("observe", *units, "--for", "2s", "-v")


def test_observe(folder):
    napper = pathlib.Path("/usr/local/bin/napper")
    napper.write_bytes(pathlib.Path("/bin/sleep").read_bytes())
    napper.chmod(0o755)
    (UNITS / "leaky.service").write_text(LEAKY)
    (UNITS / "napper.service").write_text(f"[Service]\nExecStart={napper} 1000\n")
    for name, text in WELL.items():
        (UNITS / name).write_text(text)
    systemctl("daemon-reload")
    systemctl("start", "leaky.service", "napper.service", *WELL)

    before = machine()
    for unit in ("probe.service", "systemd-journald.service", "systemd-journald.socket"):
        run = observe(unit)
        # Of a container not even PID 1 may raise what a unit asks for, and then that is said.
        limited = run.status == 4 and "LimitNOFILE was" in run.stdout and unit == "systemd-journald.service"
        check(run.status == 0 or limited, f"{unit} is well:\n{run.stdout}{run.stderr}")
    run = observe(*WELL)
    check(run.status == 0, f"{', '.join(WELL)} are well:\n{run.stdout}{run.stderr}")
    run = Run("observe", "-.mount", evidence=False)
    check(run.status == 3 and "behind --" in run.stderr, f"-.mount looks like an option: {run.stderr}")
    run = Run("observe", "--for", "1s", "--evidence", folder.path / "mount", "--", "-.mount", evidence=False)
    check(run.status == 0, f"-.mount is well:\n{run.stdout}{run.stderr}")
    run = observe("asleep.service")
    check(run.status == 1 and "inactive" in run.stdout, f"asleep.service does not run:\n{run.stdout}{run.stderr}")
    run = observe("leaky.service")
    check(run.status == 1 and re.search(r"grew for good within .*: fds by [0-9]+", run.stdout),
          f"leaky.service leaks:\n{run.stdout}{run.stderr}")  # fmt: skip
    run = observe("nothing-here.service")
    check(run.status == 3 and "LoadState=not-found" in run.stderr, f"no such unit: {run.stderr}")
    check_same(before, "observed")

    check(observe("napper.service").status == 0, "napper.service is well")
    newer = pathlib.Path("/usr/local/bin/napper.new")
    newer.write_bytes(napper.read_bytes())
    newer.rename(napper)
    run = observe("napper.service")
    check(run.status == 1 and "(deleted)" in run.stdout, f"its executable was replaced:\n{run.stdout}{run.stderr}")
    with open(UNITS / "probe.service", "a") as unit:
        unit.write("# later\n")
    run = observe("probe.service")
    check(run.status == 1 and "NeedDaemonReload" in run.stdout, f"its file was changed:\n{run.stdout}{run.stderr}")
    systemctl("daemon-reload")


USER = "/run/usertest"
AS_USER = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "-i", f"XDG_RUNTIME_DIR={USER}",
           f"HOME={USER}", f"XDG_STATE_HOME={USER}/state", "PATH=/usr/bin:/bin:/usr/sbin:/sbin"]  # fmt: skip


def as_user(*command, timeout=120):
    return subprocess.run([*AS_USER, *map(str, command)], capture_output=True, text=True, timeout=timeout, cwd="/")


def user_machine():
    units = as_user("systemctl", "--user", "list-units", "--all", "--plain", "--no-legend", "--full").stdout
    facts = {"units": sorted(" ".join(line.split()[:4]) for line in units.splitlines())}
    for folder in (f"{USER}/systemd/user", f"{USER}/.config", f"{USER}/systemd/user.control", f"{USER}/state/agenttest-undo"):
        facts[folder] = files_below(folder) if os.path.isdir(folder) else {}
    facts["probe"] = as_user("systemctl", "--user", "show", "-p", "ActiveState,LimitNOFILE,DropInPaths", "probe").stdout
    return facts


def test_user(folder):
    systemctl("stop", "usertest.service")
    made = subprocess.run(
        ["systemd-run", "--unit=usertest", "-p", "User=nobody", "-p", "Group=nogroup", "-p", "Delegate=yes", "-p", "Type=notify",
         "-p", "RuntimeDirectory=usertest", "-E", f"XDG_RUNTIME_DIR={USER}", "-E", f"HOME={USER}", "/lib/systemd/systemd", "--user"],
        capture_output=True, text=True, timeout=60)  # fmt: skip
    if not check(made.returncode == 0, f"a user's manager starts: {made.stderr}"):
        return
    units = pathlib.Path(f"{USER}/.config/systemd/user")
    as_user("mkdir", "-p", units)
    (units / "probe.service").write_text("[Service]\nExecStart=/bin/sh -c 'echo here I am; exec sleep 1000'\n")
    subprocess.run("chmod o+x /run/log /run/log/journal; chmod -R o+rX /run/log/journal /var/log/journal", shell=True,
                   stderr=subprocess.DEVNULL)  # fmt: skip
    os.chmod(folder.path, 0o755)
    as_user("systemctl", "--user", "daemon-reload")
    as_user("systemctl", "--user", "start", "probe.service")
    path = folder.write("user.yaml", """about: a user's unit
units: { probe.service: { file: installed, properties: { LimitNOFILE: 300 } } }
steps:
  - restart: probe.service
  - expect: { state: { LimitNOFILE: 300 }, log: "here I am" }
    within: 5s
  - signal: SIGTERM
  - expect: { exit: { signal: SIGTERM } }
    within: 5s
""")  # fmt: skip
    before = user_machine()
    run = as_user(AGENTTEST, "run", "--stage=user", path, "-v", "--evidence", f"{USER}/evidence")
    check(run.returncode == 0, f"a user's unit is played with:\n{run.stdout}{run.stderr}")
    check("deaths of children were not observed" in run.stdout, run.stdout)
    different = differences(before, user_machine())
    check(not different, f"the user's manager is as it was:\n{different}")

    path = folder.write("shadow.yaml", f"about: x\nunits: {{ probe.service: installed }}\nfiles: {{ {units}/x.service: {{ content: x }} }}\n"
                        "steps: [ { restart: probe.service } ]\n")  # fmt: skip
    run = as_user(AGENTTEST, "run", "--stage=user", path, "--evidence", f"{USER}/evidence5")
    check(run.returncode == 3 and "nothing is put to" in run.stderr, f"the user's units are left alone:\n{run.stdout}{run.stderr}")
    path = folder.write("silent.yaml", "about: silence\nunits: { probe.service: installed }\n"
                        "steps: [ { restart: probe.service }, { expect: { log: nothing }, within: 1s } ]\n")  # fmt: skip
    run = as_user(AGENTTEST, "run", "--stage=user", path, "--evidence", f"{USER}/evidence2")
    check(run.returncode == 4 and "closed to this user" in run.stdout,
          f"silence is not believed where the journal's order cannot be given:\n{run.stdout}{run.stderr}")  # fmt: skip
    path = folder.write("cpuset.yaml", "about: x\nrequires: { controllers: [cpuset] }\nunits: { probe.service: installed }\n"
                        "steps: [ { restart: probe.service } ]\n")  # fmt: skip
    run = as_user(AGENTTEST, "run", "--stage=user", path, "--evidence", f"{USER}/evidence3")
    delegated = as_user("sh", "-c", "cat /sys/fs/cgroup/system.slice/usertest.service/cgroup.controllers").stdout.split()
    check(run.returncode == 5 and "cpuset is not delegated" in run.stdout or "cpuset" in delegated,
          f"what is not delegated is named:\n{run.stdout}{run.stderr}")  # fmt: skip
    run = as_user(AGENTTEST, "observe", "probe.service", "--stage=user", "--for=2s", "--evidence", f"{USER}/evidence4")
    # A limit whose controller is not delegated is not in force, which is said.
    limited = run.returncode == 4 and "TasksMax could not be read back" in run.stdout
    check(run.returncode == 0 or limited, f"a user's unit is observed:\n{run.stdout}{run.stderr}")
    systemctl("stop", "usertest.service")


def inside():
    folder = Folder()
    set_up()
    run = test_undone(folder)
    test_deaths_say_so(run)
    test_replay(run)
    test_limits_undone(folder)
    test_read_only(folder)
    test_refused(folder)
    test_refused_placed(folder)
    test_unit_folders(folder)
    set_up_odd()
    test_signals_undone(folder)
    test_sockets_undone(folder)
    test_along_undone(folder)
    test_stand_in(folder)
    test_stand_in_refused(folder)
    test_directories_in_any_order(folder)
    test_guard_undoes(folder)
    test_rollback_undoes(folder)
    test_next_run_undoes(folder)
    test_interrupted(folder)
    test_pending_reload(folder)
    test_observe(folder)
    test_user(folder)
    finish()


if INSIDE:
    inside()
else:
    outside()
