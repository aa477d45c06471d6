"""A link between two network namespaces that delays, queues and drops packets.

    link.py NEAR FAR DELAY RATE QUEUE LOSS

NEAR and FAR are names of network namespaces. Each gets an interface `link`: NEAR has 10.0.0.1, FAR has 10.0.0.2. DELAY is
in seconds for one direction. RATE in bytes per second, QUEUE in bytes and the share LOSS hold from NEAR to FAR alone.
Says `ready`. A line of the standard input cuts the link: from then on every packet is lost. Ends with its standard input.
"""

import collections
import ctypes
import fcntl
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
# More than an interface without offloads hands out.
LONGEST = 2048
# The same packets are lost in each run, as far as the senders do the same.
SEED = 1


def attach(netns, own, peer):
    """The descriptor of a new interface in a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{netns}") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {netns}")
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"link", IFF_TUN | IFF_NO_PI))
    for command in (f"address add {own} peer {peer} dev link", "link set dev link up"):
        subprocess.run(["ip", *command.split()], check=True)
    return tun


class Direction:
    """Packets on their way to one end, and when each arrives."""

    def __init__(self, tun, delay, rate=float("inf"), queue=0, loss=0.0):
        self.tun, self.delay, self.rate, self.queue, self.loss = tun, delay, rate, queue, loss
        self.packets = collections.deque()
        self.sent_until = 0.0
        self.random = random.Random(SEED)

    def take(self, packet, now):
        """Queues a packet, unless it is lost or the queue is full."""
        begins = max(self.sent_until, now)
        waits = (begins - now) * self.rate if begins > now else 0
        if self.random.random() < self.loss or waits > self.queue:
            return
        self.sent_until = begins + len(packet) / self.rate
        self.packets.append((self.sent_until + self.delay, packet))

    def deliver(self, now):
        """Hands over what has arrived. Returns when the next packet does."""
        while self.packets and self.packets[0][0] <= now:
            _, packet = self.packets.popleft()
            try:
                os.write(self.tun, packet)
            except OSError:
                pass  # The end has no room, as an interface may not.
        return self.packets[0][0] if self.packets else None


def main():
    near_name, far_name, delay, rate, queue, loss = sys.argv[1:]
    try:
        # A link keeps its delay while others use the processors.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        pass  # A container may not.
    near = attach(near_name, "10.0.0.1", "10.0.0.2")
    far = attach(far_name, "10.0.0.2", "10.0.0.1")
    there = Direction(far, float(delay), float(rate), float(queue), float(loss))
    back = Direction(near, float(delay))
    is_cut = False
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        due = [at for at in (there.deliver(now), back.deliver(now)) if at is not None]
        pause = max(0.0, min(due) - time.monotonic()) if due else None
        readable, _, _ = select.select([sys.stdin, near, far], [], [], pause)
        if sys.stdin in readable:
            if not sys.stdin.readline():
                return
            is_cut = True
        for tun, direction in ((near, there), (far, back)):
            if tun not in readable:
                continue
            try:
                while True:
                    packet = os.read(tun, LONGEST)
                    if not is_cut:
                        direction.take(packet, time.monotonic())
            except BlockingIOError:
                pass


main()
