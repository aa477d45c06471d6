"""What the checks share: an exporter as a unit, its metrics, processes with connections, commands."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

INPUT = Path("/input")
RELEASE = INPUT / "release"
SECURITY = Path("/sys/kernel/security")
REPOSITORY = INPUT / "repository"
BINARY = "/usr/local/bin/prometheus_ss_exporter"
TRAFFIC = INPUT / "traffic"
PORT = 8020
# Ten times what a slow host needs.
PATIENCE = 300
# Documents print commands for a machine with sudo and with what was built before.
COMMANDS = {
    "/usr/local/bin/sudo": 'exec "$@"',
    str(REPOSITORY / "deploy/build-binary"): f"echo {BINARY}",
}


class Absent(Exception):
    """This machine has no such thing: the reason, in a few words."""


def boot():
    """Puts the program where units and other users find it, and waits until the machine has started."""
    subprocess.run(["systemctl", "is-system-running", "--wait"], stdout=subprocess.DEVNULL)
    shutil.copy(INPUT / "prometheus_ss_exporter", BINARY)
    os.chmod(BINARY, 0o755)
    for name, script in COMMANDS.items():
        Path(name).write_text(f"#!/bin/sh\n{script}\n")
        os.chmod(name, 0o755)
    os.chdir(REPOSITORY)


def run(*command, status=0, **options):
    """The output of a command, both streams; an error if it ends with another status. None accepts any."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, **options)
    if status is not None and done.returncode != status:
        raise AssertionError(f"{command} ended with {done.returncode}, not {status}:\n{done.stdout}")
    return done.stdout


def shell(script, **options):
    """The output of a script of bash."""
    return run("bash", "-euo", "pipefail", "-c", script, **options)


def eventually(condition, seconds=PATIENCE):
    """What `condition` returns once it is true and raises nothing."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if value := condition():
                return value
            error = AssertionError("it never became true")
        except (AssertionError, OSError, http.client.HTTPException) as raised:
            error = raised
        if time.monotonic() > deadline:
            raise error
        time.sleep(0.5)


def about():
    """What this machine is."""
    cgroups = run("stat", "-f", "-c", "%T", "/sys/fs/cgroup").strip()
    layout = "v2" if cgroups == "cgroup2fs" else "hybrid" if Path("/sys/fs/cgroup/unified").exists() else "v1"
    return {
        "Linux": os.uname().release,
        "architecture": os.uname().machine,
        "systemd": run("systemctl", "--version").split()[1],
        "cgroups": layout,
        "AppArmor": apparmor(),
        "lockdown": lockdown(),
        "iproute2": re.search(r"iproute2-([\w.]+)", run("ip", "-V"))[1],
    }


def apparmor():
    """How many of AppArmor's profiles are enforced."""
    profiles = SECURITY / "apparmor/profiles"
    if not profiles.exists():
        return "off"
    return f"{profiles.read_text().count('(enforce)')} profiles enforced"


def lockdown():
    """The active level of the lockdown module: the word in brackets."""
    return re.search(r"\[(\w+)\]", (SECURITY / "lockdown").read_text())[1]


def has_ipv6():
    return Path("/proc/net/if_inet6").exists()


def kernel():
    """The kernel's version as two numbers."""
    return tuple(int(part) for part in os.uname().release.split(".")[:2])


# Units and processes -------------------------------------------------------------------------------------------------

def clean_up():
    """Ends what a check has left."""
    run("systemctl", "stop", "check-*", status=None)
    run("systemctl", "reset-failed", status=None)
    run("ip", "-all", "netns", "delete", status=None)


def journal(unit="check-exporter", lines=40):
    return run("journalctl", "--no-pager", "--output=cat", f"--lines={lines}", f"--unit={unit}", status=None)


