# SPDX-License-Identifier: MIT
"""Speaks first, as mail servers do, on 127.0.0.1:4712, and keeps its connections; on 4713 it keeps none."""
import selectors
import socket

selector, kept = selectors.DefaultSelector(), []
for port in (4712, 4713):
    selector.register(socket.create_server(("127.0.0.1", port)), selectors.EVENT_READ, port)
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        client, _ = key.fileobj.accept()
        client.sendall(b"220 hello\r\n")
        if key.data == 4712:
            kept.append(client)
        else:
            client.close()
