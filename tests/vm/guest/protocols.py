"""Sockets of other protocols than TCP: what `ss` shows of those of a process, and what a view of an exporter shows."""

import subprocess
from contextlib import contextmanager

import lib

# By protocol: the end of the alias by which the kernel loads what reports its sockets.
REPORTED_BY = {"raw": "2-255", "sctp": "2-132", "tipc": "30", "vsock": "40", "smc": "43", "xdp": "44"}

# Tells systemd that the lines before have run.
READY = ("import os",
         "with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:",
         "    notify.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])")


@contextmanager
def holder(lines, *arguments, properties=()):
    """The process of the unit check-holder.service, which has run these lines of Python and keeps what they have opened."""
    command = *lib.actor(*lines, *READY), *arguments
    with lib.unit("holder", *command, properties=("Type=notify", "TimeoutStartSec=infinity", *properties)) as unit:
        yield lib.show("MainPID", unit)


def is_known(protocol):
    """Whether this kernel has what reports the sockets of the protocol, loaded or not."""
    alias = f"net-pf-16-proto-4-type-{REPORTED_BY[protocol]}"
    return subprocess.run(["modprobe", "--dry-run", "--quiet", alias]).returncode == 0


def need(protocol):
    if not is_known(protocol):
        raise lib.Absent("not in this kernel")


def of_ss(process, *options):
    """The lines of `ss` about the sockets of a process."""
    return [line for line in lib.run("ss", "-HanpO", *options).splitlines() if f"pid={process}," in line]


def ends(line):
    """Both ends of a socket in a line of `ss`: the words with a colon before its processes, without brackets."""
    words = [word for word in line.split(" users:")[0].split() if ":" in word]
    return [tuple(word.replace("[", "").replace("]", "").rsplit(":", 1)) for word in words[:2]]


def rows(metrics, metric, *labels):
    """The values of a metric by these labels."""
    found = {}
    for held, value in metrics.rows(metric):
        key = tuple(held[label] for label in labels)
        found[key] = found.get(key, 0) + value
    return found
