"""Raw sockets: their queues, memory and drops as `ss -w`"""

import re

import lib
import protocols

CONFIG = """
views:
  v:
    protocol: raw
    state: all
    by: [pid, local_address, local_port, remote_address, remote_port]
    metrics: [sockets, receive_memory_bytes, receive_buffer_bytes, dropped_packets_total]
    select: "process = python3"
"""
# One without packets, one with some, one with more than it may keep, one that is connected.
HOLD = ("held = []",
        "def raw(family, address, packets):",
        "    held.append(socket.socket(family, socket.SOCK_RAW, 250))",
        "    held[-1].bind((address, 0))",
        "    held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)",
        "    for _ in range(packets): held[-1].sendto(bytes(500), (address, 0))",
        "raw(socket.AF_INET, '127.0.0.1', 0)",
        "raw(socket.AF_INET, '127.0.0.2', 3)",
        "raw(socket.AF_INET, '127.0.0.3', 100)",
        "raw(socket.AF_INET, '127.0.0.4', 0)",
        "held[-1].connect(('127.0.0.9', 0))",
        "if int(sys.argv[1]): raw(socket.AF_INET6, '::1', 2)")


def check():
    protocols.need("raw")
    with protocols.holder(HOLD, int(lib.has_ipv6())) as process, lib.exporter(CONFIG) as exporter:
        def same():
            expected = {}
            for line in protocols.of_ss(process, "-wm"):
                memory = dict(re.findall(r"(\w+?)(\d+)[,)]", line.split("skmem:(")[1]))
                expected[protocols.ends(line)[0]] = 1, int(memory["r"]), int(memory["rb"]), int(memory["d"])
            assert len(expected) == 4 + lib.has_ipv6(), expected
            metrics = exporter.metrics()
            metrics.expect(1, "ss_exporter_protocol_available", protocol="raw")
            names = "sockets", "receive_memory_bytes", "receive_buffer_bytes", "dropped_packets_total"
            columns = [protocols.rows(metrics, f"ss_v_{name}", "local_address", "local_port", "pid") for name in names]
            found = {(address, port): tuple(column[address, port, owner] for column in columns)
                     for address, port, owner in columns[0] if owner == process}
            assert found == expected, f"{found} is not {expected}"
            return found
        found = lib.eventually(same)
        assert found["127.0.0.2", "250"][1] > 0 and found["127.0.0.3", "250"][3] > 0, found
        remote = {held["remote_address"] for held, _ in exporter.metrics().rows("ss_v_sockets", local_address="127.0.0.4")}
        assert remote == {"127.0.0.9"}, remote
        print(found)
