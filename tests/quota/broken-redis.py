#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A server that breaks under limits, in the place of redis-server, for tests/integration/quota-test.py: out of memory it
forgets, asked after it was throttled it gives up, a child that it has no task for is its end, and once it had no descriptor for
a client it takes no more."""
import os
import pathlib
import selectors
import socket
import sys

TICK_SECONDS = 0.01


def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_manager:
        to_manager.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])


def own_group(controller):
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return pathlib.Path("/sys/fs/cgroup") / controller / path[1:]
    return pathlib.Path("/sys/fs/cgroup") / path[1:]


class Reading:
    """A counter of the own cgroup, opened while there is a descriptor for it."""

    def __init__(self, controller, names, word=None):
        files = [file for file in (own_group(controller) / name for name in names) if file.exists()]
        self.fd = os.open(files[0], os.O_RDONLY) if files else None
        self.word = word

    def number(self):
        words = os.pread(self.fd, 4096, 0).decode().split() if self.fd is not None else ["0"]
        if self.word is None:
            return int(words[0])
        return int(words[words.index(self.word) + 1]) if self.word in words else 0


def save():
    child = os.fork()  # without a task left this is the end
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def bulk(text):
    return f"${len(text)}\r\n{text}\r\n" if text is not None else "$-1\r\n"


def answer(words, data):
    command = words[0].lower()
    if command == "set":
        data[words[1]] = words[2]
    elif command == "get":
        return bulk(data.get(words[1]))
    elif command == "bgsave":
        save()
    return "+PONG\r\n" if command == "ping" else "+OK\r\n"


def welcome(selector, listener):
    try:
        selector.register(listener.accept()[0], selectors.EVENT_READ)
    except OSError:
        selector.unregister(listener)


def serve(client, data):
    request = client.recv(4096).decode()
    if request:
        # *2 $3 get $4 kept: each word behind its length.
        client.sendall(answer(request.split("\r\n")[2::2], data).encode())
    return bool(request)


def main():
    data, selector = {}, selectors.DefaultSelector()
    listener = socket.create_server(("127.0.0.1", 6379))
    selector.register(listener, selectors.EVENT_READ)
    peak = Reading("memory", ["memory.max_usage_in_bytes", "memory.peak"])
    throttled = Reading("cpu", ["cpu.stat"], "nr_throttled")
    too_much, too_often = 1.2 * peak.number() + 8 * 2**20, throttled.number() + 5
    notify("READY=1")
    while True:
        for key, _ in selector.select(TICK_SECONDS):
            if key.fileobj is listener:
                welcome(selector, listener)
            elif throttled.number() >= too_often:
                sys.exit(1)
            elif not serve(key.fileobj, data):
                selector.unregister(key.fileobj)
                key.fileobj.close()
        if peak.number() > too_much:
            data.clear()


main()
