#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: quota-test.py [BUILD]

The limit scenarios can turn red, and do not where they may not:
- all that are shipped are in both tables;
- without its limit each is inconclusive, because that is not in force, and nothing behind it is asked of the daemon;
- with a daemon that breaks under the limit each fails;
- what can never fail is refused before anything runs;
- a scenario that needs the machine to itself gets it.
On cgroup v2 (in the virtual machine) only the scenarios that need it.
"""
import json
import pathlib
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor

from harness import ROOT, Run, check, finish

QUOTA = ROOT / "scenarios/quota"

# cgroup v1 has nothing of what these are about.
V2_ONLY = {"hog-over-high", "child-over-limit-stop"}

# file, scenario, the limit as written, without it
LIMITS = [
    ("memory.yaml", "agent-over-limit", "MemoryMax: 48M, MemorySwapMax: 0, RestartSec", "MemorySwapMax: 0, RestartSec"),
    ("memory.yaml", "hog-over-limit", "properties: { MemoryMax: 48M, ", "properties: { "),
    ("memory.yaml", "child-over-limit", "properties: { MemoryMax: 48M, ", "properties: { "),
    ("memory.yaml", "hog-over-high", "properties: { MemoryHigh: 48M, ", "properties: { "),
    ("memory.yaml", "child-over-limit-stop", "MemoryMax: 48M, MemorySwapMax: 0, OOMPolicy: stop", "OOMPolicy: stop"),
    ("tasks.yaml", "tasks", "properties: { TasksMax: 10 }", "properties: { TasksMax: infinity }"),
    ("cpu.yaml", "cpu", "properties: { CPUQuota: 50% }\n", ""),
    ("fds.yaml", "fds", "properties: { LimitNOFILE: 32 }", "properties: { LimitNOFILE: 1024 }"),
    ("redis.yaml", "memory", "properties: { MemoryMax: 64M, ", "properties: { "),
    ("redis.yaml", "cpu", "properties: { CPUQuota: 50% }\n", ""),
    ("redis.yaml", "tasks", "properties: { TasksMax: 10 }", "properties: { TasksMax: infinity }"),
    ("redis.yaml", "fds", "properties: { LimitNOFILE: 64 }", "properties: { LimitNOFILE: 1024 }"),
]

# What breaks under a limit: the agent with a bug of its own switched on, another agent, another server in redis' place.
FAULT, AGENT, SERVER = "the agent with", "broken-agent.py", "broken-redis.py"

# file, scenario, what of its daemon, the verdict it must get
BROKEN = [
    ("memory.yaml", "agent-over-limit", f"{FAULT} QT-01", "nobody-killed-so-far", "wrong-value"),
    ("memory.yaml", "hog-over-limit", AGENT, "works-on", "wrong-value"),
    ("memory.yaml", "child-over-limit", f"{FAULT} QT-03", "says-so", "not-observed"),
    ("memory.yaml", "hog-over-high", AGENT, "works-on", "wrong-value"),
    ("memory.yaml", "child-over-limit-stop", f"{FAULT} CK-09", "acknowledged-is-there", "wrong-value"),
    ("tasks.yaml", "tasks", AGENT, "says-so", "not-observed"),
    ("cpu.yaml", "cpu", AGENT, "works-on", "wrong-value"),
    ("fds.yaml", "fds", AGENT, "says-so", "not-observed"),
    ("redis.yaml", "memory", SERVER, "serves", "wrong-value"),
    ("redis.yaml", "cpu", SERVER, "same-process", "wrong-value"),
    ("redis.yaml", "tasks", SERVER, "steps[5]", "command-failed"),
    ("redis.yaml", "fds", SERVER, "refused", "wrong-value"),
]

EXCLUSIVE = """name: {name}
about: One of several
{exclusive}
units: {{ x.service: {{ properties: {{ ExecStart: sleep infinity }} }} }}
steps:
  - start: x.service
  - run: sleep 0.3
