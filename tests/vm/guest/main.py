"""Runs the checks of this guest one after another, and reports each as a line of JSON.

A check is a file of checks/GROUP. Its docstring is the row of the table; its function `check` raises an error if the
promise is broken, and lib.Absent if this machine has no such thing.
"""

import importlib.util
import json
import os
import signal
import sys
import time
import traceback
from fnmatch import fnmatch
from pathlib import Path

import lib

CHECKS = Path(__file__).parent / "checks"
# Ten times what a slow host needs: an emulated machine shares its processor with others.
DEADLINE = 900


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(path, outcome):
    """In a process of its own: what the check came to is a line of `outcome`."""
    try:
        load(path).check()
        result = ["ok", ""]
    except lib.Absent as reason:
        result = ["absent", str(reason)]
    except BaseException:
        traceback.print_exc()
        print(lib.run("journalctl", "--no-pager", "--output=cat", "--lines=60"))
        result = ["failed", ""]
    os.write(outcome, json.dumps(result).encode())


def supervise(path):
    """Runs one check, ends what it leaves behind, and returns its status and reason."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        run(path, writer)
        os._exit(0)
    os.close(writer)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(DEADLINE)
    with os.fdopen(reader) as outcome:
        text = outcome.read()
    os.waitpid(child, 0)
    signal.alarm(0)
    lib.clean_up()
    return json.loads(text) if text else ["failed", "past its deadline"]


def main():
    plan = json.loads(Path("/input/plan.json").read_text())
    lib.boot()
    with open("/dev/virtio-ports/results", "w") as results:
        def report(**values):
            print(json.dumps(values), file=results, flush=True)

        report(about=lib.about())
        for group in plan["groups"]:
            for path in sorted((CHECKS / group).glob("*.py")):
                name = f"{group}/{path.stem}"
                if not any(fnmatch(name, pattern) for pattern in plan["only"]):
                    continue
                begin = time.monotonic()
                print(f"-- {name}", flush=True)
                status, reason = supervise(path)
                print(f"-- {name}: {status} {reason} ({time.monotonic() - begin:.0f} s)", flush=True)
                report(check=name, title=load(path).__doc__.strip(), status=status, reason=reason)
        report(end=True)


if __name__ == "__main__":
    sys.exit(main())
