"""Both ends of TCP connections, brought into the state that the first argument names.

Prints a line for each end: its ports, which end it is, and which end it is when it closes; `unknown` where the kernel's
counters do not say it, `silent` where it reports no counters. After a line on standard input the ends close.
"""

import ctypes
import socket
import struct
import subprocess
import sys
import time

from connections import *

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
MSG_FASTOPEN = 0x20000000
IPPROTO_MPTCP = 262


def idle():
    client, server = pair()
    both(client, server)
    close(client, server)


def idle_v6():
    client, server = pair(socket.AF_INET6)
    both(client, server)
    close(server, client)


def payload():
    client, server = pair()
    for size in (1, 1, 1, 70000):
        client.sendall(bytes(size))
        server.recv(size, socket.MSG_WAITALL)
        server.sendall(bytes(size))
        client.recv(size, socket.MSG_WAITALL)
    client.send(b"!", socket.MSG_OOB)
    settle()
    both(client, server)
    client.close()
    settle()
    server.recv(9)
    server.close()


def full_queues():
    client, server = pair()
    fill(client)
    fill(server)
    # Long enough for probes of the closed windows.
    time.sleep(0.6)
    both(client, server)
    close(client, server)


def half_closed():
    client, server = pair()
    client.shutdown(socket.SHUT_WR)
    settle()
    both(client, server)
    close(server, client)


def fin_behind_a_queue():
    client, server = pair()
    fill(client)
    fill(server)
    client.shutdown(socket.SHUT_WR)
    server.shutdown(socket.SHUT_WR)
    settle()
    both(client, server)
    close(client, server)


def fin_on_its_way():
    """FIN_WAIT1 at both ends."""
    client, server = pair()
    client.sendall(b"request")
    server.recv(9)
    drops("tcp flags & fin == fin")
    client.shutdown(socket.SHUT_WR)
    server.shutdown(socket.SHUT_WR)
    both(client, server)
    drops(None)
    time.sleep(1)
    close(client, server)


def last_fin_on_its_way():
    """FIN_WAIT2 and LAST_ACK."""
    client, server = pair()
    client.shutdown(socket.SHUT_WR)
    settle()
    drops("tcp flags & fin == fin")
    server.shutdown(socket.SHUT_WR)
    both(client, server)
    drops(None)
    time.sleep(1)
    close(client, server)


def closing():
    """CLOSING, and FIN_WAIT1 whose FIN has been received."""
    client, server = pair()
    drops(f"tcp dport {server.getsockname()[1]} tcp flags & fin == fin")
    client.shutdown(socket.SHUT_WR)
    settle()
    server.shutdown(socket.SHUT_WR)
    settle()
    both(client, server)
    drops(None)
    time.sleep(1)
    close(client, server)


def retransmissions():
    client, server = pair()
    drops("tcp flags & psh == psh")
    client.sendall(bytes(20000))
    server.sendall(bytes(30000))
    time.sleep(0.5)
    drops(None)
    server.recv(20000, socket.MSG_WAITALL)
    client.recv(30000, socket.MSG_WAITALL)
    settle()
    # With retransmissions, a FIN looks like a SYN.
    both(client, server, later_server=UNKNOWN)
    close(client, server)


def payload_that_is_lost():
    """Retransmissions under way."""
    client, server = pair()
    drops("tcp flags & psh == psh")
    client.sendall(bytes(20000))
    server.sendall(bytes(30000))
    time.sleep(0.5)
    both(client, server, SILENT, ACCEPTED)
    drops(None)
    abort(client)
    settle()
    server.close()


