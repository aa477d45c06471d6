"""Kernel TLS: version, cipher and directions as `ss -i`"""

import re

import lib
import protocols

CONFIG = """
views:
  v: {by: [ulp, tls_version, tls_cipher, tls_offload, direction], metrics: [sockets, tls_sockets], select: "ulp = tls"}
"""
# Keys to send at one end, to receive at the other, both of TLS 1.2 with AES-GCM-128; a third end has no keys yet.
HOLD = ("import struct",
        "listener = socket.create_server(('127.0.0.1', 7800))",
        "held = []",
        "for _ in range(2): held += [socket.create_connection(('127.0.0.1', 7800)), listener.accept()[0]]",
        "keys = struct.pack('=HH', 0x0303, 51) + bytes(36)",
        "for end in held[:3]: end.setsockopt(socket.IPPROTO_TCP, 31, b'tls')",
        "held[0].setsockopt(282, 1, keys)",
        "held[1].setsockopt(282, 2, keys)")


def check():
    if lib.run("modinfo", "--field", "name", "tls", status=None).strip() != "tls":
        raise lib.Absent("not in this kernel")
    with protocols.holder(HOLD), lib.exporter(CONFIG) as exporter:
        def same():
            lines = [line for line in lib.run("ss", "-tinOH").splitlines() if "tcp-ulp-tls" in line]
            metrics = exporter.metrics()
            found = set()
            for line in lines:
                version, cipher = (re.search(rf"{word}: (\S+)", line) for word in ("version", "cipher"))
                receives, sends = (re.search(rf"{word}: (\S+)", line)[1] for word in ("rxconf", "txconf"))
                labels = {"tls_version": version[1] if version else "", "tls_cipher": cipher[1] if cipher else "",
                          "tls_offload": f"rx={receives},tx={sends}"}
                metrics.expect(1, "ss_v_sockets", ulp="tls", **labels)
                found.add(tuple(labels.values()))
            assert len(found) == 3, found
            metrics.expect(3, "ss_v_tls_sockets")
            return True
        lib.eventually(same)
