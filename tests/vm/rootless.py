#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: ./dev vm tests/vm/rootless.py [BUILD]

The sandbox of an ordinary user: the shipped scenarios are green, a fault is red, limits are in force where their
controllers are delegated and told where they are not; what is missing is said; and nothing stays behind, killed or not.

It makes users, cgroups and a user's service manager, so it is for a machine that ends with it: the virtual one.
"""
import contextlib
import os
import pathlib
import pwd
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import AGENTTEST, ROOT, Play, check, finish  # noqa: E402

CGROUPS = pathlib.Path("/sys/fs/cgroup")
HERE = pathlib.Path(__file__).resolve().parent
REMEDY = "systemd-run --user --scope -p Delegate=yes"
WAITING = """
about: Waits
units: { wait.service: { properties: { ExecStart: /bin/sleep 600, User: daemon } } }
matrix: { n: [1, 2] }
steps:
  - start: wait.service
  - expect: { state: { name: "for-ever-${n}", SubState: never-that } }
    within: 300s
"""
NOTHING = 'about: Nothing\nunits: { n.service: { properties: { ExecStart: /bin/true } } }\nsteps: [ { run: "true" } ]\n'


def wait_until(condition, seconds):
    """What is waited for here (a cgroup, a process of somebody else) has no event that root could listen to."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def new_user(name):
    subprocess.run(["useradd", "--create-home", name], check=True)
    return pwd.getpwnam(name)


@contextlib.contextmanager
def cgroup(name, owner=None, parent=CGROUPS):
    """One as systemd delegates it: the folder and two files are the owner's."""
    path = parent / name
    path.mkdir()
    for file in ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
        os.chown(path / file, owner.pw_uid if owner else 0, owner.pw_gid if owner else 0)
    yield path
    check(wait_until(lambda: not below(path), 10), f"left in {path}: {below(path)}")
    (path / "cgroup.kill").write_text("1")
    wait_until(lambda: "populated 0" in (path / "cgroup.events").read_text(), 10)
    for folder, _, _ in os.walk(path, topdown=False):
        os.rmdir(folder)


def below(path):
    """The cgroups in @path, and the controllers it gives them: nothing, when a run is over."""
    return sorted(p.name for p in path.iterdir() if p.is_dir()) + (path / "cgroup.subtree_control").read_text().split()


class User:
    def __init__(self, name):
        self.entry = new_user(name)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="agenttest-rootless.", dir="/var/tmp"))
        os.chown(self.folder, self.entry.pw_uid, self.entry.pw_gid)
        self.folder.chmod(0o755)
        self.environment = {"HOME": self.entry.pw_dir, "USER": name, "PATH": os.environ["PATH"]}
        self.n_runs = 0

    def start(self, *command, group=None, **options):
        def become():
            if group:
                (group / "cgroup.procs").write_text("0")
            os.setgroups([])
            os.setgid(self.entry.pw_gid)
            os.setuid(self.entry.pw_uid)

        return subprocess.Popen(
            [str(word) for word in command], preexec_fn=become, env=self.environment, cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **options)  # fmt: skip

    def call(self, *command, group=None):
        process = self.start(*command, group=group)
        process.stdout_text, _ = process.communicate(timeout=300)
        return process

    def play(self, *arguments, group=None, prefix=()):
        """Its evidence lies in self.evidence."""
        self.n_runs += 1
        self.evidence = self.folder / f"evidence-{self.n_runs}"
        return self.call(*prefix, AGENTTEST, *arguments, "--evidence", self.evidence, group=group)

    def plays(self):
        return [Play(path.parent) for path in sorted(self.evidence.glob("*/verdicts.ndjson"))]

    def runs_folder(self):
        runtime = self.environment.get("XDG_RUNTIME_DIR")
        return pathlib.Path(f"{runtime}/agenttest" if runtime else f"/tmp/agenttest-{self.entry.pw_uid}")

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def processes(self):
        """Those that are his own or his subordinates': all that runs on his stages."""
        return [int(p.name) for p in pathlib.Path("/proc").glob("[0-9]*") if self.owns(p)]

    def owns(self, folder):
        try:
            uid = int(re.search(r"^Uid:\s(\d+)", (folder / "status").read_text(), re.M)[1])
        except (OSError, TypeError):
            return False
        return uid == self.entry.pw_uid or uid >= 100000


def shown(run):
    return f"exit status {run.returncode}\n{run.stdout_text[-5000:]}"


