"""Docker and Podman for the checks of these groups: the images, and exporters as the page prints them."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import lib
import package

PAGE = "docs/install/container.md"
NAME = "prometheus_ss_exporter"
IMAGE = f"{NAME}:" + re.search(r'^version = "(.*)"$', (lib.REPOSITORY / "Cargo.toml").read_text(), re.M)[1]
UNCONFINED = "--security-opt apparmor:unconfined"
# What tells the page's two commands from each other.
WITH_PROCESSES, NOT_ROOT = "SYS_PTRACE", f"{IMAGE}-nonroot"


def build():
    """Both images, as the page prints it."""
    lib.run("systemctl", "start", "docker")
    return lib.document(PAGE, "deploy/build-image")


def prepare():
    """Docker, with both images, and the port of the exporter free: the package's may be running."""
    lib.run("systemctl", "stop", package.UNIT, status=None)
    lib.run("systemctl", "start", "docker")
    if not lib.run("docker", "images", "--quiet", IMAGE).strip():
        build()


def load(*engine):
    """The images of a release, as the page prints it, for Docker or another engine with this command."""
    lib.document(PAGE, "docker load", replace=[("docker", " ".join(engine or ("docker",)))], cwd=lib.RELEASE)


@contextmanager
def printed(*phrases, port=lib.PORT, replace=(), cwd=lib.REPOSITORY, engine="docker"):
    """The exporter of the page's block with these phrases, in the foreground as it is printed."""
    script = lib.block(PAGE, "docker run", *phrases).replace("docker run", f"{engine} run")
    for old, new in replace:
        assert old in script, f"{old!r} is not in: {script}"
        script = script.replace(old, new)
    with lib.process("bash", "-e", "-c", script, cwd=cwd) as running:
        try:
            exporter = lib.Exporter(port)

            def answers():
                assert running.poll() is None or lib.run(engine, "ps", "--quiet").strip(), "the container has ended"
                return exporter.get("/-/ready")
            lib.eventually(answers)
            yield exporter
        finally:
            lib.run(engine, "stop", NAME, status=None)
            try:
                status = running.wait(lib.PATIENCE)
            except subprocess.TimeoutExpired:
                status = "not there"
            lib.run(engine, "rm", "--force", NAME, status=None)
        assert status == 0, f"the status of the stopped container is {status}"


def healthy(engine="docker", name=NAME):
    """Waits for the image's health check."""
    lib.eventually(lambda: lib.run(engine, "inspect", "--format", "{{.State.Health.Status}}", name).strip() == "healthy")


def inspect(name, engine="docker"):
    return json.loads(lib.run(engine, "inspect", name))[0]


@contextmanager
def container(name, *arguments, engine="docker"):
    """A container with a network of its own: an exporter that listens, as any process does. Its id is the value."""
    identity = lib.run(engine, "run", "--detach", f"--name={name}", *arguments, IMAGE, "--port=8021").strip().splitlines()[-1]
    try:
        yield identity
    finally:
        lib.run(engine, "rm", "--force", name, status=None)


def listener(exporter, **labels):
    """Waits until the exporter shows one listener with these labels."""
    def shown():
        metrics = exporter.metrics()
        metrics.expect(1, "ss_tcp_listener_sockets", **labels)
        return metrics
    return lib.eventually(shown)


# Prometheus ----------------------------------------------------------------------------------------------------------

def image_of_prometheus(tag):
    """An image with Debian's Prometheus and the libraries that it needs."""
    program = "/usr/bin/prometheus"
    # A static program has no libraries, and ldd's status is 1.
    libraries = re.findall(r"(/\S+\.so\S*)", lib.run("ldd", program, status=None))
    with tempfile.TemporaryDirectory() as root:
        for file in (program, *libraries):
            inside = Path(root + file)
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, inside)
        Path(root, "Dockerfile").write_text(f'FROM scratch\nCOPY . /\nENTRYPOINT ["{program}"]\n')
        lib.run("docker", "build", "--tag", tag, root)


# Podman --------------------------------------------------------------------------------------------------------------

RUNTIME = Path("/run/user/1000")
AS_PLAIN = ("runuser", "--user=plain", "--", "env", "HOME=/home/plain", f"XDG_RUNTIME_DIR={RUNTIME}",
            f"DBUS_SESSION_BUS_ADDRESS=unix:path={RUNTIME}/bus")


def prepare_podman():
    """Podman of root with the images of a release, and the port of the exporter free: the package's may be running."""
    lib.run("systemctl", "stop", package.UNIT, status=None)
    load("podman")


def prepare_rootless():
    """As `prepare_podman`, of the unprivileged user, whose session it needs."""
    lib.run("systemctl", "stop", package.UNIT, status=None)
    lib.run("loginctl", "enable-linger", "plain")
    lib.eventually((RUNTIME / "bus").exists)
    load(*AS_PLAIN, "podman")


def rootless(*arguments, **options):
    """What Podman of the unprivileged user prints."""
    return lib.run(*AS_PLAIN, "podman", *arguments, cwd="/home/plain", **options)


def network_namespace(process):
    """The inode, which is the label `netns` of a namespace without a name."""
    return str(os.stat(f"/proc/{process}/ns/net").st_ino)
