#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: replay-test.py [BUILD]

Judging is pure: replaying the evidence of the whole suite gives the same verdicts, byte for byte; an edited scenario is
judged on what was recorded, and what was not recorded is inconclusive; a damaged recording is an error.
"""
import re
import shutil
import subprocess
import sys

from harness import AGENTTEST, Run, check, finish


def replay(*arguments):
    return subprocess.run([AGENTTEST, "replay", *map(str, arguments)], capture_output=True, text=True, timeout=300)


def edited(play, old, new):
    """Replays with one text of the recorded scenario exchanged."""
    source = (play.folder / "scenario.yaml").read_text()
    assert old in source, f"{old!r} is not in {play.folder / 'scenario.yaml'}"
    path = play.folder.parent / "edited.yaml"
    path.write_text(source.replace(old, new))
    return replay("--scenario", path, play.folder)


def find(run, name):
    return next(play for play in run.plays() if name in play.folder.name)


def main():
    run = Run("scenarios/")
    check(run.status == 0, f"the suite ended with {run.status}:\n{run.stdout}{run.stderr}")
    plays = run.plays()
    check(len(plays) >= 10, f"only {len(plays)} scenarios left evidence")
    for play in plays:
        before = (play.folder / "verdicts.ndjson").read_bytes()
        again = replay(play.folder)
        check(again.returncode == 0, f"replay of {play.folder.name}: {again.returncode}\n{again.stdout}{again.stderr}")
        check((play.folder / "verdicts.ndjson").read_bytes() == before, f"replay wrote into {play.folder.name}")

    # How often a budget for lateness counted belongs to the recording: judged again it counts as often.
    scaled = Run("scenarios/crash.yaml", "--filter", "#exit-1", "--lateness-scale", "3")
    again = replay(scaled.play().folder)
    check(again.returncode == 0, f"replay of a scaled budget: {again.returncode}\n{again.stdout}{again.stderr}")
    check("count 3 times" in scaled.stdout, f"the scale is not in the report:\n{scaled.stdout}")
    sentence = next(v["sentence"] for v in scaled.play().verdicts if v["id"] == "restarted")
    check("late-by-at-most counts 3 times here" in sentence, f"the scale is not in the verdict: {sentence}")

    failing = Run("scenarios/signal.yaml", "--filter", "#idle", "--define", "fault=SG-02")
    again = replay(failing.play().folder)
    check(again.returncode == 1, f"replay of a failure ends with {again.returncode}, not 1\n{again.stdout}{again.stderr}")

    idle = find(run, "idle")
    stricter = edited(idle, "clean-exit, code: 0", "clean-exit, code: 7")
    check(stricter.returncode == 1, f"stricter: {stricter.returncode}, not 1\n{stricter.stdout}{stricter.stderr}")
    other = edited(idle, "/var/lib/agent/agent.db,", "/var/lib/agent/other.db,")
    check(other.returncode == 4, f"not recorded: {other.returncode}, not 4\n{other.stdout}{other.stderr}")
    forbidden = edited(idle, "never:\n  - log: { priority: <= err }", "never:\n  - log: { json: { event: stopped } }")
    check(forbidden.returncode == 1, f"forbidden: {forbidden.returncode}, not 1\n{forbidden.stdout}{forbidden.stderr}")
    # The step was over when its line had come, long before its window: whether another one came later is not recorded.
    line = edited(idle, "reason: stop, tasks: 20", "reason: stop, tasks: 21")
    check(line.returncode == 4, f"another line: {line.returncode}, not 4\n{line.stdout}{line.stderr}")

    # Lines of the journal that came after the performer had judged are not looked at: here all of them.
    timeline = idle.folder / "timeline.ndjson"
    recorded = timeline.read_text()
    fewer, n_barriers = re.subn(r'"lines":"\d+"', '"lines":"0"', recorded)
    check(n_barriers == 1, f"{n_barriers} barriers of {idle.folder.name} say how many lines there were, not 1")
    timeline.write_text(fewer)
    unseen = replay(idle.folder)
    check("verdicts DIFFER" in unseen.stdout, f"lines behind the last barrier were judged:\n{unseen.stdout}{unseen.stderr}")
    timeline.write_text(recorded)

    # A performer that was killed has judged nothing: that is no difference between two judgements.
    killed = Run("tests/integration/killed.yaml")
    again = replay(killed.play().folder)
    check((killed.status, again.returncode) == (2, 2), f"a killed performer: {killed.status}, {again.returncode}\n{again.stdout}")
    check("recording is cut" in again.stdout and "DIFFER" not in again.stdout, f"a killed performer:\n{again.stdout}")

    # Lines that were judged and are not there any more: "never" may not be judged by what is left.
    shutil.move(idle.folder / "journal", idle.folder.parent / "away")
    gone = replay(idle.folder)
    check(gone.returncode == 2 and "holds 0 of the" in gone.stderr, f"no journal: {gone.returncode}\n{gone.stderr}")
    shutil.move(idle.folder.parent / "away", idle.folder / "journal")

    timeline.write_text(timeline.read_text()[:-20])
    cut = replay(idle.folder)
    check(cut.returncode == 2, f"a cut timeline: {cut.returncode}, not 2\n{cut.stdout}{cut.stderr}")
    check("timeline.ndjson" in cut.stderr, f"a cut timeline is not named: {cut.stderr}")
    finish()


sys.exit(main())
