#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: vm-test.py [BUILD]

`./dev vm`: outputs, exit status and files come back, a machine that dies is its own error, the host's root cannot be
written to. And what is played in there: the suite on pure cgroup v2, with the evidence judged again here, and on the machine's
own systemd; the truths of that hierarchy; what its counters give; the limit scenarios of v2, red.
"""
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from harness import AGENTTEST, BUILD, ROOT, Play, check, finish

sys.path.insert(0, str(ROOT / "tests/vm"))
from machine import TCG, Machine  # noqa: E402

RUN = [str(ROOT / "tests/vm/run")]
EXIT_NO_MACHINE = 125
EXIT_SUITE = 42  # tests/vm/suite
# Beside other tests on a busy host; alone it takes half of it.
SUITE_SECONDS = 1000


running = set()


def call(*arguments):
    process = subprocess.Popen([*RUN, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    running.add(process)
    try:
        stdout, stderr = process.communicate(timeout=1200)
    finally:
        process.terminate()
        process.wait()
        running.discard(process)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def on_signal(number, _frame):
    """The machines end in order, with their folders; whoever waits for one, in whatever thread, goes on."""
    for process in list(running):
        process.terminate()
    raise SystemExit(128 + number)


def the_probe_can_say_yes(share):
    """Where KVM does not work it says no; that this is not all it can say is seen with what does work."""
    machine = Machine(share, share, 512, ["true"])
    machine.make_initramfs()
    check(machine.boots(TCG, 120), "a machine that boots was not taken for one")
    check(not machine.boots("nonsense", 120), "an accelerator that does not exist was taken for one that boots")
    machine.end()


def outputs_come_as_they_are_written(share):
    """The first line is here while the command still runs: it waits for a file that is made only then."""
    script = f"echo first; while [ ! -e {share}/go ]; do sleep 0.1; done; echo second >&2; exit 7"
    process = subprocess.Popen([*RUN, "--share", str(share), "--timeout", "120", "bash", "-c", script],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(process.stdout.readline() == "first\n", "the first line does not come")
    (share / "go").touch()
    stdout, stderr = process.communicate(timeout=200)
    check(process.returncode == 7, f"the exit status is {process.returncode}, not 7\n{stderr}")
    check(stdout == "" and "\nsecond\n" in stderr, f"the outputs are mixed up: {stdout!r} {stderr!r}")


def a_dead_machine_is_an_error(share):
    finished = call("--share", share, "--timeout", 120, "bash", "-c", "echo c >/proc/sysrq-trigger; sleep 100")
    check(finished.returncode == EXIT_NO_MACHINE, f"a crash: exit status {finished.returncode}\n{finished.stderr}")
    check("ended without the command's exit status" in finished.stderr, f"a crash is not told:\n{finished.stderr}")
    check("Kernel panic" in finished.stderr, f"the console is not quoted:\n{finished.stderr}")


def a_machine_that_hangs_is_an_error(share):
    finished = call("--share", share, "--timeout", 3, "true")
    check(finished.returncode == EXIT_NO_MACHINE, f"a time-out: exit status {finished.returncode}\n{finished.stderr}")
    check("ended after 3 s" in finished.stderr, f"a time-out is not told:\n{finished.stderr}")


def the_root_is_read_only(share):
    """Also for a guest that mounts it again, past its own layer."""
    mark = ROOT / "build" / f"written-by-the-guest-{share.name}"
    script = f"mkdir /again; mount -t virtiofs tree /again && mount -o remount,rw /again && touch /again{mark}; ls /again/etc/passwd"
    finished = call("--share", share, "--timeout", 120, "bash", "-c", script)
    check("/again/etc/passwd" in finished.stdout, f"the root was not mounted again:\n{finished.stdout}{finished.stderr}")
    check("Read-only file system" in finished.stderr, f"nothing was refused:\n{finished.stderr}")
    check(not mark.exists(), f"the guest has written {mark}")


def part(share, name):
    status, log = share / f"{name}.status", share / f"{name}.log"
    text = log.read_text(errors="replace") if log.exists() else "(nothing)"
    check(status.exists() and status.read_text() == "0\n", f"{name} in the machine:\n{text[-6000:]}")
    return text


def check_evidence(share):
    folders = sorted(path.parent for path in share.glob("evidence/*/verdicts.ndjson"))
    check(len(folders) >= 13, f"only {len(folders)} scenarios left evidence")
    n_scaled = 0
    for folder in folders:
        play = Play(folder)
        facts = next(e["f"] for e in play.entries if e["kind"] == "versions")
        check(facts["cgroup"] == "v2", f"{folder.name}: cgroup {facts['cgroup']}, not v2")
        check("cloud" in facts["kernel"], f"{folder.name}: kernel {facts['kernel']}")
        check(int(facts["lateness-probe"]) > 0, f"{folder.name}: the lateness was not measured: {facts}")
        scale = int(facts.get("lateness-scale", "1"))
        for verdict in play.verdicts:
            if "late-by-at-most" in verdict["sentence"]:
                n_scaled += 1
                check(f"counts {scale} times" in verdict["sentence"], f"{folder.name}: {verdict['sentence']}")
    scales = {next(e["f"] for e in Play(f).entries if e["kind"] == "versions").get("lateness-scale") for f in folders}
    check(len(scales) == 1, f"one run, several scales: {scales}")
    check(scales == {None} or n_scaled > 0, "no verdict says that a budget counted several times")
    again = subprocess.run([AGENTTEST, "replay", *folders], capture_output=True, text=True, timeout=300)
    check(again.returncode == 0, f"judged again on the host: {again.returncode}\n{again.stdout[-3000:]}{again.stderr}")


def play_parts(share, *parts):
    started = time.monotonic()
    finished = call("--share", share, "--timeout", SUITE_SECONDS, "tests/vm/suite", share, *parts)
    print(f"{finished.stdout}{finished.stderr}in the machine for {time.monotonic() - started:.0f} s", flush=True)
    check(finished.returncode == EXIT_SUITE, f"exit status {finished.returncode}, not {EXIT_SUITE}")
    return {name: part(share, name) for name in parts}


def the_sandbox_on_v2(share):
    said = play_parts(share, "scenarios", "hierarchy", "counters", "rootless")
    check("budgets for lateness (late-by-at-most) count" in said["scenarios"], f"the scale is not told:\n{said['scenarios']}")
    check("# budgets for lateness" in (share / "scenarios.tap").read_text(), "the scale is not in the TAP report")
    check_evidence(share)
    check("cgroup layout: v2" in said["hierarchy"], "the hierarchy's test was played on another one")


def the_machine_itself(share):
    said = play_parts(share, "system", "quota")
    check("skipped" not in said["system"].splitlines()[-1], f"not all was played on stage system:\n{said['system']}")
    plays = [Play(path.parent) for path in share.glob("evidence-system/*/verdicts.ndjson")]
    check(len(plays) >= 25, f"only {len(plays)} scenarios were played on stage system")
    stages = {e["f"]["stage"] for play in plays for e in play.entries if e["kind"] == "versions"}
    check(stages == {"system"}, f"played on {stages}")


def the_suite_is_green(share):
    """In two machines side by side: most of their time a scenario waits for its windows to close."""
    with ThreadPoolExecutor(2) as pool:
        machines = []
        for played in (the_sandbox_on_v2, the_machine_itself):
            own = share / played.__name__
            own.mkdir()
            machines.append(pool.submit(played, own))
        for machine in machines:
            machine.result()


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    if BUILD != (ROOT / "build").resolve():
        sys.exit("vm-test: the machine plays what is in build/")
    with tempfile.TemporaryDirectory(prefix="agenttest-vm-test.", dir="/var/tmp") as folder:
        for test in [the_probe_can_say_yes, a_machine_that_hangs_is_an_error, a_dead_machine_is_an_error, outputs_come_as_they_are_written,
                     the_root_is_read_only, the_suite_is_green]:
            share = pathlib.Path(folder).resolve() / test.__name__
            share.mkdir()
            test(share)
    finish()


main()