def test_doctor(user):
    with cgroup("agenttest-doctor", user.entry) as group:
        run = user.call(AGENTTEST, "doctor", group=group)
        check(run.returncode == 0, f"doctor: {shown(run)}")
        check(re.search(r"ok +sandbox", run.stdout_text), f"doctor does not know: {shown(run)}")


def test_green(user):
    files = ["startup", "signal", "crash", "quota/tasks"]
    with cgroup("agenttest-green", user.entry) as group:
        run = user.play(*(f"scenarios/{name}.yaml" for name in files), HERE / "rootless.yaml", "--jobs", 3, "--lateness-scale", "auto",
                        group=group)  # fmt: skip
        check(run.returncode == 0, f"the shipped scenarios: {shown(run)}")
        plays = user.plays()
        check(len(plays) == 12, f"{len(plays)} scenarios were played")
        for play in plays:
            deaths = [v["sentence"] for v in play.verdicts if v["id"] == "deaths"]
            check(deaths and "deaths of children were not observed" in deaths[0], f"{play.folder.name}: {deaths}")
            check(play.folder.stat().st_uid == user.entry.pw_uid, f"{play.folder.name} is not the user's")
        again = user.call(AGENTTEST, "replay", *(play.folder for play in plays))
        check(again.returncode == 0, f"judged again: {shown(again)}")
    check(not user.runs_folder().exists(), f"{user.runs_folder()} is left")
    check(not user.processes(), f"processes are left: {user.processes()}")


def test_red(user):
    with cgroup("agenttest-red", user.entry) as group:
        run = user.play("scenarios/signal.yaml", "--filter", "#idle", "--define", "fault=SG-01", group=group)
        check(run.returncode == 1, f"a fault: {shown(run)}")
        first = user.plays()[0].first_failing()
        check((first["id"], first["reason"]) == ("clean-exit", "not-observed"), f"a fault: {first}")


def test_controllers(user):
    tasks = "scenarios/quota/tasks.yaml"
    with cgroup("agenttest-outer") as outer, cgroup("inner", user.entry, outer) as group:
        run = user.play(tasks, group=group)
        check(run.returncode == 5, f"no controller: {shown(run)}")
        check(f"controller pids is not delegated to {group}" in run.stdout_text, f"it is not named: {shown(run)}")
        run = user.play("scenarios/startup.yaml", "--filter", "ready", "--lateness-scale", "auto", group=group)
        check(run.returncode == 0, f"what needs no controller: {shown(run)}")
        unlimited = user.write("unlimited.yaml", "about: A limit\nunits: { n.service: { properties: { ExecStart: /bin/sleep 99, TasksMax: 5 } } }\n"
                               "steps: [ { start: n.service }, { expect: { limit: { limits: { TasksMax: 5 } } } } ]\n")  # fmt: skip
        run = user.play(unlimited, group=group)
        check(run.returncode == 4, f"a limit that is not in force is no green: {shown(run)}")
    with cgroup("agenttest-shared", user.entry) as group:
        beside = user.start("sleep", "600", group=group)
        run = user.play(tasks, group=group)
        beside.kill()
        beside.wait()
        check(run.returncode == 5 and "where other processes are" in run.stdout_text, f"another process: {shown(run)}")
        check(REMEDY in run.stdout_text, f"no way out is shown: {shown(run)}")


def test_missing(user, stranger):
    """Each run is refused with one sentence, which says what to do."""
    nothing = user.write("nothing.yaml", NOTHING)

    def refused(who, group, what, *words):
        run = who.play(nothing, group=group)
        check(run.returncode == 2, f"{what}: {shown(run)}")
        for word in words:
            check(run.stdout_text.count(word) == 1, f"{what}, not once \"{word}\": {shown(run)}")
        check(not who.runs_folder().exists(), f"{what}: {who.runs_folder()} is left")

    with cgroup("agenttest-closed") as group:
        refused(user, group, "not delegated", "is not delegated to this user", REMEDY)
    with cgroup("agenttest-stranger", stranger.entry) as group:
        refused(stranger, group, "no ids", "/etc/subuid gives user stranger no", "usermod --add-subuids")
    with cgroup("agenttest-refused", user.entry) as group:
        limit = pathlib.Path("/proc/sys/user/max_user_namespaces")
        before = limit.read_text()
        limit.write_text("0")
        refused(user, group, "no namespaces", "the kernel refused a user namespace", "sysctl user.max_user_namespaces")
        limit.write_text(before)
        squatted = user.runs_folder()
        squatted.mkdir()
        run = user.play(nothing, group=group)
        check(run.returncode == 2 and "is somebody else's" in run.stdout_text, f"a folder of root in /tmp: {shown(run)}")
        squatted.rmdir()


