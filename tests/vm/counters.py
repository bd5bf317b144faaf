#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: ./dev vm tests/vm/counters.py

Measures what the counters of docs/evidence.md give on cgroup v2: live, on a descriptor held beyond the end of the cgroup,
in the parent slice, and by inotify. Prints each figure, and fails where the page would say something else.
"""
import ctypes
import os
import pathlib
import select
import subprocess
import sys
import time

ROOT = pathlib.Path("/sys/fs/cgroup")
SLICE = ROOT / "probe.slice"
IN_MODIFY = 2  # Source: inotify(7); cgroup v2 modifies *.events, Documentation/admin-guide/cgroup-v2.rst
# Long enough for an emulated machine; nothing is decided by it but that something did not come.
LIMIT_SECONDS = 60

libc = ctypes.CDLL(None, use_errno=True)
n_passed = n_failed = 0


def check(condition, what):
    global n_passed, n_failed
    if condition:
        n_passed += 1
    else:
        n_failed += 1
    print(f"{'ok' if condition else 'FAILED'}: {what}", flush=True)


def call(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.strip()


def show(unit, name):
    return call("systemctl", "show", "-P", name, unit)


def read(path):
    return path.read_text()


def member(text, name):
    return next((int(line.split()[1]) for line in text.splitlines() if line.split()[0] == name), None)


class Watch:
    """One file that has inotify events; its text as it is when one comes, or not."""

    def __init__(self, path):
        self.path = path
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if libc.inotify_add_watch(self.fd, bytes(path), IN_MODIFY) < 0:
            raise OSError(ctypes.get_errno(), f"inotify on {path}")

    def wait(self, is_meant, seconds=LIMIT_SECONDS):
        deadline = time.monotonic() + seconds
        while True:
            try:
                text = read(self.path)
                if is_meant(text):
                    return text
            except OSError:
                return None
            if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
                return None
            os.read(self.fd, 4096)


class Unit:
    """A transient service in probe.slice. It begins when told to, so that watches are there before."""

    def __init__(self, name, script, *properties):
        self.name = name
        self.go = pathlib.Path(f"/run/{name}.go")
        os.mkfifo(self.go)
        call("systemd-run", "-q", "--unit", name, "--slice", SLICE.name, "-pType=exec",
             "-pCPUAccounting=yes", "-pMemoryAccounting=yes", "-pTasksAccounting=yes",
             *(f"-p{text}" for text in properties), "/bin/bash", "-c", f"read go <{self.go}; {script}")
        self.path = pathlib.Path(str(ROOT) + show(name, "ControlGroup"))
        self.populated = Watch(self.path / "cgroup.events")

    def begin(self):
        self.go.write_text("\n")

    def wait_gone(self):
        """The event is cgroup.events; that its folder goes then is the manager's doing, seen by its change of state."""
        self.populated.wait(lambda text: "populated 0" in text)
        deadline = time.monotonic() + LIMIT_SECONDS
        while self.path.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self.path.exists()


def errno_of(file):
    try:
        file.seek(0)
        file.read()
        return 0
    except OSError as error:
        return error.errno


def eat(mib):
    return f"python3 -c 'x = bytearray({mib} << 20)'"


def memory_peak():
    unit = Unit("peak", eat(40))
    held = open(unit.path / "memory.peak")
    before = int(read(SLICE / "memory.peak"))
    unit.begin()
    check(unit.wait_gone(), "memory.peak: the unit's cgroup is gone after its end")
    check(errno_of(held) == 19, "memory.peak: a held descriptor gives ENODEV then")
    after = int(read(SLICE / "memory.peak"))
    check(after >= before and after >= 40 << 20, f"memory.peak: survives in the slice: {before}, then {after}")


