"""A host with services, for pictures: what its processes say to each other and to the rest of the world, until SIGTERM.

scene.py --trouble SECONDS [--cgroups FOLDER]

To be run in network and mount namespaces of its own. After SECONDS a path loses packets and the queue of another fills.
Of three processes, one stops accepting, one stops closing, and one is not read by its peer. The world is a network namespace
of its own, behind a path made here.
"""

import argparse
import collections
import ctypes
import fcntl
import heapq
import os
import pathlib
import random
import select
import signal
import socket
import struct
import subprocess
import threading
import time

HOST = "10.20.0.5"
CLONE_NEWNET = 0x4000_0000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x4004_54CA, 1, 0x1000
KIB = 1024
SO_MAX_PACING_RATE = 47
Path = collections.namedtuple("Path", "delay rate lost_in_trouble")
# By the first three bytes of the address in the world: seconds each way, bytes a second, and the share lost in trouble.
PATHS = {
    bytes([192, 0, 2]): Path(0.0015, 500_000, 0),
    bytes([198, 51, 100]): Path(0.006, 4_000_000, 0),
    bytes([203, 0, 113]): Path(0.032, 4_000_000, 0.04),
}
QUEUE = 0.6
DATABASE, CACHE, API, WEB, REPORTS, SSH, BACKUP, UPLOAD, LOGS = 5432, 6379, 8080, 443, 9100, 22, 873, 8443, 6514


def listen(address, port, backlog=512):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(backlog)
    return listener


def connect(address, port, source=None, algorithm=None, send_buffer=None):
    client = socket.socket()
    if algorithm:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, algorithm)
    if send_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        # The kernel blames the buffer if all in it is sent when the process waits already.
        client.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, 1_000_000)
    if source:
        client.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
        client.bind((source, 0))
    client.settimeout(10)
    client.connect((address, port))
    return client


def connect_at_last(*ends, **options):
    """To a process that may not listen yet."""
    while True:
        try:
            return connect(*ends, **options)
        except ConnectionRefusedError:
            time.sleep(0.2)


def read(connection, length):
    while length:
        got = len(connection.recv(min(length, 64 * KIB)))
        if not got:
            raise ConnectionError
        length -= got


def thread(work, *arguments):
    def quietly():
        try:
            work(*arguments)
        except OSError:
            # The other end has gone, or waited too long.
            pass

    threading.Thread(target=quietly, daemon=True).start()


def answer(connection, before=None):
    """Each request says how many bytes it wants."""
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while len(request := connection.recv(8, socket.MSG_WAITALL)) == 8:
            if before:
                before()
            connection.sendall(bytes(struct.unpack("Q", request)[0]))


def serve(listener, before=None):
    while True:
        thread(answer, listener.accept()[0], before)


def request(connection, length):
    connection.sendall(struct.pack("Q", length))
    read(connection, length)


def ask(address, port, length, every, source=None, per_connection=10**9):
    """Requests, for ever; a new connection after so many."""
    while True:
        try:
            with connect(address, port, source) as client:
                for _ in range(per_connection):
                    request(client, int(random.expovariate(1 / length)) + 1)
                    time.sleep(random.expovariate(1 / every))
        except OSError:
            time.sleep(0.2)


def send(address, port, length, every, **options):
    """A stream that the other end only reads."""
    with connect_at_last(address, port, **options) as client:
        client.settimeout(None)
        while True:
            client.sendall(bytes(length))
            time.sleep(every)


def drain(listener, pause=0):
    def swallow(connection):
        while connection.recv(64 * KIB):
            time.sleep(pause)

    while True:
        thread(swallow, listener.accept()[0])


# The processes of the host.


def nginx(_trouble):
    pool = [connect_at_last("127.0.0.1", API) for _ in range(8)]
    locks = [threading.Lock() for _ in pool]

    def upstream():
        number = random.randrange(len(pool))
        with locks[number]:
            request(pool[number], 2 * KIB)

    serve(listen(HOST, WEB), upstream)


def api(_trouble):
    for _ in range(24):
        thread(ask, "127.0.0.1", DATABASE, 3 * KIB, 0.3)
    for _ in range(6):
        thread(ask, "127.0.0.1", CACHE, 300, 0.05)
    for _ in range(4):
        thread(ask, "127.0.0.1", REPORTS, 20 * KIB, 0.5, None, 1)
    serve(listen("127.0.0.1", API))


def worker(trouble):
    """Uploads, one with a small buffer; from the trouble on it forgets to close what its peer has closed."""
    for _ in range(2):
        thread(send, "203.0.113.80", UPLOAD, 60 * KIB, 0.15)
    thread(lambda: send("203.0.113.80", UPLOAD, 60 * KIB, 0, send_buffer=16 * KIB))
    kept = []
    time.sleep(trouble)
    while True:
        kept.append(connect("198.51.100.7", SSH))
        time.sleep(1.5)


def reports(trouble):
    """Too few may wait for it, and from the trouble on it accepts none."""
    listener = listen("127.0.0.1", REPORTS, 16)
    until = time.monotonic() + trouble
    while time.monotonic() < until:
        thread(answer, listener.accept()[0])
    signal.pause()


def rsync(trouble):
    """As much as the path takes, and its queue holds."""
    time.sleep(trouble)
    send("192.0.2.20", BACKUP, 256 * KIB, 0, algorithm=b"reno")


