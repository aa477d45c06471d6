"""The RPM package of a release: `rpm --install`, enabled and started as printed, `/metrics` answers; erased, nothing runs"""

import time

import lib
import package

PAGE = "docs/install/rpm.md"


def check():
    if package.CONFIG.exists():
        lib.run("apt-get", "purge", "--yes", package.NAME)
    begin = time.monotonic()
    try:
        # rpm's database knows no package of Debian.
        lib.document(PAGE, "dnf install", replace=[("dnf install", "rpm --install --nodeps")], cwd=lib.RELEASE)
        metrics = lib.eventually(lib.Exporter().metrics)
        print(f"installed and scraped in {time.monotonic() - begin:.0f} s")
        metrics.expect(1, "ss_exporter_baseline_complete")
        metrics.expect(0, "ss_exporter_processes_unreadable")
        metrics.expect(32 << 20, "ss_exporter_destroy_events_buffer_bytes")
        assert int(lib.status(package.main_process())["CapEff"], 16) == 0x80004
        lib.run("rpm", "--verify", "--nodeps", package.NAME)
    finally:
        lib.run("rpm", "--erase", package.NAME)
    assert not package.main_process()
    lib.run("systemctl", "status", package.UNIT, status=4)
