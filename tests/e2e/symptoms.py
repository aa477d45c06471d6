"""Makes the symptoms that docs/operations/questions.md asks for, over loopback, until SIGTERM; or with --calm, traffic without any.

symptoms.py [--calm] [--far ADDRESS [--quiet SECONDS]] [--ports]

It is meant for a network namespace of its own, in which nftables drops some of what goes to port LOSSY. With --far it
fills the path to its reader, after a while of quiet; with --ports it uses more than half of the ports to an endpoint.
"""

import argparse
import multiprocessing
import pathlib
import resource
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

STEADY, LOSSY, UNREAD, BACKLOG, LEAK, SHORT, MANY, SLOW, FAR, PORTS, POLITE, DATAGRAMS, PATHS = range(7001, 7014)
PATIENCE = 60
UNIX_LISTENER = "\0symptoms"
RTMGRP_IPV4_ROUTE = 0x40
IPPROTO_MPTCP = 262
SO_MAX_PACING_RATE = 47
KIB = 1024


def listen(port, family=socket.AF_INET, backlog=1024):
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", port))
    listener.listen(backlog)
    return listener


def connect(address, family=socket.AF_INET, algorithm=None, send_buffer=None):
    client = socket.socket(family)
    client.settimeout(PATIENCE)
    if algorithm:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, algorithm)
    if send_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    client.connect(address)
    return client


def pair(listener, **options):
    client = connect(listener.getsockname(), listener.family, **options)
    server, _ = listener.accept()
    return client, server


def read(connection, length):
    while length:
        length -= len(connection.recv(min(length, 64 * KIB)))


def drain(connection):
    while connection.recv(64 * KIB):
        pass


def drain_now_and_then(connection, pause):
    """Does not wait for what comes, so that it is acknowledged late."""
    connection.setblocking(False)
    while True:
        time.sleep(pause)
        try:
            connection.recv(64 * KIB)
        except BlockingIOError:
            pass


def steady(listener, algorithm=None):
    """Some 2 MB/s each way."""
    client, server = pair(listener, algorithm=algorithm)
    while True:
        for sender, receiver in ((client, server), (server, client)):
            sender.sendall(bytes(20 * KIB))
            read(receiver, 20 * KIB)
        time.sleep(0.01)


def lossy(listener):
    """More than a segment at a time, so that a loss leaves some out of order."""
    client, server = pair(listener)
    threading.Thread(target=drain, args=(server,), daemon=True).start()
    while True:
        client.sendall(bytes(200 * KIB))
        time.sleep(0.05)


def slow(listener):
    """A buffer much smaller than what the process has to send, to a reader that acknowledges late."""
    client, server = pair(listener, algorithm=b"reno", send_buffer=16 * KIB)
    # The kernel blames the buffer if all in it is sent when the process waits already: a segment of loopback every
    # 40 ms, which is longer than the reader takes.
    client.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, 1_600_000)
    threading.Thread(target=drain_now_and_then, args=(server, 0.03), daemon=True).start()
    while True:
        client.sendall(bytes(100 * KIB))


def unread(listener, kept):
    """Data that no process reads: the peer's window falls to 0 and the queue stays."""
    client, server = pair(listener)
    kept += [client, server]
    client.settimeout(1)
    try:
        while True:
            client.sendall(bytes(64 * KIB))
    except TimeoutError:
        pass


def backlog(listener, kept, number):
    """No process accepts them. The kernel allows one more than the backlog says."""
    for _ in range(number):
        kept.append(connect(listener.getsockname()))


def refused(listener, kept, number):
    """As backlog, and more clients, which find no place and leave."""
    backlog(listener, kept, number)
    while True:
        with socket.socket() as client:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            time.sleep(0.2)


def leak(listener, kept):
    """Closed by one end only, two per second."""
    while True:
        client, server = pair(listener)
        client.close()
        kept.append(server)
        time.sleep(0.5)


def short(listener):
    """Some hundred connections per second, of which a reset ends one in ten."""
    number = 0
    while True:
        client, server = pair(listener)
        client.sendall(bytes(KIB))
        read(server, KIB)
        if number % 10 == 0:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        server.close()
        number += 1
        time.sleep(0.01)


def many(listener, kept):
    """Half a thousand connections to one remote endpoint."""
    for _ in range(500):
        kept += pair(listener)


