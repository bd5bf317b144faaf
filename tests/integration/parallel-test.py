#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: parallel-test.py [BUILD]

64 scenarios with --jobs 32 pass, and the scheduler says what it adapted to; two runs side by side do not meet.
"""
import os
import pathlib
import tempfile
from concurrent.futures import ThreadPoolExecutor

from harness import Run, check, finish

SCENARIO = """
about: The same names, ports and paths in every sandbox
units: { same.service: { properties: { ExecStart: /bin/sleep 600 } } }
matrix: { n: [%s] }
steps:
  - run: mkdir /same && echo "${n}" >/same/file
  - start: same.service
  - expect:
      state: { ActiveState: active }
      file: { path: /same/file, content: "${n}" }
      command: { run: hostname | wc -w, stdout: "1" }
    within: 60s
  - stop: same.service
  - expect: { left-behind: {} }
"""


def leftovers(runs):
    """What is there of these runs; others may be about on the machine."""
    ids = [(run.evidence / ".agenttest-run").read_text().strip() for run in runs]
    paths = [path for path, _, _ in os.walk("/sys/fs/cgroup")] + list(map(str, pathlib.Path("/run/agenttest").glob("*")))
    return [path for path in paths if any(run_id in os.path.basename(path) for run_id in ids)]


def main():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        many = pathlib.Path(folder, "many.yaml")
        many.write_text(SCENARIO % ", ".join(map(str, range(64))))
        run = Run(many, "--jobs", "32")
        check(run.status == 0, f"64 scenarios: {run.status}\n{run.stdout[-3000:]}{run.stderr[-3000:]}")
        limit = int(pathlib.Path("/proc/sys/fs/inotify/max_user_instances").read_text())
        if limit < 32 * 6:
            check("side by side instead of 32: fs.inotify" in run.stdout + run.stderr, f"not told what was adapted\n{run.stdout[:500]}{run.stderr}")
        check(len(run.plays()) == 64, f"{len(run.plays())} scenarios left evidence")

        few = pathlib.Path(folder, "few.yaml")
        few.write_text(SCENARIO % ", ".join(map(str, range(6))))
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda _: Run(few), range(2)))
        check(not leftovers([run, *both]), f"left behind: {leftovers([run, *both])}")
        check([run.status for run in both] == [0, 0], "\n".join(run.stdout + run.stderr for run in both))

        # Each alone would have room for 16; together they need more inotify instances than there are by default.
        wide = pathlib.Path(folder, "wide.yaml")
        wide.write_text(SCENARIO.replace("  - start:", '  - run: sleep 1\n  - start:', 1) % ", ".join(map(str, range(16))))
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda _: Run(wide, "--jobs", "16"), range(2)))
        outputs = [run.stdout[-3000:] + run.stderr for run in both]
        check([run.status for run in both] == [0, 0], "\n".join(outputs))
        if limit < 2 * 16 * 6:
            told = [output for output in outputs if "other runs play" in output]
            check(told, "the later run did not make room for the earlier:\n" + "\n".join(outputs))
        else:
            print(f"SKIP: two runs have room side by side: fs.inotify.max_user_instances={limit}")
        check(not leftovers(both), f"left behind: {leftovers(both)}")

    finish()


main()
