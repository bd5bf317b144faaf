#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: quota-test.py [BUILD]

The limit scenarios can turn red, and do not where they may not:
- without its limit each is inconclusive, because that is not in force, and nothing behind it is asked of the daemon;
- a daemon that breaks under the limit fails (the agent's own bugs are in fault-test.py; these are of another one);
- what can never fail is refused before anything runs;
- a scenario that needs the machine to itself gets it.
"""
import json
import pathlib
import tempfile

from harness import ROOT, Run, check, finish

QUOTA = ROOT / "scenarios/quota"

# file, scenario, the limit as written, without it
LIMITS = [
    ("memory.yaml", "hog-over-limit", "properties: { MemoryMax: 48M, ", "properties: { "),
    ("memory.yaml", "child-over-limit", "properties: { MemoryMax: 48M, ", "properties: { "),
    ("tasks.yaml", "", "properties: { TasksMax: 10 }", "properties: { TasksMax: infinity }"),
    ("cpu.yaml", "", "properties: { CPUQuota: 50% }\n", ""),
    ("fds.yaml", "", "properties: { LimitNOFILE: 32 }", "properties: { LimitNOFILE: 1024 }"),
]

# file, what of its daemon, and the verdict it must get
BROKEN = [
    ("cpu.yaml", "works-on", "wrong-value"),
    ("fds.yaml", "says-so", "not-observed"),
    ("tasks.yaml", "says-so", "not-observed"),
]

EXCLUSIVE = """name: {name}
about: One of several
{exclusive}
units: {{ x.service: {{ properties: {{ ExecStart: sleep infinity }} }} }}
steps:
  - start: x.service
  - run: sleep 0.3
"""


def edited(folder, name, *replacements):
    """A copy of a shipped scenario file with something else in it; the paths in it are made absolute."""
    text = (QUOTA / name).read_text().replace("../../fixtures", str(ROOT / "fixtures"))
    for old, new in replacements:
        check(old in text, f"{name} has no {old!r} any more")
        text = text.replace(old, new)
    path = pathlib.Path(folder) / name
    path.write_text(text)
    return path


def check_without_limit(folder, name, scenario, old, new):
    run = Run(edited(folder, name, (old, new)), *(["--filter", f"#{scenario}"] if scenario else []))
    what = f"{name}#{scenario} without its limit"
    check(run.status == 4, f"{what}: exit status {run.status}, not 4\n{run.stdout}{run.stderr}")
    failing = run.play().failing()
    check(failing and failing[0]["id"] == "in-force" and failing[0]["reason"] == "limit-not-in-force",
          f"{what}: {failing}")
    check(all(v["verdict"] == "inconclusive" for v in failing), f"{what}: {failing}")


def check_broken(folder, name, expectation, reason):
    run = Run(edited(folder, name, ("${build}/agentd", str(ROOT / "tests/quota/broken-agent.py"))))
    what = f"{name} with an agent that breaks"
    check(run.status == 1, f"{what}: exit status {run.status}, not 1\n{run.stdout}{run.stderr}")
    first = run.play().first_failing() or {}
    check((first.get("id"), first.get("reason")) == (expectation, reason), f"{what}: {first}")


def check_refused(folder):
    path = pathlib.Path(folder) / "vacuous.yaml"
    path.write_text("""about: x
units: { x.service: { properties: { ExecStart: sleep infinity } } }
properties: { MemoryMax: 64M, TasksMax: 10 }
steps:
  - start: x.service
  - expect: { cgroup: { memory.peak: "<= 64M", pids.peak: "<= 11", pids.current: "<= 9", memory.current: "<= 63M" } }
""")
    run = Run("check", path, evidence=False)
    said = run.stdout + run.stderr
    check(run.status == 3, f"a peak at most its own limit: exit status {run.status}\n{said}")
    check(said.count("can never fail here") == 2 and "memory.peak" in said and "pids.peak" in said, said)


def span(play):
    stamps = [entry["seen"] for entry in play.entries]
    return min(stamps), max(stamps)


def check_exclusive(folder):
    path = pathlib.Path(folder) / "exclusive.yaml"
    kinds = {"a": "", "b": "exclusive: true", "c": "", "d": "", "e": "exclusive: yes", "f": ""}
    path.write_text("---\n".join(EXCLUSIVE.format(name=n, exclusive=x) for n, x in kinds.items()))
    run = Run(path, "--jobs", "4")  # as many as the machine's limits leave; that others are side by side: test-schedule
    check(run.status == 0, f"exclusive: exit status {run.status}\n{run.stdout}{run.stderr}")
    spans = {play.folder.name[-1]: span(play) for play in run.plays()}
    check(len(spans) == len(kinds), f"exclusive: {spans}")
    for name in ("b", "e"):
        beside = [other for other, (begin, end) in spans.items()
                  if other != name and begin < spans[name][1] and end > spans[name][0]]
        check(not beside, f"{beside} were played beside {name}: {spans}")


def check_card():
    run = Run(QUOTA / "tasks.yaml", "--define", "fault=QT-06")
    card = json.loads((run.play().folder / "card.json").read_text())["agent.service"]
    check(card["tasks-max"] == "10" and card["tasks-peak"] == "10" and card["tasks-headroom"] == "0%", f"card: {card}")
    check(int(card["tasks-denied"].removeprefix(">= ")) > 0, f"card: {card}")
    check("limits:   agent.service: " in run.stdout and "tasks-max 10" in run.stdout, run.stdout)
    check(any(entry["kind"] == "lateness" for entry in run.play().entries), "nothing tells how late the harness was")


def main():
    with tempfile.TemporaryDirectory(prefix="agenttest-test.", dir="/var/tmp") as folder:
        for row in LIMITS:
            check_without_limit(folder, *row)
        for row in BROKEN:
            check_broken(folder, *row)
        check_refused(folder)
        check_exclusive(folder)
    check_card()
    finish()


main()