def polite(listener):
    """The peer closes first, and the process a little later: CLOSE_WAIT, but nothing leaks."""
    while True:
        pairs = [pair(listener) for _ in range(12)]
        for client, _ in pairs:
            client.close()
        time.sleep(0.5)
        for _, server in pairs:
            server.close()


def far(address, quiet):
    """A little at a time, and then as much as the path takes and its queue holds."""
    client = connect((address, FAR), algorithm=b"reno")
    client.settimeout(None)
    until = time.monotonic() + quiet
    while time.monotonic() < until:
        client.sendall(bytes(KIB))
        time.sleep(0.1)
    while True:
        client.sendall(bytes(64 * KIB))


def unix_backlog(kept, number):
    """As backlog, of a unix listener such as that of php-fpm."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(UNIX_LISTENER)
    listener.listen(4)
    kept.append(listener)
    for _ in range(number):
        client = socket.socket(socket.AF_UNIX)
        client.connect(UNIX_LISTENER)
        kept.append(client)


def unix_clients(folder, kept):
    """A client of a listener with the name of Docker's, and one that is not accepted yet."""
    path = str(pathlib.Path(folder) / "docker.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(4)
    for accepts in (True, False):
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        kept.append(client)
        if accepts:
            kept.append(listener.accept())
    kept.append(listener)


def datagrams(pause):
    """What no process reads, into a small buffer; with a pause, a few that are read."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
    receiver.bind(("127.0.0.1", DATAGRAMS))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while True:
        sender.sendto(bytes(KIB), receiver.getsockname())
        if pause:
            receiver.recv(KIB)
        time.sleep(pause or 0.02)


def netlink(reads):
    """A monitor of routes that does not read, while routes come and go."""
    # Not of addresses: a browser ends its requests when one changes.
    monitor = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    monitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
    monitor.bind((0, RTMGRP_IPV4_ROUTE))
    while True:
        for change in ("add", "del"):
            subprocess.run(["ip", "route", change, "blackhole", "198.51.100.0/24"], check=True)
            if reads:
                monitor.recv(64 * KIB)
        time.sleep(0.5)


def subflows(kept):
    """A connection of MPTCP, and one whose peer knows only TCP."""
    for port, protocol in ((PATHS, IPPROTO_MPTCP), (0, socket.IPPROTO_TCP)):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        kept += [listener, client, server]
        if protocol == IPPROTO_MPTCP:
            sender, receiver = client, server
    while True:
        sender.sendall(bytes(KIB))
        read(receiver, KIB)
        time.sleep(0.1)


def ports(used=15_000, again=200):
    """Ports in TIME_WAIT, where each stays for a minute: `used` at once, then `again` more per second. There are 28,232."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    listener = listen(PORTS)
    number = 0
    while multiprocessing.parent_process().is_alive():
        client, server = pair(listener)
        client.close()
        server.close()
        number += 1
        if number > used:
            time.sleep(1 / again)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--calm", action="store_true")
    arguments.add_argument("--far")
    arguments.add_argument("--quiet", type=float, default=0)
    arguments.add_argument("--ports", action="store_true")
    arguments = arguments.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    kept, folder = [], tempfile.TemporaryDirectory()
    jobs = [
        (steady, listen(STEADY)),
        (steady, listen(STEADY, socket.AF_INET6), b"reno"),
        (many, listen(MANY), kept),
        (polite, listen(POLITE)),
        (backlog if arguments.calm else refused, listen(BACKLOG, backlog=4), kept, 2 if arguments.calm else 5),
        (unix_backlog, kept, 2 if arguments.calm else 5),
        (unix_clients, folder.name, kept),
        (datagrams, 0.1 if arguments.calm else 0),
        (netlink, arguments.calm),
        (subflows, kept),
    ]
    if not arguments.calm:
        slow_readers = listen(SLOW)
        jobs += [
            (lossy, listen(LOSSY)),
            # Of some the kernel never blames the buffer.
            *[(slow, slow_readers)] * 8,
            (unread, listen(UNREAD), kept),
            (leak, listen(LEAK), kept),
            (short, listen(SHORT)),
        ]
    if arguments.far:
        jobs.append((far, arguments.far, arguments.quiet))
    if arguments.ports:
        # Beside the others, which would have to wait for it.
        multiprocessing.Process(target=ports, daemon=True).start()
    for job, *of_job in jobs:
        threading.Thread(target=job, args=of_job, daemon=True).start()
    print("ready", flush=True)
    signal.sigwait([signal.SIGTERM])


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
main()
