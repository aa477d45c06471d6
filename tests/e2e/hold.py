"""Holds TCP connections over IPv4 and IPv6, under a process name that is hard to write down, until SIGTERM."""

import ctypes
import signal
import socket

PR_SET_NAME = 15
# A quote, a line feed, and a byte that is not UTF-8.
NAME = b'a"b\n\xff'


def connections(family, address):
    """Three pairs that have seen data in both directions."""
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen()
        for _ in range(3):
            client = socket.socket(family)
            client.connect(listener.getsockname())
            server, _ = listener.accept()
            for sender, receiver in ((client, server), (server, client)):
                for _ in range(10):
                    sender.sendall(b"x" * 1000)
                    left = 1000
                    while left:
                        left -= len(receiver.recv(left))
            yield client, server


def main():
    if ctypes.CDLL(None).prctl(PR_SET_NAME, NAME, 0, 0, 0) != 0:
        raise SystemExit("cannot set the name of the process")
    held = list(connections(socket.AF_INET, "127.0.0.1"))
    families = "IPv4"
    try:
        held += connections(socket.AF_INET6, "::1")
        families += " and IPv6"
    except OSError as error:
        print(f"no IPv6 on this machine: {error}")
    print(f"ready: {len(held)} connections over {families}", flush=True)
    signal.sigwait([signal.SIGTERM])


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
main()
