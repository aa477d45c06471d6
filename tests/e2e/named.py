"""Sends to itself under a process name, and in a cgroup, that its caller gives, until SIGTERM.

  named.py NAME CGROUP

A kernel keeps 15 bytes of the name. The cgroup is a folder; none if empty.
"""

import ctypes
import os
import socket
import sys
import time

PR_SET_NAME = 15
LENGTH = 100_000


def main():
    name, cgroup = sys.argv[1:]
    if len(name.encode()) > 15 or ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0) != 0:
        raise SystemExit("cannot set the name of the process")
    if cgroup:
        with open(f"{cgroup}/cgroup.procs", "w") as processes:
            processes.write(str(os.getpid()))
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    print("ready", flush=True)
    while True:
        client.sendall(bytes(LENGTH))
        left = LENGTH
        while left:
            left -= len(server.recv(left))
        time.sleep(0.05)


main()
