"""The package installs as printed: enabled, running, `/metrics` answers"""

from pathlib import Path

import lib
import package


def check():
    package.install()
    assert lib.run("systemctl", "is-enabled", package.UNIT).strip() == "enabled"
    assert lib.run("systemctl", "is-enabled", package.SOCKET, status=None).strip() == "disabled"
    with package.installed() as exporter:
        metrics = exporter.metrics()
        metrics.expect(1, "ss_exporter_baseline_complete")
        # rmem_max was raised, and the kernel grants twice that.
        assert int(Path("/proc/sys/net/core/rmem_max").read_text()) >= 16777216
        metrics.expect(32 << 20, "ss_exporter_destroy_events_buffer_bytes")
