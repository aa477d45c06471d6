"""A protocol whose module cannot be loaded: one warning, an empty view, all others work; its sockets appear once it is loaded"""

from pathlib import Path

import lib
import protocols

BLOCKED = Path("/etc/modprobe.d/check.conf")
CONFIG = """
views:
  t: {state: all, by: [pid, local_port], metrics: [sockets]}
  v: {protocol: vsock, state: all, by: [pid, vsock_port], metrics: [sockets]}
"""
HOLD = ("tcp = socket.create_server(('127.0.0.1', 7500))",
        "vsock = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
        "vsock.bind((socket.VMADDR_CID_ANY, 7500))",
        "vsock.listen(5)")


def warnings():
    lines = lib.journal(lines=1000).splitlines()
    return [line for line in lines if "does not report the sockets of a protocol" in line and "protocol=vsock" in line]


def check():
    protocols.need("vsock")
    lib.run("modprobe", "vsock_loopback")
    lib.run("modprobe", "--remove", "vsock_diag")
    BLOCKED.write_text("install vsock_diag /bin/false\n")
    try:
        with protocols.holder(HOLD) as process, lib.exporter(CONFIG) as exporter:
            for _ in range(3):
                metrics = exporter.metrics()
                metrics.expect(0, "ss_exporter_protocol_available", protocol="vsock")
                metrics.expect(None, "ss_v_sockets")
                metrics.expect(1, "ss_t_sockets", pid=process, local_port=7500)
                metrics.expect(1, "ss_exporter_collection_success", stage="dump")
            lib.eventually(warnings)
            BLOCKED.unlink()

            def appeared():
                metrics = exporter.metrics()
                metrics.expect(1, "ss_exporter_protocol_available", protocol="vsock")
                metrics.expect(1, "ss_v_sockets", pid=process, vsock_port=7500)
                return True
            lib.eventually(appeared)
            warning, = warnings()
            assert "load the module vsock_diag" in warning, warning
    finally:
        BLOCKED.unlink(missing_ok=True)
