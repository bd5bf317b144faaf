#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: fault-test.py [BUILD]

Each fault of the reference agent is caught by a shipped scenario, by the expectation and for the reason that belong to it.

A green run with a fault switched on is the worst bug there can be, and a red one for another reason has caught nothing:
so the first verdict that is not green has to be the one of the table. The same file without the fault is green, and
rows that are exchanged among each other do not fit: the table says something.
"""
import subprocess
from concurrent.futures import ThreadPoolExecutor

from harness import BUILD, Run, check, finish

# fault, scenario file, scenario, expectation, reason
TABLE = [
    ("SG-01", "scenarios/signal.yaml", "idle", "clean-exit", "not-observed"),
    ("SG-02", "scenarios/signal.yaml", "idle", "clean-exit", "not-clean"),
    ("SG-08", "scenarios/signal.yaml", "idle", "clean-exit", "not-clean"),
    ("ST-01", "scenarios/startup.yaml", "ready-means-accepting", "accepts-when-ready", "wrong-value"),
    ("ST-02", "scenarios/startup.yaml", "ready-means-accepting", "ready-in-time", "wrong-value"),
    ("CK-07", "scenarios/crash.yaml", "killed", "all-finished", "wrong-value"),
    ("CK-09", "scenarios/signal.yaml", "busy", "acknowledged-is-there", "wrong-value"),
    ("CR-01", "scenarios/crash.yaml", "exit-1", "exit-status", "wrong-value"),
    ("QT-01", "scenarios/quota/memory.yaml", "agent-over-limit", "nobody-killed-so-far", "wrong-value"),
    ("QT-03", "scenarios/quota/memory.yaml", "child-over-limit", "says-so", "not-observed"),
    ("QT-05", "scenarios/quota/tasks.yaml", "", "accepts-tasks", "command-failed"),
    ("QT-06", "scenarios/quota/tasks.yaml", "", "says-so", "not-observed"),
]


def play(fault, path, name):
    arguments = [path, *(["--filter", f"#{name}"] if name else []), "--define", f"fault={fault}"]
    if name == "killed":
        arguments += ["--define", "signal=SIGKILL"]
    return Run(*arguments)


def seen(run):
    """What a run with a fault showed: (expectation, reason) of its first verdict that is not green."""
    first = run.play().first_failing()
    return (first["id"], first["reason"]) if first else None


def main():
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda row: play(*row[:3]), TABLE))
        files = sorted({row[1] for row in TABLE})
        green = list(pool.map(lambda path: Run(path), files))

    for row, run in zip(TABLE, runs):
        fault, path, name, expectation, reason = row
        what = f"{fault} in {path}#{name}"
        check(run.status == 1, f"{what}: exit status {run.status}, not 1\n{run.stdout}{run.stderr}")
        check(seen(run) == (expectation, reason), f"{what}: saw {seen(run)}, not {(expectation, reason)}")
    for path, run in zip(files, green):
        check(run.status == 0, f"{path} without a fault: exit status {run.status}\n{run.stdout}{run.stderr}")

    # Turned by one row, most rows must not fit any more; a table that fits however it is turned would say nothing.
    for turn in range(1, len(TABLE)):
        turned = [(TABLE[(i + turn) % len(TABLE)][2:], run, TABLE[i]) for i, run in enumerate(runs)]
        fits = [row for other, run, row in turned if (row[2],) + (seen(run) or ()) == other and other != row[2:]]
        misfits = [row for other, run, row in turned if (row[2],) + (seen(run) or ()) != other]
        check(not fits and misfits, f"the table turned by {turn} still fits: {fits}")

    listed = subprocess.run([BUILD / "agentd", "--list-faults"], capture_output=True, text=True, check=True).stdout
    known = {line.split()[0] for line in listed.splitlines() if line.strip()}
    check(known == {row[0] for row in TABLE}, f"agentd knows {sorted(known)}, the table {sorted(r[0] for r in TABLE)}")
    finish()


main()
