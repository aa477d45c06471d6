"""Holds 1,000 connections over loopback, both ends of each, until SIGTERM."""

import resource
import signal
import socket


def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    listener = socket.create_server(("127.0.0.1", 0))
    held = []
    for _ in range(1_000):
        client = socket.create_connection(listener.getsockname())
        client.sendall(b"x")
        held += [client, listener.accept()[0]]
    print("ready", flush=True)
    signal.sigwait([signal.SIGTERM])


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
main()
