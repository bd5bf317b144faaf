#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An agent that breaks under limits, for tests/integration/quota-test.py: it accepts whatever it is sent and does nothing
of it, and once it had no descriptor for a connection it takes no more. It says no word about either."""
import os
import socket
import time


def main():
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)  # made while there is a descriptor for it
    manager.connect(os.environ["NOTIFY_SOCKET"])
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.environ["RUNTIME_DIRECTORY"] + "/agent.sock")
    listener.listen(100)
    listener.settimeout(1)
    kept, is_deaf = [], False
    manager.send(b"READY=1")
    while True:
        manager.send(b"WATCHDOG=1")
        if is_deaf:
            time.sleep(1)
            continue
        try:
            client, _ = listener.accept()
        except TimeoutError:
            continue
        except OSError:
            is_deaf = True
            continue
        client.sendall(b'{"ok":true,"first":1,"last":1}\n')
        kept.append(client)


main()