def abort(end):
    """Closes with a reset. The kernel drops the counters."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


def reset():
    """Ends that receive a reset, and ends that send one because of unread data."""
    held = [pair() for _ in range(2)]
    for client, server in held:
        client.sendall(b"unread")
    settle()
    # Without a FIN the client has sent as many sequence numbers as a server with one.
    line(held[0][0], CONNECTED, UNKNOWN)
    line(held[0][1], ACCEPTED)
    line(held[1][0], CONNECTED, SILENT)
    line(held[1][1], ACCEPTED)
    ready()
    close(held[0][1], held[0][0])
    abort(held[1][0])
    settle()
    held[1][1].close()


def fin_with_the_last_payload():
    client, server = pair()
    both(client, server, later_server=UNKNOWN)
    fill(server)
    server.close()
    while client.recv(1 << 20):
        pass
    client.close()


def fast_open():
    # Without cookies, at both ends.
    sysctl("ipv4/tcp_fastopen", "1543")
    door = listener(SERVICE)
    client = socket.socket()
    client.sendto(b"hello", MSG_FASTOPEN, ("127.0.0.1", SERVICE))
    server = door.accept()[0]
    server.recv(5)
    server.sendall(b"x")
    client.recv(1)
    settle()
    both(client, server)
    close(server, client)


def fast_open_before_the_last_acknowledgement():
    """SYN_SENT with data, and a whole socket in SYN_RECV."""
    sysctl("ipv4/tcp_fastopen", "1543")
    door = listener(SERVICE)
    drops("tcp flags & (syn|ack) == (syn|ack)")
    client = socket.socket()
    client.setblocking(False)
    try:
        client.sendto(b"hello", MSG_FASTOPEN, ("127.0.0.1", SERVICE))
    except BlockingIOError:
        pass
    server = door.accept()[0]
    port = client.getsockname()[1]
    print(port, SERVICE, CONNECTED, UNKNOWN)
    print(SERVICE, port, ACCEPTED, ACCEPTED)
    server.send(b"x")
    ready()
    drops(None)
    time.sleep(1.5)
    close(client, server)


def half_open():
    """SYN_SENT, and a request in SYN_RECV."""
    door = listener(SERVICE)
    drops("tcp flags & (syn|ack) == (syn|ack)")
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", SERVICE))
    port = client.getsockname()[1]
    print(port, SERVICE, CONNECTED, CONNECTED)
    print(SERVICE, port, ACCEPTED, SILENT)
    ready()
    client.close()
    door.close()


def refused():
    """An end that nothing answered but a reset."""
    ready()
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", SERVICE))
    settle()
    print(client.getsockname()[1], SERVICE, CONNECTED, CONNECTED, flush=True)
    client.close()


def from_a_listening_port():
    """A connection that is opened from the port of a listener."""
    doors = listener(SERVICE), listener(SERVICE + 1)
    client = bound(SERVICE)
    client.connect(("127.0.0.1", SERVICE + 1))
    server = doors[1].accept()[0]
    both(client, server)
    close(client, server)


def to_itself():
    """A connection whose two ends are one."""
    end = bound(SERVICE)
    end.connect(("127.0.0.1", SERVICE))
    end.sendall(b"x")
    end.recv(1)
    settle()
    line(end, CONNECTED)
    ready()
    end.close()


def simultaneously():
    """Both ends connect at once, and none accepts."""
    drops("tcp flags & syn == syn")
    ends = [bound(port) for port in (SERVICE, SERVICE + 1)]
    for end, port in zip(ends, (SERVICE + 1, SERVICE)):
        end.setblocking(False)
        end.connect_ex(("127.0.0.1", port))
    drops(None)
    time.sleep(1.5)
    for end in ends:
        end.sendall(b"x")
    settle()
    for end in ends:
        end.recv(1)
        line(end, CONNECTED)
    ready()
    close(ends[0], ends[1])


def connected_again():
    """A socket that was disconnected by AF_UNSPEC and connects again."""
    first, second = listener(SERVICE), listener(SERVICE + 1)
    client = socket.socket()
    client.connect(("127.0.0.1", SERVICE))
    before = first.accept()[0]
    client.sendall(b"xyz")
    before.recv(3)
    assert ctypes.CDLL(None).connect(client.fileno(), bytes(16), 16) == 0
    client.connect(("127.0.0.1", SERVICE + 1))
    server = second.accept()[0]
    client.sendall(b"xyz")
    settle()
    both(client, server)
    server.recv(3)
    close(server, client)


def multipath():
    """The two subflows of an MPTCP connection."""
    for words in ("limits set subflow 4 add_addr_accepted 4", "endpoint add 127.0.0.2 subflow"):
        subprocess.run(["ip", "mptcp", *words.split()], check=True)
    door = listener(SERVICE, protocol=IPPROTO_MPTCP)
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    client.connect(("127.0.0.1", SERVICE))
    server = door.accept()[0]
    for _ in range(20):
        client.sendall(bytes(5000))
        server.recv(5000, socket.MSG_WAITALL)
        server.sendall(bytes(100))
        client.recv(100, socket.MSG_WAITALL)
    time.sleep(0.5)
    print(0, SERVICE, CONNECTED, CONNECTED)
    print(SERVICE, 0, ACCEPTED, ACCEPTED)
    ready()
    close(client, server)


def restored():
    """Both ends of a connection that TCP_REPAIR makes, before and after data."""
    used = sys.argv[1] == "restored_and_used"
    ends = [socket.socket() for _ in range(2)]
    # What is left of the other case keeps its ports.
    ports, numbers = (SERVICE, SERVICE + 2 if used else SERVICE + 1), (0xFFFFFFF0, 1000)
    for at, end in enumerate(ends):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        end.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        end.bind(("127.0.0.1", ports[at]))
        for queue, number in ((1, numbers[1 - at]), (2, numbers[at])):
            end.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, queue)
            end.setsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, struct.pack("I", number))
        end.connect(("127.0.0.1", ports[1 - at]))
    for end in ends:
        end.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 0)
    if used:
        for _ in range(3):
            ends[0].sendall(bytes(50))
            ends[1].recv(50, socket.MSG_WAITALL)
            ends[1].sendall(bytes(50))
            ends[0].recv(50, socket.MSG_WAITALL)
        settle()
    for end in ends:
        line(end, UNKNOWN)
    ready()
    close(*ends)


restored_and_used = restored

if __name__ == "__main__":
    globals()[sys.argv[1]]()
    settle()