@contextmanager
def unit(name, *command, properties=()):
    """A command as the transient unit check-NAME.service, until the block ends."""
    properties = [f"--property={each}" for each in properties]
    run("systemd-run", "--quiet", f"--unit=check-{name}", *properties, *command)
    try:
        yield f"check-{name}.service"
    finally:
        run("systemctl", "stop", f"check-{name}.service", status=None)
        run("systemctl", "reset-failed", f"check-{name}.service", status=None)


def show(key, unit):
    """A property of a unit."""
    return run("systemctl", "show", f"--property={key}", "--value", unit).strip()


def status(process):
    """The lines of a process's status in /proc."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


@contextmanager
def exporter(config=None, *arguments, properties=(), port=PORT):
    """An exporter as check-exporter.service, ready, with its metrics. `config` is the text of its file."""
    file = []
    if config is not None:
        Path("/run/check.yml").write_text(config)
        file = ["--config=/run/check.yml"]
    with unit("exporter", BINARY, f"--port={port}", *file, *arguments, properties=("Type=notify", *properties)):
        yield Exporter(port)


def actor(*lines):
    """The command of a process that runs these lines of Python and stays."""
    return "python3", "-c", "\n".join(["import socket, sys, time", *lines, "time.sleep(1e6)"])


@contextmanager
def process(*command, **options):
    """A process of its own session, ended with all that it has started."""
    started = subprocess.Popen([str(word) for word in command], start_new_session=True, **options)
    try:
        yield started
    finally:
        try:
            os.killpg(started.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        started.wait()


class Exporter:
    """What an exporter at a port of this machine answers."""

    def __init__(self, port=PORT):
        self.port = port

    def get(self, path, headers=None, expected=200):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        assert answer.status == expected, f"{path}: {answer.status} {text}"
        return text

    def metrics(self):
        """A scrape that had all the time that its collection needed."""
        def complete():
            metrics = Metrics(self.get("/metrics"))
            return metrics if metrics.value("ss_exporter_collection_success", stage="collection") != 0 else None
        return eventually(complete)

    def process_id(self):
        return int(show("MainPID", "check-exporter"))


class Metrics:
    """The samples of one scrape."""

    LINE = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
    LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text):
        self.samples = {}
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            found = self.LINE.match(line)
            assert found, f"not a sample: {line!r}"
            key = found[1], frozenset(self.LABEL.findall(found[2] or ""))
            assert key not in self.samples, f"twice: {line!r}"
            self.samples[key] = float(found[3])

    def rows(self, name, **labels):
        """Labels and value of each sample with these labels, and perhaps others."""
        wanted = {(key, str(value)) for key, value in labels.items()}
        return [(dict(held), value) for (of, held), value in self.samples.items() if of == name and wanted <= held]

    def value(self, name, **labels):
        """The sum of the samples with these labels; None without one."""
        rows = self.rows(name, **labels)
        return sum(value for _, value in rows) if rows else None

    def names(self):
        return {name for name, _ in self.samples}

    def expect(self, value, name, **labels):
        found = self.value(name, **labels)
        assert found == value, f"{name} {labels} is {found}, not {value}; there are: {self.rows(name)[:20]}"


# Documents -----------------------------------------------------------------------------------------------------------

def document(page, *phrases, replace=(), **options):
    """Runs the block of a page with these phrases as it is printed, but for (word, other word) of `replace`."""
    script = block(page, *phrases)
    for old, new in replace:
        assert old in script, f"{old!r} is not in: {script}"
        script = script.replace(old, new)
    return run("bash", "-e", "-c", script, **options)


def blocks(page):
    """The fenced blocks of a page."""
    return re.findall(r"^```[^\n]*\n(.*?)^```$", (REPOSITORY / page).read_text(), re.M | re.S)


def block(page, *phrases):
    """The first fenced block of a page with all of these phrases."""
    found = [each for each in blocks(page) if all(phrase in each for phrase in phrases)]
    assert found, f"{page} has no block with {phrases}"
    return found[0]
