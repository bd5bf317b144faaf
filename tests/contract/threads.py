# SPDX-License-Identifier: MIT
"""A process of two threads; with the argument `leave` the first one ends and the process lives on."""
import ctypes
import sys
import threading
import time


def wait_for_the_first():
    while "State:\tZ" not in open("/proc/self/status").read():
        time.sleep(0.01)
    open("/run/left", "w").close()
    time.sleep(1000)


if sys.argv[1:] == ["leave"]:
    threading.Thread(target=wait_for_the_first).start()
    ctypes.CDLL(None).syscall(60 if sys.maxsize > 2**32 else 1, 0)
time.sleep(1000)
