"""`apt purge` removes everything, the user too"""

from pathlib import Path

import lib
import package


def check():
    with package.installed():
        pass
    lib.run("apt", "purge", "--yes", package.NAME)
    assert package.NAME not in Path("/etc/passwd").read_text(), "the user is left"
    left = lib.run("find", "/etc", "/usr", "/var/lib", "-xdev", "-path", "/usr/local", "-prune", "-o",
                   "(", "-name", "*prometheus-ss-exporter*", "-o", "-name", "*prometheus_ss_exporter*", ")", "-print")
    assert not left, left
    lib.run("systemctl", "status", package.UNIT, status=4)