def test_remedy(user):
    """The command of the message, word for word, in a user's own service manager."""
    uid = user.entry.pw_uid
    subprocess.run(["systemctl", "start", f"user@{uid}.service"], check=True, timeout=60)
    before = len(user.processes())
    user.environment["XDG_RUNTIME_DIR"] = f"/run/user/{uid}"
    run = user.play("scenarios/quota/tasks.yaml", "--lateness-scale", "auto", prefix=REMEDY.split())
    check(run.returncode == 0, f"by {REMEDY}: {shown(run)}")
    manager = CGROUPS / f"user.slice/user-{uid}.slice/user@{uid}.service"
    left = [path for path, _, _ in os.walk(manager) if "agenttest" in path or path.endswith(".scope") and "/run-" in path]
    check(wait_until(lambda: not [p for p in left if os.path.exists(p)], 10), f"left by {REMEDY}: {left}")
    check(not user.runs_folder().exists(), f"{user.runs_folder()} is left")
    check(len(user.processes()) <= before, "processes are left in the user's manager")
    del user.environment["XDG_RUNTIME_DIR"]
    subprocess.run(["systemctl", "stop", f"user@{uid}.service"], check=True, timeout=60)
    check(wait_until(lambda: not user.processes(), 10), f"the user's manager does not end: {user.processes()}")


def is_service_up(user):
    """Both scenarios wait in their services."""
    return sum(cmdline(pid) == "/bin/sleep 600" for pid in user.processes()) >= 2


def cmdline(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def guard_of(user):
    for pid in user.processes():
        with contextlib.suppress(OSError):
            if pathlib.Path(f"/proc/{pid}/comm").read_text() == "agenttest-guard\n":
                return pid
    return None


def killed(user, group, with_guard):
    waiting = user.write("waiting.yaml", WAITING)
    run = user.start(AGENTTEST, waiting, "--jobs", 2, group=group)
    check(wait_until(lambda: is_service_up(user), 60), f"the services do not start: {run.poll()}")
    check((group / "agenttest-callers").exists() and list(group.glob("agenttest-*-0")), f"where does it run? {below(group)}")
    guard = guard_of(user)
    if check(guard, "no guard") and with_guard:
        os.kill(guard, signal.SIGKILL)
    run.kill()
    run.communicate()


def test_killed(user):
    with cgroup("agenttest-killed", user.entry) as group:
        killed(user, group, with_guard=False)
        check(wait_until(lambda: not user.processes(), 10), f"processes are left: {user.processes()}")
        check(not user.runs_folder().exists(), f"{user.runs_folder()} is left")
        check(not below(group), f"the guard has left {below(group)}")


def test_killed_with_guard(user):
    """The next run, in another cgroup, takes it away."""
    with cgroup("agenttest-dead", user.entry) as dead, cgroup("agenttest-next", user.entry) as group:
        killed(user, dead, with_guard=True)
        check(below(dead), "a run that is killed with its guard leaves nothing: this tests nothing")
        run = user.play(user.write("nothing.yaml", NOTHING), group=group)
        check(run.returncode == 0, f"the next run: {shown(run)}")
        check(not below(dead), f"the next run has left {below(dead)}")
        check(not user.runs_folder().exists(), f"{user.runs_folder()} is left")
        check(not user.processes(), f"processes are left: {user.processes()}")


def main():
    if not (CGROUPS / "cgroup.controllers").exists() or "agenttest-vm" not in os.uname().nodename:
        sys.exit("rootless: not the virtual machine: ./dev vm tests/vm/rootless.py")
    # The machine's own copy: the tree may lie in a folder of root's.
    for folder in ROOT.parents:
        folder.chmod(folder.stat().st_mode | 0o055) if not folder.stat().st_mode & 0o005 == 0o005 else None
    user, stranger = User("rootless"), User("stranger")
    for table in ("/etc/subuid", "/etc/subgid"):
        path = pathlib.Path(table)
        path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("stranger:")))
    for test in [test_doctor, test_green, test_red, test_controllers, test_missing, test_remedy, test_killed, test_killed_with_guard]:
        started = time.monotonic()
        test(*([user, stranger] if test is test_missing else [user]))
        print(f"{test.__name__}: {time.monotonic() - started:.1f} s", flush=True)
    finish()


main()
