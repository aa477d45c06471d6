"""Reads whatever comes to port FAR of symptoms.py, in a network namespace at the other end of a slow path."""

import socket
import threading

FAR = 7009


def drain(connection):
    while connection.recv(1 << 16):
        pass


listener = socket.create_server(("", FAR))
print("ready", flush=True)
while True:
    connection, _ = listener.accept()
    threading.Thread(target=drain, args=(connection,), daemon=True).start()
