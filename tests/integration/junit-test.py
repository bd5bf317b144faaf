#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: junit-test.py [BUILD]

What foreign readers make of the JUnit files of real runs: xmllint with a schema of Jenkins (tests/foreign), and the
package junitparser. Hostile bytes of a daemon, an interrupted run, a run without a stage.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from harness import AGENTTEST, ROOT, check, finish

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, whatever python3 comes first
import junitparser  # noqa: E402

SCHEMA = ROOT / "tests" / "foreign" / "jenkins-junit.xsd"
GOOD = """about: A service that lives
units: { live.service: { properties: { ExecStart: /bin/sleep 600 } } }
steps:
  - start: live.service
  - expect: { state: { ActiveState: active } }
    within: 10s
  - stop: live.service
  - expect: { exit: { signal: SIGTERM } }
    within: 10s
"""
# What the daemon writes is forbidden, so it is quoted: escapes, control bytes, no UTF-8, "]]>".
HOSTILE = r"""about: A daemon that writes whatever it likes
units: { live.service: { properties: { ExecStart: "/bin/sh ${scenario_dir}/hostile.sh" } } }
steps:
  - start: live.service
  - expect: { log: { message: "/near the en/" } }
    within: 10s
never:
  - log: { message: "/near \\]\\]>/" }
"""
HOSTILE_SCRIPT = r"""printf 'near ]]> <b> & \033[31mred\033[0m \001 \377 [[ATTACHMENT|/etc/passwd]]\n'
printf '::error::near the en\n'
exec sleep 600
"""
SKIPPED = GOOD.replace("units:", "requires: { commands: [no-such-command] }\nunits:", 1)
ENDLESS = GOOD.replace("ActiveState: active", "SubState: never-that").replace("within: 10s", "within: 300s", 1)
FLAVORS = ["common", "xunit2", "gitlab"]


def run(folder, *arguments, environment=None):
    state = {"XDG_STATE_HOME": str(folder / "state"), "CI_PROJECT_DIR": str(folder)}
    finished = subprocess.run(
        [str(AGENTTEST), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        cwd=folder,
        env={**os.environ, **state, **(environment or {})},
    )
    return finished.returncode, finished.stdout + finished.stderr


def cases_of(path):
    """(classname, name) -> what junitparser says of it: no result is a pass."""
    cases = {}
    for suite in junitparser.JUnitXml.fromfile(str(path)):
        for case in suite:
            key = (case.classname, case.name)
            check(key not in cases, f"{path}: {key} comes twice")
            cases[key] = case
    return cases


def outcome(case):
    return [type(result).__name__.lower() for result in case.result] or ["pass"]


def counts_agree(path):
    root = xml.etree.ElementTree.parse(path).getroot()
    for element in [root, *root.findall("testsuite")]:
        found = {tag: len(element.findall(f".//testcase/{tag}")) for tag in ["failure", "error", "skipped"]}
        said = {tag: int(element.get(name, found[tag])) for tag, name in
                [("failure", "failures"), ("error", "errors"), ("skipped", "skipped")]}
        check(found == said, f"{path}: {element.get('name')}: says {said}, holds {found}")
        check(int(element.get("tests")) == len(element.findall(".//testcase")), f"{path}: tests")
    for case in root.iter("testcase"):
        check(len(case.findall("system-out")) <= 1, f"{path}: more than one system-out")
        check(re.fullmatch(r"\d+\.\d{3}", case.get("time")), f"{path}: time {case.get('time')}")
    for suite in root.findall("testsuite"):
        check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp")), f"{path}: timestamp")
    return root


def validates(path):
    finished = subprocess.run(["xmllint", "--noout", "--schema", str(SCHEMA), str(path)], capture_output=True, text=True)
    return check(finished.returncode == 0, f"{path} is not valid:\n{finished.stderr}")


def outcomes(folder):
    """One file of each flavor for the same scenarios; repeats are numbered."""
    suite = folder / "suite" / "deep"
    suite.mkdir(parents=True)
    for name, text in [("good", GOOD), ("hostile", HOSTILE), ("skipped", SKIPPED)]:
        (suite / f"{name}.yaml").write_text(text)
    (suite / "hostile.sh").write_text(HOSTILE_SCRIPT)
    expected = {("agenttest.suite.deep." + name, f"{name}.yaml #{i}"): [result] for i in [1, 2] for name, result in
                [("good", "pass"), ("hostile", "failure"), ("skipped", "skipped")]}
    for flavor in FLAVORS:
        path = folder / f"{flavor}.xml"
        status, output = run(folder, "suite", "--repeat=2", "--junit", path, f"--junit-flavor={flavor}",
                             "--evidence", folder / f"evidence-{flavor}")
        check(status == 1, f"{flavor}: status {status}\n{output}")
        found = {key: outcome(case) for key, case in cases_of(path).items()}
        check(found == expected, f"{flavor}: {found}")
        counts_agree(path)
    validates(folder / "xunit2.xml")


def common_has_all(folder):
    root = counts_agree(folder / "common.xml")
    case = next(c for c in root.iter("testcase") if c.get("name") == "good.yaml #1")
    check((case.get("file"), case.get("line")) == ("suite/deep/good.yaml", "4"), f"place: {case.attrib}")
    properties = {p.get("name"): p.get("value") for p in case.find("properties")}
    for name in ["systemd_version", "kernel", "agenttest_version", "cgroup", "narrowest_margin_of"]:
        check(properties.get(name), f"no property {name}: {properties}")
    check(properties.get("stage") == "sandbox", f"stage: {properties}")
    check(re.fullmatch("[0-9a-f]{32}", properties.get("invocation_id:live.service", "")), f"invocation: {properties}")
    for name in ["stop_latency_ms", "narrowest_margin_ms"]:
        check(0 < float(properties.get(name, "0")) < 10000, f"{name}: {properties}")


def attachments_are_there(folder):
    for flavor in FLAVORS:
        root = counts_agree(folder / f"{flavor}.xml")
        for case in root.iter("testcase"):
            if "skipped" in case.get("name"):
                continue
            lines = case.findtext("system-out", "").splitlines()
            paths = [m.group(1) for line in lines if (m := re.fullmatch(r"\[\[ATTACHMENT\|(.+)\]\]", line))]
            check(len(paths) == 3, f"{flavor}: attachments of {case.get('name')}: {paths}")
            for path in paths:
                check(not path.startswith("/") and (folder / path).is_file(), f"{flavor}: {path}")


def bytes_are_harmless(folder):
    for flavor in FLAVORS:
        text = (folder / f"{flavor}.xml").read_bytes()
        check(not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text), f"{flavor}: control bytes")
        check(b"]]>" not in text, f"{flavor}: ]]> is not escaped")
        text.decode("utf-8")
    root = counts_agree(folder / "common.xml")
    case = next(c for c in root.iter("testcase") if c.get("name") == "hostile.yaml #1")
    check("]]> <b> &" in case.findtext("failure"), f"what the daemon wrote is not quoted\n{case.findtext('failure')}")
    check("/etc/passwd" not in case.findtext("system-out"), "a daemon attached a file")


