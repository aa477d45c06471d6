"""vsock over its loopback: states, machines, ports and owners as `ss --vsock`"""

from collections import Counter

import lib
import protocols

CONFIG = """
views:
  v: {protocol: vsock, state: all, by: [pid, unit, type, state, local_cid, vsock_port, cid, remote_vsock_port], metrics: [sockets]}
"""
HOLD = ("listener = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
        "listener.bind((socket.VMADDR_CID_ANY, 7500))",
        "listener.listen(5)",
        "held = []",
        "for _ in range(3):",
        "    held.append(socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM))",
        # VMADDR_CID_LOCAL
        "    held[-1].connect((1, 7500))",
        "    held.append(listener.accept()[0])")
STATES = {"ESTAB": "established", "LISTEN": "listen"}


def check():
    protocols.need("vsock")
    lib.run("modprobe", "vsock_loopback")
    with protocols.holder(HOLD) as process, lib.exporter(CONFIG) as exporter:
        def same():
            expected = Counter()
            for line in protocols.of_ss(process, "--vsock"):
                state, = [name for word, name in STATES.items() if word in line.split()]
                here, there = (["unknown" if part == "*" else part for part in end] for end in protocols.ends(line))
                expected[(state, *here, *there)] += 1
            assert expected["listen", "unknown", "7500", "unknown", "unknown"] == 1 and sum(expected.values()) == 7, expected
            metrics = exporter.metrics()
            labels = "pid", "unit", "type", "state", "local_cid", "vsock_port", "cid", "remote_vsock_port"
            found = {key[3:]: value for key, value in protocols.rows(metrics, "ss_v_sockets", *labels).items()
                     if key[:3] == (process, "check-holder.service", "stream")}
            assert found == expected, f"{found} is not {dict(expected)}"
            metrics.expect(1, "ss_exporter_protocol_available", protocol="vsock")
            return found
        print(lib.eventually(same))
