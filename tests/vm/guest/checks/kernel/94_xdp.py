"""XDP: queues, users and owners as `ss --xdp`, counters as their process reads them"""

import json
import re
from pathlib import Path

import lib
import protocols

COUNTED = Path("/tmp/check-xdp.json")
CONFIG = """
views:
  v:
    protocol: xdp
    state: all
    by: [pid, uid, interface, queue]
    metrics: [sockets, tx_invalid_total, tx_ring_empty_total, rx_dropped_total]
"""
SOL_XDP = 283
RIGHTS = "User=plain", "AmbientCapabilities=CAP_NET_RAW"
# A socket for each of two queues; it sends once with an empty ring, and once a frame that is not in its memory.
HOLD = ("import ctypes, json, mmap, os, struct",
        "libc = ctypes.CDLL(None, use_errno=True)",
        "held = []",
        "def xdp(queue):",
        "    memory = mmap.mmap(-1, 64 * 4096)",
        "    made = socket.socket(44, socket.SOCK_RAW)",
        "    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))",
        # XDP_UMEM_REG, and the rings to fill and to complete, to receive and to send.
        f"    made.setsockopt({SOL_XDP}, 4, struct.pack('=QQII', address, 64 * 4096, 4096, 0))",
        f"    for ring in (5, 6, 2, 3): made.setsockopt({SOL_XDP}, ring, 64)",
        "    name = struct.pack('=HHIII', 44, 2, socket.if_nametoindex('x0'), queue, 0)",
        "    if libc.bind(made.fileno(), name, len(name)): raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))",
        # XDP_MMAP_OFFSETS: of the ring to send, where its producer and its descriptors stand.
        f"    offsets = struct.unpack('=16Q', made.getsockopt({SOL_XDP}, 1, 128))",
        "    ring = mmap.mmap(made.fileno(), offsets[6] + 64 * 16, offset=0x80000000)",
        "    held.append((made, memory, ring))",
        "    send = lambda: libc.sendto(made.fileno(), None, 0, socket.MSG_DONTWAIT, None, 0)",
        "    send()",
        "    ring[offsets[6]:offsets[6] + 16] = struct.pack('=QII', 1 << 40, 60, 0)",
        "    ring[offsets[4]:offsets[4] + 4] = struct.pack('=I', 1)",
        "    for _ in range(1 + queue): send()",
        "    return made",
        "sockets = [xdp(0), xdp(1)]",
        # XDP_STATISTICS
        f"counted = [struct.unpack('=6Q', each.getsockopt({SOL_XDP}, 7, 48)) for each in sockets]",
        f"with open('{COUNTED}', 'w') as file: json.dump(counted, file)")


def check():
    protocols.need("xdp")
    lib.run("ip", "link", "add", "x0", "numrxqueues", 2, "numtxqueues", 2, "up", "type", "veth", "peer", "x1")
    lib.run("ip", "link", "set", "x1", "up")
    try:
        with lib.exporter(CONFIG) as exporter, protocols.holder(HOLD, properties=RIGHTS) as process:
            lines = protocols.of_ss(process, "-e", "--xdp")
            expected = {re.search(r"x0:q(\d+)", line)[1]: [int(number) for number in re.findall(r"tx [a-z ]+:(\d+)", line)]
                        for line in lines}
            assert expected == {"0": [1, 1], "1": [1, 2]}, lines
            for queue, (_, _, invalid, _, _, empty) in enumerate(json.loads(COUNTED.read_text())):
                assert [invalid, empty] == expected[str(queue)], COUNTED.read_text()

            def same():
                metrics = exporter.metrics()
                metrics.expect(1, "ss_exporter_protocol_available", protocol="xdp")
                metrics.expect(2, "ss_v_sockets")
                for queue, (invalid, empty) in expected.items():
                    labels = {"pid": process, "uid": 1000, "interface": "x0", "queue": queue}
                    metrics.expect(1, "ss_v_sockets", **labels)
                    metrics.expect(invalid, "ss_v_tx_invalid_total", **labels)
                    metrics.expect(empty, "ss_v_tx_ring_empty_total", **labels)
                    metrics.expect(0, "ss_v_rx_dropped_total", **labels)
                return True
            lib.eventually(same)
    finally:
        lib.run("ip", "link", "delete", "x0")