def memory_kills():
    unit = Unit("kills", eat(80), "MemoryMax=32M", "MemorySwapMax=0")
    above = Watch(SLICE / "memory.events")
    held = open(unit.path / "memory.events")
    unit.begin()
    text = above.wait(lambda text: member(text, "oom_kill") == 1)
    check(text is not None, f"memory.events: inotify of the slice tells the kill: {text!r}")
    unit.wait_gone()
    check(errno_of(held) == 19, "memory.events: a held descriptor gives ENODEV once the cgroup is gone")
    check(member(read(SLICE / "memory.events"), "oom_kill") == 1, "memory.events: the kill survives in the slice")
    check(member(read(SLICE / "memory.events.local"), "oom_kill") == 0, "memory.events.local: and is not local there")
    check(show("kills", "Result") == "oom-kill", f"Result is {show('kills', 'Result')}")


def restart():
    second = pathlib.Path("/run/second.go")
    os.mkfifo(second)
    # Without the first FIFO the restarted process goes on to the second one.
    unit = Unit("again", f"if rm /run/again.go; then {eat(40)}; exit 1; fi; read go <{second}; sleep 1000",
                "Restart=on-failure", "RestartSec=200ms")
    unit.begin()
    second.write_text("\n")  # waits for the one that reads: the restarted process
    peak = int(read(unit.path / "memory.peak"))
    check(show("again", "NRestarts") == "1", f"restarted {show('again', 'NRestarts')} times")
    check(peak < 40 << 20, f"memory.peak: an automatic restart begins anew: {peak}")
    call("systemctl", "stop", "again")


def memory_high():
    unit = Unit("high", eat(48) + "; read go <$0", "MemoryHigh=24M")
    watch = Watch(unit.path / "memory.events")
    unit.begin()
    text = watch.wait(lambda text: (member(text, "high") or 0) > 0)
    check(text is not None, f"memory.events: inotify tells that MemoryHigh was met: {text!r}")
    call("systemctl", "stop", "high")
    check(member(read(SLICE / "memory.events"), "high") > 0, "memory.events: high survives in the slice")


def pids():
    unit = Unit("tasks", "for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; wait", "TasksMax=4")
    watch, above = Watch(unit.path / "pids.events"), Watch(SLICE / "pids.events")
    unit.begin()
    text = watch.wait(lambda text: (member(text, "max") or 0) > 0)
    check(text is not None, f"pids.events: inotify tells the denial: {text!r}")
    check(int(read(unit.path / "pids.peak")) == 4, "pids.peak: is there, and says 4")
    check(above.wait(lambda text: member(text, "max") > 0, 1) is None, "pids.events: the slice counts no denial of a unit")
    call("systemctl", "stop", "tasks")
    check(int(read(SLICE / "pids.peak")) >= 4, "pids.peak: survives in the slice")
    check(member(read(SLICE / "pids.events"), "max") == 0, "pids.events: the denial does not")


def cpu():
    before = member(read(SLICE / "cpu.stat"), "usage_usec")
    unit = Unit("cpu", "while :; do :; done", "CPUQuota=20%")
    unit.begin()
    time.sleep(3)  # nothing tells: cpu.stat has no event
    own = read(unit.path / "cpu.stat")
    check(member(own, "nr_throttled") >= 5, f"cpu.stat: throttled {member(own, 'nr_throttled')} times")
    check(int(show("cpu", "CPUUsageNSec")) > 0, "CPUUsageNSec is set while the unit lives")
    call("systemctl", "stop", "cpu")
    above = read(SLICE / "cpu.stat")
    check(member(above, "nr_throttled") == 0, "cpu.stat: the slice does not count the unit's throttling")
    grown = member(above, "usage_usec") - before
    check(grown >= member(own, "usage_usec"), f"cpu.stat: usage survives in the slice: {grown} us, the unit's {member(own, 'usage_usec')}")


def main():
    print(os.uname().release, call("systemctl", "--version").splitlines()[0])
    keeper = Unit("keeper", "exit 0")  # keeps the slice's cgroup
    for measure in [memory_peak, memory_kills, restart, memory_high, pids, cpu]:
        measure()
    path = keeper.path
    watch = Watch(path / "cgroup.events")
    keeper.begin()
    check(watch.wait(lambda text: "populated 0" in text) is not None or not path.exists(), "cgroup.events: inotify tells")
    print(f"{n_passed} passed, {n_failed} failed")
    sys.exit(1 if n_failed else 0)


main()
