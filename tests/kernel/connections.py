"""Sockets, and packets that are lost, for the cases of `ends.py`."""

import socket
import subprocess
import sys
import time

SERVICE = 4000
CONNECTED, ACCEPTED, UNKNOWN, SILENT = "connected", "accepted", "unknown", "silent"


def line(end, who, later=None):
    """What is expected of an end."""
    local, remote = end.getsockname()[1], end.getpeername()[1]
    print(local, remote, who, later or who, flush=True)


def ready():
    """All ends are as they shall be."""
    print(flush=True)
    sys.stdin.readline()


def bound(port, family=socket.AF_INET, protocol=0):
    """A socket that shares its port."""
    new = socket.socket(family, socket.SOCK_STREAM, protocol)
    new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    new.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", port))
    return new


def listener(port=SERVICE, family=socket.AF_INET, protocol=0):
    """A listener that shares its port."""
    new = bound(port, family, protocol)
    new.listen(10)
    return new


def pair(family=socket.AF_INET, protocol=0):
    """The two ends of a connection whose listener is gone."""
    door = listener(0, family, protocol)
    client = socket.socket(family, socket.SOCK_STREAM, protocol)
    client.connect(door.getsockname())
    server = door.accept()[0]
    door.close()
    return client, server


def both(client, server, later_client=None, later_server=None):
    """Both ends of a connection."""
    line(client, CONNECTED, later_client)
    line(server, ACCEPTED, later_server)
    ready()


def fill(end):
    """Writes as much as there is room for."""
    end.setblocking(False)
    try:
        while True:
            end.send(bytes(65536))
    except BlockingIOError:
        end.setblocking(True)


def drops(rule):
    """Drops received packets from now on, or none."""
    text = "add table inet t\ndelete table inet t\n"
    if rule:
        text += f"table inet t {{\nchain c {{\ntype filter hook input priority 0\n{rule} drop\n}}\n}}\n"
    # sudo may keep the PATH of a user, in which Debian has no /usr/sbin.
    subprocess.run(["/usr/sbin/nft", "-f", "-"], input=text, text=True, check=True)


def sysctl(name, value):
    """Sets a variable of the namespace."""
    with open(f"/proc/sys/net/{name}", "w") as file:
        file.write(value)


def settle():
    """Packets on loopback arrive, and delayed acknowledgements are sent."""
    time.sleep(0.15)


def close(*ends):
    """Closes one after the other."""
    for end in ends:
        end.close()
        settle()
