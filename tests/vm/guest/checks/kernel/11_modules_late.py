"""Without `tcp_diag` the error says what to load, and the next start works"""

from pathlib import Path

import lib

BLOCKED = Path("/etc/modprobe.d/check.conf")


def check():
    if "/tcp_diag.ko" in next(Path("/lib/modules").glob("*/modules.builtin")).read_text():
        raise lib.Absent("built in")
    lib.run("modprobe", "tcp_diag")
    # Other modules use inet_diag, too.
    users = [each.name for each in Path("/sys/module/inet_diag/holders").iterdir()]
    lib.run("modprobe", "--remove", *users, "inet_diag")
    BLOCKED.write_text("install tcp_diag /bin/false\ninstall inet_diag /bin/false\n")
    try:
        properties = ("Type=exec", "Restart=on-failure", "RestartSec=1s", "StartLimitIntervalSec=0")
        with lib.unit("exporter", lib.BINARY, properties=[f"{each}" for each in properties]):
            lib.eventually(lambda: "load the modules inet_diag and tcp_diag" in lib.journal())
            BLOCKED.unlink()
            exporter = lib.Exporter()
            lib.eventually(lambda: exporter.get("/-/ready"))
            exporter.metrics().expect(1, "ss_exporter_collection_success", stage="dump")
    finally:
        BLOCKED.unlink(missing_ok=True)
