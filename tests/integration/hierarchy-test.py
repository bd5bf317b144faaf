#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: hierarchy-test.py [BUILD]

What differs between cgroup v1 and v2 (tests/hierarchy/): on this machine's hierarchy its own file is green, and the
other one's `truth` is a failure in each scenario: a belief about the wrong hierarchy does not pass. What there is on v2 alone
is green there, and skipped here.
"""
from harness import Run, check, finish


def layout_of(play):
    return next(e["f"]["cgroup"] for e in play.entries if e["kind"] == "versions")


def truth_of(play):
    return next((v for v in play.verdicts if v["id"] == "truth"), None)


def main():
    runs = {layout: Run(f"tests/hierarchy/{layout}.yaml", "--jobs", "4") for layout in ("v1", "v2")}
    layout = layout_of(runs["v1"].plays()[0])
    own, other = ("v2", "v1") if layout == "v2" else ("v1", "v2")
    print(f"cgroup layout: {layout}")

    right = runs[own]
    check(right.status == 0, f"{own}.yaml on {layout}: exit status {right.status}\n{right.stdout}{right.stderr}")
    check(len(right.plays()) == 4, f"{own}.yaml: {len(right.plays())} scenarios, not 4")
    for play in right.plays():
        check((truth_of(play) or {}).get("verdict") == "pass", f"{own}.yaml on {layout}: {truth_of(play)}")

    wrong = runs[other]
    check(wrong.status == 1, f"{other}.yaml on {layout}: exit status {wrong.status}\n{wrong.stdout}{wrong.stderr}")
    check(len(wrong.plays()) == 4, f"{other}.yaml: {len(wrong.plays())} scenarios, not 4")
    for play in wrong.plays():
        first = play.first_failing()
        check(first and first["verdict"] == "fail", f"{other}.yaml on {layout}: {play.folder.name} is not red: {first}")
        # Not reached where the step before it, that v1 counts the kill at all, is wrong on v2 already.
        check(truth_of(play)["verdict"] in ("fail", "skip"), f"{other}.yaml on {layout}: {truth_of(play)}")

    only = Run("tests/hierarchy/v2-only.yaml", "--jobs", "3")
    wanted = 0 if layout == "v2" else 5
    check(only.status == wanted, f"v2-only.yaml on {layout}: exit status {only.status}\n{only.stdout}{only.stderr}")
    finish()


main()
