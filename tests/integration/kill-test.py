#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: kill-test.py [BUILD]

However agenttest ends, nothing stays behind. SIGINT: reports written, 130. SIGKILL at 30 moments among 16 parallel
scenarios, spread over the boot and beyond: processes and mounts gone in 2 s, cgroups and files in 5 s; where the guard is
killed too, the next run removes them.
"""
import os
import pathlib
import random
import select
import signal
import subprocess
import tempfile
import time

from harness import AGENTTEST, check, finish

RUNS = pathlib.Path("/run/agenttest")
SCENARIO = """
about: Waits
units: { wait.service: { properties: { ExecStart: /bin/sleep 600 } } }
matrix: { n: [%s] }
steps:
  - start: wait.service
  - expect: { state: { name: "for-ever-${n}", SubState: never-that } }
    within: 300s
"""


def processes():
    """pid -> (parent, command line, state) of everything on this machine."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            arguments = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        state, parent = stat[stat.rindex(")") + 2 :].split()[:2]
        found[int(entry.name)] = (int(parent), arguments, state)
    return found


def pids_below(root, table):
    """Pids below @root, itself included."""
    below = {root}
    grown = True
    while grown:
        more = {pid for pid, (parent, _, _) in table.items() if parent in below} - below
        below |= more
        grown = bool(more)
    return below


def descendants(root):
    """Pids below @root, itself included, by (pid, start time), so that a number used again is not mistaken."""
    return {pid: start_time(pid) for pid in pids_below(root, processes())}