def interrupted(folder):
    """SIGINT: what was played and what was not are in the file, which is not green."""
    (folder / "endless.yaml").write_text(ENDLESS)
    (folder / "good.yaml").write_text(GOOD)
    path = folder / "interrupted.xml"
    process = subprocess.Popen(
        [str(AGENTTEST), "endless.yaml", "good.yaml", "--jobs=1", "--junit", str(path), "--junit-flavor=xunit2"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
        env={**os.environ, "XDG_STATE_HOME": str(folder / "state")},
    )
    process.stdout.readline()  # the line that the run begins with: signals are taken from here on
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    check(process.returncode == 130, f"SIGINT: {process.returncode}\n{output}")
    found = {name: outcome(case) for (_, name), case in cases_of(path).items()}
    check(found == {"endless.yaml": ["error"], "good.yaml": ["skipped"], "run": ["error"]}, f"SIGINT: {found}")
    validates(path)
    counts_agree(path)
    left = sorted(p.name for p in folder.iterdir() if p.name.startswith((path.name, ".agenttest")))
    check(left == ["interrupted.xml"], f"the file did not appear whole: {left}")


def no_stage(folder):
    """Where nothing can be staged or kept the file says so for every scenario."""
    for name, arguments, environment, message in [
        ("stage", [], {"AGENTTEST_SYSTEMD": "/no/such/systemd"}, "/no/such/systemd"),
        ("evidence", ["--evidence=/proc/x"], {}, "cannot be made"),
    ]:
        path = folder / f"no-{name}.xml"
        status, output = run(folder, "good.yaml", "--repeat=3", "--junit", path, *arguments, environment=environment)
        check(status == 2, f"no {name}: {status}\n{output}")
        cases = cases_of(path)
        check(len(cases) == 3, f"no {name}: {len(cases)} cases")
        for case in cases.values():
            check(outcome(case) == ["error"] and message in case.result[0].message, f"no {name}: {case.result}")


def nothing_selected(folder):
    path = folder / "nothing.xml"
    status, output = run(folder, "good.yaml", "--filter=nothing", "--junit", path)
    check(status == 5 and len(cases_of(path)) == 0, f"nothing selected: {status}\n{output}")


def main():
    with tempfile.TemporaryDirectory(prefix="agenttest-test.", dir="/var/tmp") as name:
        folder = pathlib.Path(name).resolve()
        outcomes(folder)
        common_has_all(folder)
        attachments_are_there(folder)
        bytes_are_harmless(folder)
        interrupted(folder)
        no_stage(folder)
        nothing_selected(folder)
    finish()


main()
