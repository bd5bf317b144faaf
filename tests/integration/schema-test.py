#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The JSON Schema that agenttest prints, judged by somebody else's validator.

    schema-test.py path/to/agenttest

- it is a schema (2020-12);
- every file of tests/invalid/*.yaml (40 at least) is rejected by the schema and, with status 3, by `agenttest check`;
- every scenario under scenarios/ that `agenttest check` accepts, the schema accepts, too.

Needs Debian's python3-jsonschema and python3-yaml.
"""
import json
import pathlib
import subprocess
import sys

import jsonschema
import yaml

SOURCE = pathlib.Path(__file__).resolve().parents[2]
N_KEYS_MIN = 60
N_INVALID_MIN = 40


def documents(path):
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def is_accepted(validator, path):
    return all(validator.is_valid(document) for document in documents(path))


def check_status(agenttest, path):
    return subprocess.run([agenttest, "check", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          timeout=60, check=False).returncode


def manual_keys(agenttest):
    """(kind, key) of every row of the manual's tables, which are made from the parser's own."""
    kind, keys = None, set()
    manual = subprocess.run([agenttest, "manual"], stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout
    for line in manual.splitlines():
        if line.startswith("### `"):
            kind = line.split("`")[1]
        elif line.startswith("| `") and kind:
            keys.add((kind, line.split("`")[1]))
    return keys


def schema_keys(schema):
    """(kind, key) of everything a step or an expectation may say by the schema."""
    keys = set()
    for definition in ("step", "expectation-map"):
        for kind, spec in schema["$defs"][definition]["properties"].items():
            for form in spec.get("anyOf", [spec]):
                keys |= {(kind, key) for key in form.get("properties", {})}
    return keys


def main():
    agenttest = pathlib.Path(sys.argv[1]).resolve() / "agenttest"
    schema = json.loads(subprocess.run([agenttest, "schema"], stdout=subprocess.PIPE, timeout=60, check=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    problems = []

    invalid = sorted((SOURCE / "tests/invalid").glob("*.yaml"))
    if len(invalid) < N_INVALID_MIN:
        problems.append(f"only {len(invalid)} invalid files, {N_INVALID_MIN} wanted")
    for path in invalid:
        if is_accepted(validator, path):
            problems.append(f"{path}: accepted by the schema")
        if (status := check_status(agenttest, path)) != 3:
            problems.append(f"{path}: agenttest check ends with {status}, not 3")

    valid = sorted((SOURCE / "scenarios").rglob("*.yaml")) + sorted((SOURCE / "tests/valid").glob("*.yaml"))
    if not valid:
        problems.append("no valid scenario found: nothing shows that the schema accepts anything")
    for path in valid:
        status = check_status(agenttest, path)
        if status != 0:
            problems.append(f"{path}: agenttest check ends with {status}, not 0")
        for error in (error for document in documents(path) for error in validator.iter_errors(document)):
            problems.append(f"{path}: rejected by the schema: {error.json_path}: {error.message[:200]}")

    keys = manual_keys(agenttest)
    if len(keys) < N_KEYS_MIN:
        problems.append(f"only {len(keys)} keys in the manual, {N_KEYS_MIN} wanted")
    for kind, key in sorted(keys - schema_keys(schema)):
        problems.append(f"`{key}` of `{kind}` is in the manual and not in the schema")

    for problem in problems:
        print(problem)
    print(f"{len(invalid)} invalid and {len(valid)} valid files, {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