def start_time(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat[stat.rindex(")") + 2 :].split()[19]


def is_alive(pid, started):
    table = pathlib.Path(f"/proc/{pid}/stat")
    try:
        fields = table.read_text()
    except OSError:
        return False
    fields = fields[fields.rindex(")") + 2 :].split()
    return fields[19] == started and fields[0] not in "ZX"


def cgroups(run_id):
    return [path for path, folders, _ in os.walk("/sys/fs/cgroup") if run_id in os.path.basename(path)]


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        select.select([], [], [], 0.02)
    return condition()


def run_of(pid):
    """The run that @pid holds the lock of; None: not yet. Other runs may begin on this machine at the same moment."""
    for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = pathlib.Path(os.readlink(descriptor))
        except OSError:
            continue
        if target.parent == RUNS:
            return target.name
    return None


# How far a scenario has come, by the latest of its processes that is there.
PHASES = ["sandbox", "systemd", "journald", "service"]


def phase_of(performer, table):
    below = pids_below(performer, table) - {performer}
    arguments = [table[pid][1] for pid in below]
    if any(a.startswith("/bin/sleep 600") for a in arguments):
        return "service"
    if any("systemd-journald" in a for a in arguments):
        return "journald"
    if any("--unit=agenttest.target" in a for a in arguments):
        return "systemd"
    return "sandbox"


def phases_of(run_pid, table):
    guard = guard_of(pids_below(run_pid, table))
    return {phase_of(pid, table) for pid, (parent, _, _) in table.items() if parent == run_pid and pid != guard}


def find_phase(run_pid, phase):
    """The processes of the run, where a scenario of it is in the @phase; None: none is."""
    table = processes()
    below = pids_below(run_pid, table)
    return {pid: start_time(pid) for pid in below} if phase in phases_of(run_pid, table) else None


class Victim:
    def __init__(self, folder):
        scenario = pathlib.Path(folder) / "wait.yaml"
        scenario.write_text(SCENARIO % ", ".join(str(n) for n in range(16)))
        self.process = subprocess.Popen(
            [AGENTTEST, scenario, "--jobs", "16", "--evidence", pathlib.Path(folder) / "evidence", f"--tap={folder}/tap"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "CI": "true"},
        )
        wait_until(lambda: run_of(self.process.pid), 10)
        self.run_id = run_of(self.process.pid)
        assert self.run_id, "no run folder"

    def sandboxes(self):
        return sum(1 for _, arguments, _ in processes().values() if "--unit=agenttest.target" in arguments)


def guard_of(below):
    """The guard, by the name it gives itself: a young performer looks like it in every other way. None: not yet."""
    for pid in below:
        try:
            if pathlib.Path(f"/proc/{pid}/comm").read_text() == "agenttest-guard\n":
                return pid
        except OSError:
            pass
    return None


def check_gone(what, run_id, below):
    check(
        wait_until(lambda: not [p for p, s in below.items() if is_alive(p, s)], 2),
        f"{what}: processes after 2 s: {[p for p, s in below.items() if is_alive(p, s)]}",
    )
    mounts = pathlib.Path("/proc/self/mountinfo").read_text()
    check(run_id not in mounts, f"{what}: a mount of the run is left")


def clean_up_by_next_run(folder, what):
    """At once, while the processes of the killed run are still dying."""
    clean = pathlib.Path(folder) / "clean.yaml"
    clean.write_text('about: Nothing\nunits: { n.service: { properties: { ExecStart: /bin/true } } }\nsteps: [ { run: "true" } ]\n')
    finished = subprocess.run([AGENTTEST, clean], capture_output=True, text=True)
    check(finished.returncode == 0, f"{what}: the next run: {finished.returncode}\n{finished.stdout}{finished.stderr}")


def kill_at(moment, folder, with_guard):
    """Returns the phases that its scenarios were in."""
    victim = Victim(folder)
    select.select([], [], [], moment)
    below = descendants(victim.process.pid)
    guard = guard_of(below)
    if with_guard:
        if not guard:  # between its fork and its name
            wait_until(lambda: guard_of(descendants(victim.process.pid)), 10)
            below = descendants(victim.process.pid)
            guard = guard_of(below)
        os.kill(guard, signal.SIGKILL)
    phases = phases_of(victim.process.pid, processes())
    kill(victim, f"SIGKILL {moment * 1000:.0f} ms after the start", folder, below, guard, with_guard)
    return phases


def kill_in(phase, folder):
    """As soon as a scenario is seen in the @phase. Returns whether one was."""
    victim, found = Victim(folder), []
    wait_until(lambda: found.append(find_phase(victim.process.pid, phase)) or found[-1], 10)
    below = found[-1] or descendants(victim.process.pid)
    kill(victim, f"SIGKILL in the phase {phase}", folder, below, guard_of(below), False)
    return found[-1] is not None


def kill(victim, what, folder, below, guard, with_guard):
    victim.process.kill()
    victim.process.wait()
    what += ", the guard's too" if with_guard else ""
    if guard and not with_guard:
        below.pop(guard, None)
    if with_guard:
        clean_up_by_next_run(folder, what)
    check_gone(what, victim.run_id, below)
    gone = wait_until(lambda: not cgroups(victim.run_id) and not (RUNS / victim.run_id).exists(), 0 if with_guard else 5)
    check(gone, f"{what}: after 5 s: {cgroups(victim.run_id)[:3]} {list(RUNS.glob(victim.run_id))}")


def test_interrupt():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        victim = Victim(folder)
        wait_until(lambda: victim.sandboxes() >= 8, 30)
        below = descendants(victim.process.pid)
        victim.process.send_signal(signal.SIGINT)
        output, _ = victim.process.communicate(timeout=60)
        check(victim.process.returncode == 130, f"SIGINT: exit status {victim.process.returncode}\n{output.decode()[-2000:]}")
        tap = pathlib.Path(folder, "tap")
        check(tap.exists() and tap.read_text().startswith("TAP version 13"), "SIGINT: the TAP report is written")
        check_gone("SIGINT", victim.run_id, below)
        check(not cgroups(victim.run_id) and not (RUNS / victim.run_id).exists(), "SIGINT: cgroups or files are left")


def main():
    test_interrupt()
    generator = random.Random(20)
    hit = set()
    # 16 sandboxes on two cores take seconds to boot, one after the other in every phase at any moment.
    for i in range(30):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            hit |= kill_at(generator.uniform(0.0, 2.5), folder, with_guard=i % 5 == 4)
    # On a quiet machine the first phase is over in no time: it is waited for.
    for phase in PHASES:
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            check(phase in hit or kill_in(phase, folder), f"no kill came in the phase {phase}")
    finish()


main()
