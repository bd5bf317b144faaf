#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: merge-test.py [BUILD]

Parts of a suite, and what is run again: --shard with merge (100 scenarios over 4 parts are one run), --fail-fast,
--rerun-failed.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import xml.etree.ElementTree

from harness import AGENTTEST, check, finish

PASSING = """about: A service that lives
name: passing
matrix: { number: [%s] }
units: { live.service: { properties: { ExecStart: /bin/sleep 600 } } }
steps:
  - start: live.service
  - expect: { state: { ActiveState: active } }
    within: 10s
"""
FAILING = """about: A service that ends
name: failing
matrix: { number: [%s] }
units: { dead.service: { properties: { Type: oneshot, ExecStart: /bin/false } } }
steps:
  - start: dead.service
"""
SKIPPED = PASSING.replace("name: passing", "name: skipped").replace(
    "matrix:", "requires: { commands: [no-such-command] }\nmatrix:")
ENDLESS = """about: A service that never gets there
units: { live.service: { properties: { ExecStart: /bin/sleep 600 } } }
steps:
  - start: live.service
  - expect: { state: { SubState: never-that } }
    within: 300s
"""


def numbers(n):
    return ", ".join(str(i) for i in range(n))


def run(folder, *arguments, state="state", environment=None):
    finished = subprocess.run(
        [str(AGENTTEST), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="replace", timeout=600, cwd=folder, env={**os.environ, "XDG_STATE_HOME": str(folder / state), **(environment or {})},
    )
    return finished.returncode, finished.stdout, finished.stderr


def verdicts_of(path):
    """What a JUnit file says, without what differs from run to run: times, the machine's ids, the place of evidence."""
    cases = []
    for suite in xml.etree.ElementTree.parse(path).getroot():
        counts = tuple(suite.get(name) for name in ["tests", "failures", "errors", "skipped"])
        for case in suite.findall("testcase"):
            results = [(r.tag, r.get("type"), r.get("message")) for r in case if r.tag in ("failure", "error", "skipped")]
            places = tuple(case.get(name) for name in ["classname", "name", "file", "line", "assertions"])
            versions = {p.get("name"): p.get("value") for p in case.iter("property") if "version" in p.get("name")}
            attached = len([p for p in case.iter("property") if p.get("name") == "attachment"])
            cases.append((suite.get("name"), counts, places, tuple(results), tuple(sorted(versions.items())), attached))
    return cases


def points_of(tap):
    lines = [line for line in tap.splitlines() if line.startswith(("ok ", "not ok "))]
    return sorted(line.split(" - ", 1)[0].rstrip("0123456789 ") + " - " + line.split(" - ", 1)[1] for line in lines)


def parts(folder):
    """100 scenarios over 4 parts, merged, equal one run: verdicts, JUnit, TAP, exit status."""
    suite = folder / "suite"
    suite.mkdir()
    (suite / "a.yaml").write_text(PASSING % numbers(60) + "---\n" + FAILING % numbers(7))
    (suite / "b.yaml").write_text(SKIPPED % numbers(5) + "---\n" + PASSING.replace("passing", "more") % numbers(28))
    whole, _, _ = run(folder, "suite", "--evidence=whole", "--junit=whole.xml", "--tap=whole.tap")
    check(whole == 1, f"the whole: {whole}")
    names = []
    for number in range(1, 5):
        status, _, stderr = run(folder, "suite", f"--shard={number}/4", f"--evidence=part-{number}")
        check(status == 1, f"part {number}: {status}\n{stderr}")
        names.append({p["play"] for p in record(folder / f"part-{number}") if "play" in p})
        check(len(names[-1]) == 25, f"part {number}: {len(names[-1])} scenarios")
    check(len(set.union(*names)) == 100, "the parts are not the whole")
    status, stdout, stderr = run(folder, "merge", *[f"part-{n}" for n in (3, 1, 4, 2)], "--junit=merged.xml",
                                 "--tap=merged.tap")
    check(status == whole and not stderr, f"merged: {status}\n{stderr}")
    check(stdout.splitlines()[-1] == "88 passed, 7 failed, 5 skipped", f"merged: {stdout.splitlines()[-1]}")
    found, expected = verdicts_of(folder / "merged.xml"), verdicts_of(folder / "whole.xml")
    check(len(expected) == 100 and found == expected, f"merged JUnit: {set(found) ^ set(expected)}")
    tap = (folder / "merged.tap").read_text()
    check(points_of(tap) == points_of((folder / "whole.tap").read_text()), "merged TAP")
    check(tap.startswith("TAP version 13\n1..100\n"), tap[:40])
    check("evidence:" in stdout and "part-" in stdout, "the failures name their evidence")


def record(folder):
    return [json.loads(line) for line in (folder / "run.ndjson").read_text().splitlines()]


def what_is_not_known_is_not_green(folder):
    green = ["--filter=passing", "--quiet"]
    for number in (1, 2):
        status, _, stderr = run(folder, "suite", f"--shard={number}/2", f"--evidence=green-{number}", *green)
        check(status == 0, f"green part: {status}\n{stderr}")
    check(run(folder, "merge", "green-1", "green-2")[0] == 0, "both parts are green")
    status, stdout, _ = run(folder, "merge", "green-2", "--junit=missing.xml")
    check(status == 2 and "part 1 of 2 is missing" in stdout, f"a missing part: {status}\n{stdout[-400:]}")
    check("part 1 of 2 is missing" in (folder / "missing.xml").read_text(), "a missing part is not in the JUnit file")

    # A run that died: its last lines were never written, its last play has evidence and no result.
    shutil.copytree(folder / "green-1", folder / "died")
    lines = (folder / "died" / "run.ndjson").read_text().splitlines(keepends=True)
    plays = [i for i, line in enumerate(lines) if line.startswith('{"play"')]
    (folder / "died" / "run.ndjson").write_text("".join(lines[: plays[-2] + 1]) + '{"verdict":"pa')
    status, stdout, _ = run(folder, "merge", "died", "green-2")
    check(status == 2 and "died before its end" in stdout, f"a run that died: {status}\n{stdout[-400:]}")
    check(stdout.count("the run ended before this scenario did") == 1, f"a run that died: {stdout}")

    for what, arguments, message in [
        ("no record", ["suite"], "holds no record of a run"),
        ("no folder", ["no-such"], "no-such: No such file"),
        ("twice", ["green-1", "green-1"], "is named twice"),
    ]:
        status, _, stderr = run(folder, "merge", *arguments)
        check(status == 3 and message in stderr, f"{what}: {status}\n{stderr}")
    (folder / "died" / "run.ndjson").write_text('{"run":99}\n')
    status, _, stderr = run(folder, "merge", "died")
    check(status == 3 and "run.ndjson:1: format 99, of agenttest unknown" in stderr, f"another: {status}\n{stderr}")
    shutil.copytree(folder / "green-1", folder / "copied")
    status, _, stderr = run(folder, "merge", "green-1", "copied", "green-2")
    check(status == 3 and "are the same run: one is a copy" in stderr, f"a copy: {status}\n{stderr}")


def damaged(folder):
    """Evidence that is gone is an error of its scenario, a record that is empty a run that died; the rest is told."""
    shutil.copytree(folder / "green-1", folder / "damaged")
    next((folder / "damaged").glob("0*/timeline.ndjson")).unlink()
    status, stdout, stderr = run(folder, "merge", "damaged", "green-2", "--junit=damaged.xml", "--tap=damaged.tap")
    check(status == 2 and stdout.splitlines()[-1].endswith(" passed, 0 failed, 1 error"), f"{status}\n{stdout[-400:]}")
    check("its evidence is damaged: " in stdout and not stderr, f"damaged: {stdout[-400:]}{stderr}")
    cases = verdicts_of(folder / "damaged.xml")
    check(len(cases) == 60 and sum(bool(case[3]) for case in cases) == 1, f"damaged: {len(cases)} cases")
    tap = (folder / "damaged.tap").read_text()
    check("1..60\n" in tap and tap.count("\nok ") == 59 and tap.count("\nnot ok ") == 1, f"damaged: {tap[-400:]}")
    for number, line in enumerate(["", '{"run":2,"agen']):
        empty = folder / f"empty-{number}"
        empty.mkdir()
        (empty / "run.ndjson").write_text(line)
        status, stdout, _ = run(folder, "merge", empty, "green-2", "--junit=empty.xml", "--tap=empty.tap")
        check(status == 2 and f"{empty.name} died before it began" in stdout, f"no first line: {status}\n{stdout[-400:]}")
        check(len(verdicts_of(folder / "empty.xml")) >= 30, "no first line: the other run is not in the JUnit file")
        check(run(folder, "merge", empty, "--junit=empty.xml", "--tap=empty.tap", "-v")[0] == 2, "no first line, alone")


def other_suites(folder):
    """A part of another suite is no part of this one, although there are as many."""
    quiet = ["--quiet", "--filter=number=1"]
    check(run(folder, "suite/a.yaml", "--shard=2/2", "--evidence=other-2", "--filter=passing[number=1", "--quiet")[0] == 0,
          "a part of another suite")
    status, stdout, _ = run(folder, "merge", "green-1", "other-2")
    check(status == 2 and "other-2 is of another suite (11 scenarios) than part 1" in stdout, f"{status}\n{stdout[-400:]}")
    # The same suite by other names: from another folder, by absolute paths.
    environment = {"GITHUB_WORKSPACE": str(folder)}
    for number, where, suite in [(1, folder, "./suite/b.yaml"), (2, folder / "suite", folder / "suite" / "b.yaml")]:
        status, _, stderr = run(where, suite, f"--shard={number}/2", f"--evidence={folder}/named-{number}", *quiet,
                                environment=environment)
        check(status == 0, f"named part {number}: {status}\n{stderr}")
    status, stdout, _ = run(folder, "merge", "named-1", "named-2")
    check(status == 0, f"parts named otherwise: {status}\n{stdout[-400:]}")


def the_same_twice(folder):
    """Two runs of the same scenario are one played twice; readers drop a name that comes again."""
    for number in (1, 2):
        run(folder, "suite/a.yaml", "--filter=number=3]", f"--evidence=again-{number}")
    status, stdout, _ = run(folder, "merge", "again-1", "again-2", "--junit=again.xml")
    names = [case[2][1] for case in verdicts_of(folder / "again.xml")]
    check(status == 1 and len(names) == 4 and len(set(names)) == 4, f"again: {status} {names}")
    check(sum(name.endswith(" #2") for name in names) == 2, f"again: {names}")


def fail_fast(folder):
    (folder / "fast").mkdir()
    (folder / "fast" / "1.yaml").write_text(FAILING % numbers(1))
    (folder / "fast" / "2.yaml").write_text(PASSING % numbers(4))
    status, stdout, _ = run(folder, "fast", "--fail-fast", "--jobs=1", "--junit=fast.xml", "--tap=fast.tap",
                            "--evidence=fast-evidence", state="fast-state")
    check(status == 1 and stdout.splitlines()[-1] == "0 passed, 1 failed, 4 skipped", f"fail-fast: {status}\n{stdout}")
    results = [case[3] for case in verdicts_of(folder / "fast.xml")]
    why = "not run: --fail-fast, and fast/1.yaml#failing[number=0] did not pass"
    check(results[1:] == [(("skipped", "not-run", why),)] * 4, f"fail-fast: {results}")
    tap = (folder / "fast.tap").read_text()
    check(tap.count(" # SKIP not run: --fail-fast") == 4 and "1..5\n" in tap, f"fail-fast: {tap}")
    check(run(folder, "merge", "fast-evidence")[0] == 1, "fail-fast, merged")
    # What was not run is to be run again.
    (folder / "fast" / "1.yaml").write_text(FAILING.replace("/bin/false", "/bin/true") % numbers(1))
    status, stdout, _ = run(folder, "fast", "--rerun-failed", state="fast-state")
    check(status == 0 and stdout.splitlines()[-1] == "5 passed, 0 failed", f"again: {status}\n{stdout}")


def rerun_failed(folder):
    (folder / "rerun").mkdir()
    one, two = folder / "rerun" / "1.yaml", folder / "rerun" / "2.yaml"
    one.write_text(FAILING % numbers(2))
    two.write_text(PASSING % numbers(2))
    again = ["--rerun-failed"]

    def last_line(*arguments):
        status, stdout, stderr = run(folder, *arguments, state="rerun-state")
        return status, (stdout or stderr).splitlines()[-1]

    nothing = (5, "agenttest: nothing to run again: no scenario that is selected failed when it was last played")
    check(last_line("rerun", *again) == (5, "agenttest: nothing to run again: nothing has been played yet"), "at first")
    check(last_line("rerun") == (1, "2 passed, 2 failed"), "the first run")
    check(last_line("rerun", *again) == (1, "0 passed, 2 failed"), "the two that failed")
    check(last_line(two) == (0, "2 passed, 0 failed"), "another part")
    one.write_text(FAILING.replace("/bin/false", "/bin/true") % numbers(2))
    check(last_line("rerun", "--filter=number=1]", *again) == (0, "1 passed, 0 failed"), "one of them")
    check(last_line(one, *again) == (0, "1 passed, 0 failed"), "the other, by another path")
    check(last_line("rerun", *again) == nothing, "all have passed since")
    (folder / "rerun-state" / "agenttest" / "last-run.ndjson").write_text("nonsense\n")
    status, line = last_line("rerun", *again)
    check(status == 2 and "remove the file" in line, f"a damaged file: {status} {line}")
    status, line = last_line("rerun")
    check(status == 0, f"a damaged file says nothing of this run: {status} {line}")


def interrupted(folder):
    (folder / "endless.yaml").write_text(ENDLESS)
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    process = subprocess.Popen(
        [str(AGENTTEST), "endless.yaml", "rerun/2.yaml", "--jobs=1", "--evidence=cut"], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, cwd=folder, env=environment,
    )
    process.stdout.readline()  # signals are taken from here on
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    check(process.returncode == 130, f"interrupted: {process.returncode}")
    status, stdout, _ = run(folder, "merge", "cut", "--junit=cut.xml", "--tap=cut.tap")
    check(status == 130 and "2 not run" in stdout, f"interrupted, merged: {status}\n{stdout}")
    kinds = [result[0][0] for *_, result, _, _ in verdicts_of(folder / "cut.xml")]
    check(sorted(kinds) == ["error", "error", "skipped", "skipped"], f"interrupted, merged: {kinds}")
    check("Bail out! ended by signal 2" in (folder / "cut.tap").read_text(), "interrupted, merged: TAP")


def usage(folder):
    for shard in ["0/4", "5/4", "1", "1/", "/4", "1/4x", "-1/4", "a/b", "1/99999"]:
        status, _, stderr = run(folder, "suite", f"--shard={shard}")
        check(status == 3 and "--shard takes I/N" in stderr, f"--shard={shard}: {status} {stderr}")

def an_empty_part(folder):
    """More parts than scenarios: the empty one is there, and says nothing."""
    names = [f"few-{number}" for number in (1, 2, 3)]
    for number, name in enumerate(names, 1):
        status, _, stderr = run(folder, "rerun/2.yaml", f"--shard={number}/3", f"--evidence={name}")
        check(status == (5 if number == 3 else 0), f"part {number} of few: {status} {stderr}")
    check("--shard" in stderr, f"an empty part: {stderr}")
    status, stdout, _ = run(folder, "merge", *names)
    check(status == 0 and stdout.splitlines()[-1] == "2 passed, 0 failed", f"an empty part, merged: {status}\n{stdout}")
    check(run(folder, "merge", names[2])[0] == 2, "an empty part alone")
    status, _, stderr = run(folder, "rerun/2.yaml", "--shard=3/3", f"--evidence={names[2]}")
    check(status == 3 and "is not empty" in stderr, f"an empty part over another: {status} {stderr}")


def main():
    with tempfile.TemporaryDirectory(prefix="agenttest-test.", dir="/var/tmp") as name:
        folder = pathlib.Path(name).resolve()
        parts(folder)
        what_is_not_known_is_not_green(folder)
        damaged(folder)
        other_suites(folder)
        the_same_twice(folder)
        fail_fast(folder)
        rerun_failed(folder)
        interrupted(folder)
        usage(folder)
        an_empty_part(folder)
    finish()


main()
