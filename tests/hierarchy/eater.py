#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A service that takes 40 MiB of memory when it is told to: on SIGUSR1 itself, on SIGUSR2 in a child."""
import os
import signal
import socket
import time

taken = []


def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(os.environ["NOTIFY_SOCKET"])
        sender.send(text)


def eat(*_):
    for _ in range(40):
        taken.append(b"x" * (1 << 20))
    print("eaten", flush=True)


def eat_in_child(*_):
    if os.fork() == 0:
        eat()
        os._exit(0)


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.signal(signal.SIGUSR1, eat)
signal.signal(signal.SIGUSR2, eat_in_child)
notify(b"READY=1")
while True:
    time.sleep(1000)
