# SPDX-License-Identifier: MIT
"""A virtual machine for one command: what it boots from, the processes around it, and how it ended."""

import os
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
CACHE = PROJECT / "build/vm"

# What the initramfs mounts the root with and what carries the outputs; modprobe says what these need.
MODULES = ["virtio_pci", "virtiofs", "overlay", "virtio_console"]
KERNEL_WORDS = [
    "console=ttyS0", "panic=-1", "quiet", "loglevel=4",
    "systemd.unified_cgroup_hierarchy=1", "systemd.unit=agenttest-vm.target",
    "systemd.show_status=0", "systemd.log_level=info", "systemd.firstboot=0",
]
TCG = "tcg,thread=multi,tb-size=512"
PROBE_WORD = "agenttest.probe"
PROBE_ANSWER = "agenttest-vm: alive"
# It takes less than one where it works.
KVM_SECONDS = 5
# Of each log, for the person who has to find out: a kernel's last words are a page long.
LAST_LINES = 80


class MachineError(Exception):
    """The machine did not come up, crashed or ran out of time: nothing is known of the command."""


def find_virtiofsd():
    for path in ["/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd"]:
        if os.access(path, os.X_OK):
            return path
    raise MachineError("virtiofsd is missing: ./dev deps installs it")


def bound(arguments):
    """What is started here ends with this process, also when it is killed."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *map(str, arguments)]


class Machine:
    def __init__(self, work, share, memory_mib, command):
        self.work = Path(work)
        self.console = self.work / "console"
        self.share = share
        self.memory_mib = memory_mib
        self.command = command
        self.processes = []
        fetched = subprocess.run([HERE / "kernel", CACHE], stdout=subprocess.PIPE, text=True)
        if fetched.returncode != 0:
            raise MachineError("there is no kernel to boot")
        self.kernel = Path(fetched.stdout.strip())
        self.initramfs = self.work / "initramfs.cpio"

    # --- What it boots from

    def modules(self):
        """Paths of the modules, in the order in which they need each other."""
        version = (self.kernel / "version").read_text().strip()
        folder = self.work / "modroot/lib/modules"
        folder.mkdir(parents=True)
        (folder / version).symlink_to(self.kernel / "modules")
        paths = []
        for module in MODULES:
            # Source: modprobe(8), --show-depends: "insmod PATH OPTIONS", or "builtin NAME", what is needed first.
            shown = subprocess.run(
                ["modprobe", "-d", self.work / "modroot", "-S", version, "--show-depends", module],
                check=True, stdout=subprocess.PIPE, text=True)
            paths += [line.split()[1] for line in shown.stdout.splitlines() if line.startswith("insmod ")]
        return list(dict.fromkeys(paths))

    def make_initramfs(self):
        root = self.work / "initramfs"
        for name in ["bin", "modules", "agenttest"]:
            (root / name).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin")
        shutil.copy(HERE / "init", root / "init")
        names = [Path(shutil.copy(path, root / "modules")).name for path in self.modules()]
        (root / "modules/order").write_text("".join(name + "\n" for name in names))
        for path in [HERE / "guest", *(HERE / "units").iterdir()]:
            shutil.copy(path, root / "agenttest")
        for name, text in [
            ("directory", PROJECT), ("share-path", self.share), ("modules-path", self.kernel / "modules"),
            ("command", shlex.join(self.command)),
        ]:
            (root / "agenttest" / name).write_text(f"{text}\n")
        listing = subprocess.run(["find", "."], cwd=root, check=True, stdout=subprocess.PIPE).stdout
        with open(self.initramfs, "wb") as archive:
            subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, check=True, input=listing, stdout=archive)

    # --- The processes around it

    def start(self, arguments, log, pass_fds=()):
        process = subprocess.Popen(
            bound(arguments), stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=pass_fds)
        self.processes.append(process)
        return process

    def end(self):
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()

    def log(self, name):
        return open(self.work / f"{name}.log", "wb")

    def serve(self, name, options, prefix=()):
        """A virtiofsd on a socket that listens already: qemu cannot come too early."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.work / f"{name}.socket"))
        listener.listen(1)
        self.start([*prefix, find_virtiofsd(), f"--fd={listener.fileno()}", "-o", "log_level=err", *options],
                   self.log(name), [listener.fileno()])
        listener.close()

    def serve_folders(self):
        tree = self.work / "root"
        tree.mkdir()
        private = ["unshare", "--mount", "--propagation", "private", "--", HERE / "serve-root", tree]
        # Nothing changes below: what the guest has seen once it may keep.
        self.serve("tree", ["-o", "cache=always"], private)
        self.serve("share", ["-o", "cache=none", "-o", f"source={self.share}"])

    def qemu(self, arguments, words, log, pass_fds=()):
        return self.start(
            ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-cpu", "max",
             "-kernel", self.kernel / "vmlinuz", "-initrd", self.initramfs, *arguments, "-append", " ".join(words)],
            log, pass_fds)

    def boots(self, accelerator, seconds):
        """Does the kernel come as far as our first process, within so long?"""
        console = self.work / "probe.console"
        console.unlink(missing_ok=True)
        probe = self.qemu(["-accel", accelerator, "-m", "256", "-serial", f"file:{console}"],
                          ["console=ttyS0", "quiet", "panic=-1", PROBE_WORD], self.log("probe"))
        try:
            probe.wait(seconds)
        except subprocess.TimeoutExpired:
            probe.kill()
        return console.exists() and PROBE_ANSWER in console.read_text(errors="replace")

    def accelerator(self):
        """/dev/kvm may be there and yet not work (nested, forbidden): only a machine that boots proves it."""
        is_there = os.access("/dev/kvm", os.R_OK | os.W_OK)
        return "kvm" if is_there and self.boots("kvm", KVM_SECONDS) else TCG

    def boot(self, accelerator, ports):
        """ports: name -> descriptor the machine writes to."""
        arguments = [
            "-accel", accelerator, "-smp", str(os.cpu_count()), "-m", str(self.memory_mib),
            "-object", f"memory-backend-memfd,id=memory,size={self.memory_mib}M,share=on",
            "-numa", "node,memdev=memory", "-serial", f"file:{self.console}", "-device", "virtio-serial-pci",
        ]
        for tag in ["tree", "share"]:
            arguments += ["-chardev", f"socket,id={tag},path={self.work}/{tag}.socket",
                          "-device", f"vhost-user-fs-pci,chardev={tag},tag={tag}"]
        for name, fd in ports.items():
            arguments += ["-chardev", f"file,id={name},path=/dev/fd/{fd}",
                          "-device", f"virtserialport,chardev={name},name=agenttest.{name}"]
        return self.qemu(arguments, KERNEL_WORDS, self.log("qemu"), list(ports.values()))

    # --- How it ends

    def run(self, accelerator, timeout_seconds):
        """Boots, passes the outputs on as they come, and returns the command's exit status."""
        self.serve_folders()
        targets = {"stdout": sys.stdout.buffer, "stderr": sys.stderr.buffer, "status": None}
        reading, writing = {}, {}
        for name in targets:
            reading[name], writing[name] = os.pipe()
        qemu = self.boot(accelerator, writing)
        for fd in writing.values():
            os.close(fd)
        deadline = time.monotonic() + timeout_seconds
        status = bytearray()
        selector = selectors.DefaultSelector()
        for name, fd in reading.items():
            selector.register(fd, selectors.EVENT_READ, name)
        # The pipes end with qemu, whichever way it ends.
        while selector.get_map():
            ready = selector.select(max(0, deadline - time.monotonic()))
            if not ready:
                qemu.kill()
                raise MachineError(f"the machine was ended after {timeout_seconds} s")
            for key, _ in ready:
                text = os.read(key.fd, 65536)
                if not text:
                    selector.unregister(key.fd)
                elif targets[key.data]:
                    targets[key.data].write(text)
                    targets[key.data].flush()
                else:
                    status += text
        words = status.decode(errors="replace").split()
        if len(words) != 2 or words[0] != "exit-status" or not words[1].isdigit():
            raise MachineError("the machine ended without the command's exit status"
                               f" (exit status of qemu: {qemu.wait()})")
        return int(words[1])

    def last_words(self):
        """What the console and the processes around it said, for the person who has to find out."""
        parts = []
        for path in [self.console, *sorted(self.work.glob("*.log"))]:
            lines = path.read_text(errors="replace").splitlines() if path.exists() else []
            if lines:
                parts += [f"--- {path.name}", *lines[-LAST_LINES:]]
        return "\n".join(parts)


def catch_signals():
    """SIGTERM ends as SIGINT does: through the clean-up."""
    def on_signal(number, _frame):
        raise SystemExit(128 + number)
    for number in [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]:
        signal.signal(number, on_signal)
