"""The commands of *systemd by hand*, as printed"""

import lib
import package


def check():
    if package.CONFIG.exists():
        lib.run("apt", "purge", "--yes", package.NAME)
    try:
        lib.document(package.BY_HAND, "useradd", "enable --now")
        metrics = lib.eventually(lib.Exporter().metrics)
        metrics.expect(0, "ss_exporter_processes_unreadable")
        metrics.expect(32 << 20, "ss_exporter_destroy_events_buffer_bytes")
    finally:
        lib.shell(f"""
            systemctl disable --now {package.UNIT}
            rm -r /etc/systemd/system/{package.NAME}.* /etc/{package.NAME} /etc/default/{package.NAME} /usr/bin/prometheus_ss_exporter
            rm /etc/sysctl.d/10-{package.NAME}.conf
            systemctl daemon-reload
            userdel {package.NAME}""")
