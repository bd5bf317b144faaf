#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An agent that breaks under limits, for tests/integration/quota-test.py: it accepts whatever it is sent and does nothing
of it, and a connection that it has no descriptor for is its end. It says no word about either."""
import os
import socket
import sys


def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_manager:
        to_manager.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])


def main():
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.environ["RUNTIME_DIRECTORY"] + "/agent.sock")
    listener.listen(100)
    listener.settimeout(1)
    kept = []
    notify("READY=1")
    while True:
        notify("WATCHDOG=1")
        try:
            client, _ = listener.accept()
        except TimeoutError:
            continue
        except OSError:
            sys.exit(1)
        client.sendall(b'{"ok":true,"first":1,"last":1}\n')
        kept.append(client)


main()
