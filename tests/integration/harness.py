# SPDX-License-Identifier: MIT
"""What the integration tests share: running agenttest, reading its evidence, counting checks."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build").resolve()
AGENTTEST = BUILD / "agenttest"

_failed = 0
_passed = 0


def check(condition, what):
    """Counts one check; a failed one is shown and makes finish() fail."""
    global _failed, _passed
    if condition:
        _passed += 1
    else:
        _failed += 1
        print(f"FAILED: {what}", flush=True)
    return bool(condition)


def finish():
    """Ends the test with the line that counts; a test that checked nothing has failed."""
    print(f"{_passed} passed, {_failed} failed")
    sys.exit(1 if _failed or not _passed else 0)


class Play:
    """One scenario as it was played: its name, outcome, verdicts and timeline, from the evidence."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.verdicts = read_lines(self.folder / "verdicts.ndjson")
        self.entries = read_lines(self.folder / "timeline.ndjson")

    def failing(self):
        return [v for v in self.verdicts if v["verdict"] not in ("pass", "skip")]

    def first_failing(self):
        failing = self.failing()
        return failing[0] if failing else None


def read_lines(path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


class Run:
    """One run of agenttest with its evidence in a folder that goes with this object."""

    def __init__(self, *arguments, evidence=True, timeout=600, environment=None):
        self._folder = tempfile.TemporaryDirectory(prefix="agenttest-test.", dir="/var/tmp")
        self.evidence = pathlib.Path(self._folder.name) / "evidence"
        command = [str(AGENTTEST), *map(str, arguments)]
        if evidence:
            command += ["--evidence", str(self.evidence)]
        finished = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )
        self.status, self.stdout, self.stderr = finished.returncode, finished.stdout, finished.stderr

    def plays(self):
        if not self.evidence.is_dir():
            return []
        return [Play(p) for p in sorted(self.evidence.iterdir()) if (p / "verdicts.ndjson").exists()]

    def play(self):
        plays = self.plays()
        assert len(plays) == 1, f"{len(plays)} scenarios were played, not one:\n{self.stdout}{self.stderr}"
        return plays[0]