"""


def names_in(path):
    """A file of one scenario that has no name is called after the file."""
    return re.findall(r"^name: (.*)$", path.read_text(), re.MULTILINE) or [path.stem]


def check_tables():
    shipped = sorted((path.name, name) for path in QUOTA.glob("*.yaml") for name in names_in(path))
    for what, table in (("without their limit", LIMITS), ("with a daemon that breaks", BROKEN)):
        check(sorted(row[:2] for row in table) == shipped, f"scenarios shown red {what}: {sorted(row[:2] for row in table)}\n{shipped}")


def edited(folder, name, *replacements):
    """A copy of a shipped scenario file with something else in it; the paths in it are made absolute."""
    text = (QUOTA / name).read_text().replace("../../fixtures", str(ROOT / "fixtures"))
    for old, new in replacements:
        check(old in text, f"{name} has no {old!r} any more")
        text = text.replace(old, new)
    path = pathlib.Path(tempfile.mkdtemp(dir=folder)) / name
    path.write_text(text)
    return path


def selection(path, scenario):
    return ["--filter", f"#{scenario}"] if len(names_in(path)) > 1 else []


def check_without_limit(folder, name, scenario, old, new):
    run = Run(edited(folder, name, (old, new)), *selection(QUOTA / name, scenario))
    what = f"{name}#{scenario} without its limit"
    check(run.status == 4, f"{what}: exit status {run.status}, not 4\n{run.stdout}{run.stderr}")
    failing = run.play().failing()
    check(failing and failing[0]["id"] == "in-force" and failing[0]["reason"] == "limit-not-in-force",
          f"{what}: {failing}")
    check(all(v["verdict"] == "inconclusive" for v in failing), f"{what}: {failing}")


def replacements_for(breaker):
    if breaker == AGENT:
        return [("${build}/agentd", str(ROOT / "tests/quota" / AGENT))]
    if breaker == SERVER:
        # The unit executes nothing but redis-server, and this one has an interpreter.
        return [("directories:\n", f"files: {{ /usr/bin/redis-server: {ROOT}/tests/quota/{SERVER} }}\ndirectories:\n"),
                ("properties: { ", "properties: { ExecPaths: /usr/bin, ")]
    return []


def check_broken(folder, name, scenario, breaker, expectation, reason):
    fault = ["--define", f"fault={breaker.removeprefix(FAULT).strip()}"] if breaker.startswith(FAULT) else []
    run = Run(edited(folder, name, *replacements_for(breaker)), *selection(QUOTA / name, scenario), *fault)
    what = f"{name}#{scenario} with {breaker}"
    check(run.status == 1, f"{what}: exit status {run.status}, not 1\n{run.stdout}{run.stderr}")
    first = run.play().first_failing() or {}
    check((first.get("id"), first.get("reason")) == (expectation, reason), f"{what}: {first}")


def check_red(folder):
    is_v2 = pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()
    # Only what cannot be shown on the other hierarchy: that machine is a slow one.
    here = [(check_one, row) for check_one, table in ((check_without_limit, LIMITS), (check_broken, BROKEN)) for row in table
            if (row[1] in V2_ONLY) == is_v2]
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(check_one, folder, *row) for check_one, row in here]:
            done.result()
    return is_v2


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
    check_refused_one(path, "always:\n  - cgroup: { memory.peak: < 65M }\n", "can never fail here")
    check_refused_one(path, "always:\n  - cgroup: { memory.peak: 0..64M }\n", "can never fail here")
    check_refused_one(path, "always:\n  - cgroup: { memory.peak: { not: '> 64M' } }\n", "can never fail here")
    check_refused_one(path, "never:\n  - limit: { MemoryMax: 64M }\n", "`limit` is not for `never`")
    check_refused_one(path, "  - expect: { cgroup: { cpu.load: <= 55% } }\n    within: 1s\n", "`within` has to be longer")


def check_refused_one(path, lines, sentence):
    path.write_text("""about: x
units: { x.service: { properties: { ExecStart: sleep infinity } } }
properties: { MemoryMax: 64M, CPUQuota: 50% }
steps:
  - start: x.service
""" + lines)
    run = Run("check", path, evidence=False)
    said = run.stdout + run.stderr
    check(run.status == 3 and said.count(sentence) == 1, f"{lines}: exit status {run.status}\n{said}")


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
    check_tables()
    with tempfile.TemporaryDirectory(prefix="agenttest-test.", dir="/var/tmp") as folder:
        if not check_red(folder):
            check_refused(folder)
            check_exclusive(folder)
            check_card()
    finish()


main()
