# SPDX-License-Identifier: MIT
"""Listens on 127.0.0.1:4711; the kernel accepts connections as long as the queue has room."""
import socket
import time

listener = socket.socket()
listener.bind(("127.0.0.1", 4711))
listener.listen(16)
time.sleep(1000)
