"""The kernel loads `tcp_diag` when an unprivileged user asks first"""

from pathlib import Path

import lib


def check():
    modules = {line.split()[0] for line in Path("/proc/modules").read_text().splitlines()}
    builtin = next(Path("/lib/modules").glob("*/modules.builtin")).read_text()
    if "/tcp_diag.ko" in builtin:
        raise lib.Absent("built in")
    assert not modules & {"inet_diag", "tcp_diag"}, "a module is loaded before anything has asked"
    lib.run("runuser", "--user=plain", "--", lib.BINARY, "--once")
    modules = {line.split()[0] for line in Path("/proc/modules").read_text().splitlines()}
    assert {"inet_diag", "tcp_diag"} <= modules, modules
