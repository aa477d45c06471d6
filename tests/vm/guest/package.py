"""The Debian package, installed and running, for the checks of the group `package`."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import lib

NAME = "prometheus-ss-exporter"
UNIT = f"{NAME}.service"
SOCKET = f"{NAME}.socket"
CONFIG = Path(f"/etc/{NAME}/config.yml")
DEFAULT = Path(f"/etc/default/{NAME}")
OVERRIDES = [Path(f"/etc/systemd/system/{unit}.d") for unit in (UNIT, SOCKET)]
PAGE = "docs/install/debian.md"
BY_HAND = "docs/install/systemd.md"


def install():
    """As the page prints it."""
    lib.document(PAGE, "apt install ./", cwd=lib.RELEASE)


@contextmanager
def installed():
    """An exporter as after the installation; what a check changes in /etc is as before afterwards."""
    if not CONFIG.exists() or not Path("/usr/bin/prometheus_ss_exporter").exists():
        install()
    kept = {file: file.read_bytes() for file in (CONFIG, DEFAULT)}
    try:
        yield lib.Exporter()
    finally:
        for file, content in kept.items():
            file.write_bytes(content)
        for folder in OVERRIDES:
            shutil.rmtree(folder, ignore_errors=True)
        lib.run("systemctl", "disable", "--now", SOCKET, status=None)
        lib.run("systemctl", "daemon-reload")
        lib.run("systemctl", "reset-failed", UNIT, SOCKET, status=None)
        lib.run("systemctl", "restart", UNIT)


def main_process():
    return int(lib.show("MainPID", UNIT))


def journal():
    return lib.journal(UNIT)


def replaced(process):
    """Waits until another process answers in its place."""
    def another():
        now = main_process()
        return now not in (0, process) and lib.show("ActiveState", UNIT) == "active" and lib.Exporter().get("/-/healthy")
    lib.eventually(another)