def vector(trouble):
    """Logs, from the trouble on also to a collector that reads too little, and to one that does not read."""
    thread(send, "198.51.100.8", LOGS, 16 * KIB, 0.05)
    time.sleep(trouble)
    for collector in ("198.51.100.9", "198.51.100.10"):
        thread(send, collector, LOGS, 64 * KIB, 0)
    signal.pause()


SERVICES = {
    "postgres": ("system.slice/postgresql.service", lambda _: serve(listen("127.0.0.1", DATABASE))),
    "redis-server": ("system.slice/redis.service", lambda _: serve(listen("127.0.0.1", CACHE))),
    "sshd": ("system.slice/ssh.service", lambda _: serve(listen(HOST, SSH))),
    "reports": ("system.slice/reports.service", reports),
    "api": ("system.slice/api.service", api),
    "nginx": ("system.slice/nginx.service", nginx),
    "worker": (f"system.slice/docker-{'3f9c2a71b0d4' * 5}5e8a.scope", worker),
    "vector": ("system.slice/vector.service", vector),
    "rsync": ("system.slice/backup.service", rsync),
}


# The world, and the path to it.


def world():
    def answer_and_close():
        listener = listen("198.51.100.7", SSH)
        while True:
            listener.accept()[0].close()

    thread(drain, listen("203.0.113.80", UPLOAD))
    thread(drain, listen("192.0.2.20", BACKUP))
    thread(drain, listen("198.51.100.8", LOGS))
    thread(drain, listen("198.51.100.9", LOGS), 0.7)
    thread(drain, listen("198.51.100.10", LOGS), 3600)
    thread(answer_and_close)
    for number in range(24):
        thread(ask, HOST, WEB, 12 * KIB, 0.25, f"198.51.100.{20 + number}", 40)
    for number in range(12):
        thread(ask, HOST, WEB, 16 * KIB, 0.5, f"203.0.113.{20 + number}", 20)
    for number in range(3):
        thread(ask, HOST, WEB, 1 * KIB, 0.2, f"192.0.2.{30 + number}")
        thread(ask, HOST, SSH, 200, 2, f"192.0.2.{30 + number}")
    signal.pause()


def tun(name):
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def carry(here, there, trouble):
    """Packets between the devices: each waits behind those before it, then for as long as its path is."""
    started, free, due, number = time.monotonic(), collections.Counter(), [], 0
    while True:
        wait = max(0, due[0][0] - time.monotonic()) if due else None
        for device in select.select([here, there], [], [], wait)[0]:
            packet = os.read(device, 65536)
            remote = packet[16:20] if device == here else packet[12:16]
            path = PATHS.get(remote[:3])
            if packet[0] >> 4 != 4 or path is None:
                continue
            now = time.monotonic()
            direction = (device, path)
            sent = max(now, free[direction]) + len(packet) / path.rate
            lost = now - started > trouble and len(packet) > 200 and random.random() < path.lost_in_trouble
            if lost or sent - now > QUEUE:
                continue
            free[direction] = sent
            number += 1
            # Some are farther than others.
            at = sent + path.delay * (1 + remote[3] % 16 / 16)
            heapq.heappush(due, (at, number, there if device == here else here, packet))
        while due and due[0][0] <= time.monotonic():
            _, _, device, packet = heapq.heappop(due)
            os.write(device, packet)


def ip(*arguments, of=None):
    inside = ["nsenter", f"--net=/proc/{of}/ns/net"] if of else []
    subprocess.run([*inside, "ip", *arguments], check=True)


def fork(name, work, *arguments):
    """A process of this name; the kernel ends it with this one."""
    if child := os.fork():
        return child
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    pathlib.Path("/proc/self/comm").write_text(name)
    work(*arguments)
    os._exit(0)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--trouble", type=float, required=True)
    arguments.add_argument("--cgroups", type=pathlib.Path)
    arguments = arguments.parse_args()
    here, there = tun("wan0"), tun("host0")
    ready, apart = os.pipe()

    def apart_from_here():
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        os.write(apart, b"x")
        signal.sigwait([signal.SIGUSR1])
        world()

    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    outside = fork("world", apart_from_here)
    os.read(ready, 1)
    ip("link", "set", "host0", "netns", str(outside))
    ip("link", "set", "lo", "up", of=outside)
    ip("link", "set", "host0", "up", of=outside)
    ip("route", "add", HOST, "dev", "host0", of=outside)
    ip("address", "add", f"{HOST}/32", "dev", "wan0")
    ip("link", "set", "wan0", "up")
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"):
        ip("route", "add", network, "dev", "wan0", "src", HOST)
        ip("route", "add", "local", network, "dev", "lo", of=outside)
    for name, (unit, work) in SERVICES.items():
        child = fork(name, work, arguments.trouble)
        if arguments.cgroups:
            folder = arguments.cgroups / unit
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "cgroup.procs").write_text(str(child))
    # Not before: a process with threads cannot well be forked.
    threading.Thread(target=carry, args=(here, there, arguments.trouble), daemon=True).start()
    os.kill(outside, signal.SIGUSR1)
    print("ready", flush=True)
    signal.sigwait([signal.SIGTERM])


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
main()
