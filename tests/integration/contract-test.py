#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: contract-test.py [BUILD]

Each channel of docs/evidence.md on the real sandbox (tests/contract/): scenarios called *-whole are green; those called
*-broken break the channel, and what rests on it, the expectation called `broken`, is inconclusive for the reason below.
Nothing may be a failure of the daemon or of the harness, or a pass.
"""
import pathlib

from harness import Run, check, finish

REASONS = {
    "bus-broken": "channel-lost",
    "bus-asked-broken": "unreadable",
    "exit-facts-broken": "no-exit-stamp",
    "journal-rate-limit-broken": "channel-lost",
    "journal-hidden-broken": "channel-lost",
    "journal-silent-limit-broken": "channel-lost",
    "journal-killed-broken": "channel-lost",
    "journal-count-broken": "channel-lost",
    "file-large-broken": "unreadable",
    "file-circle-broken": "unreadable",
    "sqlite-broken": "unreadable",
    "process-broken": "unreadable",
    "socket-broken": "unreadable",
    "cgroup-gone-broken": "unreadable",
    "cgroup-restart-broken": "unreadable",
    "limit-broken": "limit-not-in-force",
    "hog-broken": "load-too-low",
    "hog-unlimited-broken": "limit-not-in-force",
    "hog-nobody-broken": "load-too-low",
    "hog-greeting-broken": "load-too-low",
    "hog-kept-none-broken": "load-too-low",
}

# Without accounting deaths of children are not judged, which is no doubt about anything else: the report says so.
NOT_JUDGED = {"acct-broken": "deaths of children were not observed: process accounting is lost"}


def names_of(paths):
    return [line.split()[1] for path in paths for line in path.read_text().splitlines() if line.startswith("name: ")]


def check_broken(name, play):
    verdicts = {v["id"]: v for v in play.verdicts}
    broken = verdicts.get("broken")
    if check(broken, f"{name}: nothing was said of `broken`: {play.verdicts}"):
        check(broken["verdict"] == "inconclusive", f"{name}: {broken}")
        check(broken["reason"] == REASONS[name], f"{name}: {broken['reason']}, not {REASONS[name]}: {broken}")
    others = [v for v in play.failing() if v["verdict"] != "inconclusive"]
    check(not others, f"{name}: {others}")


def main():
    paths = sorted(pathlib.Path("tests/contract").glob("*.yaml"))
    names = names_of(paths)
    run = Run(*paths, "--jobs", "4")
    plays = {}
    for play in run.plays():
        found = [name for name in names if play.folder.name.endswith("-" + name)]
        plays[max(found, key=len, default=play.folder.name)] = play
    check(run.status == 4, f"exit status {run.status}, not 4\n{run.stdout[-3000:]}{run.stderr[-3000:]}")
    check(sorted(plays) == sorted(names), f"not all were played: {sorted(set(names) ^ set(plays))}\n{run.stderr}")
    check({n for n in names if n.endswith("-broken")} == {*REASONS, *NOT_JUDGED}, "the tables and *-broken differ")

    for name, play in plays.items():
        if name in REASONS:
            check_broken(name, play)
        else:
            check(play.verdicts and not play.failing(), f"{name}: {play.failing()}")
        if name in NOT_JUDGED:
            sentences = [v["sentence"] for v in play.verdicts if v["id"] == "deaths"]
            check(len(sentences) == 1 and NOT_JUDGED[name] in sentences[0], f"{name}: {sentences}")
    finish()


main()
