"""Values of BBR and Vegas"""

import lib

HOLD = ("port = int(sys.argv[2])",
        "listener = socket.create_server(('127.0.0.1', port))",
        "client = socket.socket()",
        "client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, sys.argv[1].encode())",
        "client.connect(('127.0.0.1', port))",
        "server = listener.accept()[0]",
        "for _ in range(20):",
        "    client.sendall(bytes(9000)), server.recv(9000, socket.MSG_WAITALL)",
        "    server.sendall(bytes(9000)), client.recv(9000, socket.MSG_WAITALL)")
CONFIG = """
views:
  bbr: {by: [local_address, local_port, remote_address, remote_port], metrics: ["bbr_*"], select: "dport = :7012"}
  vegas: {by: [local_address, local_port, remote_address, remote_port], metrics: ["vegas_*"], select: "dport = :7013"}
"""


def check():
    missing = [name for name in ("bbr", "vegas") if "not found" in lib.run("modprobe", f"tcp_{name}", status=None)]
    if len(missing) == 2:
        raise lib.Absent("no module")
    with lib.unit("bbr", *lib.actor(*HOLD), "bbr", 7012), lib.unit("vegas", *lib.actor(*HOLD), "vegas", 7013), \
            lib.exporter(CONFIG) as exporter:
        if "bbr" not in missing:
            metrics = lib.eventually(lambda: (found := exporter.metrics()).value("ss_bbr_bbr_bandwidth_bytes_per_second") and found)
            assert 0 < metrics.value("ss_bbr_bbr_min_rtt_seconds") < 60
            assert 0.3 < metrics.value("ss_bbr_bbr_pacing_gain") < 3
        if "vegas" not in missing:
            assert 0 < lib.eventually(lambda: exporter.metrics().value("ss_vegas_vegas_rtt_seconds")) < 60
    if missing:
        raise lib.Absent(f"no {missing[0]}")
