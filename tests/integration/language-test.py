#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: language-test.py [BUILD]

Every step and expectation passes and fails on a service of a few lines of shell (tests/language/): scenarios called
pass-* are green, those called fail-* are red at the step or expectation called `bad` and nowhere before, for the reason
below; those called error-* say there that the harness could not do its part.
"""
import pathlib

from harness import Run, check, finish

REASONS = {
    "fail-state": "wrong-value",
    "fail-job": "wrong-value",
    "fail-log-message": "not-observed",
    "fail-log-json": "not-observed",
    "fail-log-count": "wrong-value",
    "fail-log-priority": "not-observed",
    "fail-log-fields": "not-observed",
    "fail-log-manager": "not-observed",
    "fail-log-order": "too-early",
    "fail-log-capture": "not-observed",
    "fail-exit": "wrong-value",
    "fail-exit-signal": "wrong-value",
    "fail-exit-default-action": "not-clean",
    "fail-exit-swallowed": "not-observed",
    "fail-exit-status": "not-clean",
    "fail-restart": "too-early",
    "fail-restart-none": "not-observed",
    "fail-process": "wrong-value",
    "fail-file": "wrong-value",
    "fail-file-json": "wrong-value",
    "fail-file-absent": "wrong-value",
    "fail-sqlite": "wrong-value",
    "fail-sqlite-integrity": "wrong-value",
    "fail-socket": "wrong-value",
    "fail-command": "wrong-value",
    "fail-left-behind": "left-behind",
    "fail-left-behind-process": "left-behind",
    "fail-for": "not-kept",
    "fail-since": "not-observed",
    "fail-always": "forbidden-seen",
    "fail-never": "forbidden-seen",
    "fail-repeat": "wrong-value",
    "fail-run": "command-failed",
    "fail-start": "job-failed",
    "fail-stop": "not-clean",
    "fail-signal": "no-main-process",
    "fail-crash": "no-main-process",
    "fail-restart-step": "job-failed",
    "error-write": "step-broken",
    "error-remove": "step-broken",
    "fail-unexplained-exit": "unexplained-death",
    "fail-unexplained-child": "unexplained-death",
}




def main():
    path = pathlib.Path("tests/language/language.yaml")
    run = Run(path, "--jobs", "6")
    names = [line.split()[1] for line in path.read_text().splitlines() if line.startswith("name: ")]
    plays = {}
    for play in run.plays():
        found = [name for name in names if play.folder.name.endswith(name)]
        plays[max(found, key=len, default=play.folder.name)] = play
    check(run.status == 1, f"exit status {run.status}, not 1\n{run.stdout[-3000:]}{run.stderr[-3000:]}")
    check(sorted(plays) == sorted(names), f"not all were played: {sorted(set(names) ^ set(plays))}\n{run.stderr}")
    check({n for n in names if not n.startswith("pass-")} == set(REASONS), "REASONS and the scenarios differ")

    for name, play in plays.items():
        first = play.first_failing()
        if name.startswith("pass-"):
            check(not first, f"{name}: {first}")
        elif check(first, f"{name} is green"):
            check(first["verdict"] == name.split("-")[0], f"{name}: {first}")
            check(first["reason"] == REASONS[name], f"{name}: {first['reason']}, not {REASONS[name]}: {first}")
            if REASONS[name] != "unexplained-death":
                check(first["id"] == "bad", f"{name}: red at {first['id']}, not at `bad`: {first}")
    finish()


main()
