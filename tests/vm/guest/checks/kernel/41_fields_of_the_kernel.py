"""Fields of later kernels are absent, all others are present"""

import re

import lib

PAGE = "docs/reference/metrics.md"
CONFIG = """
views:
  all: {by: [local_address, local_port, remote_address, remote_port], metrics: ["*"], select: "sport = :7011 or dport = :7011"}
"""
HOLD = ("listener = socket.create_server(('127.0.0.1', 7011))",
        "client = socket.create_connection(('127.0.0.1', 7011))",
        "server = listener.accept()[0]",
        "for _ in range(20):",
        "    client.sendall(bytes(9000)), server.recv(9000, socket.MSG_WAITALL)",
        "    server.sendall(bytes(9000)), client.recv(9000, socket.MSG_WAITALL)")


def since():
    """The first Linux of each metric, as the page has it, but for those that a connection may lack for other reasons."""
    text = (lib.REPOSITORY / PAGE).read_text()
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| `(\w+)`[^|]*\| ([\d.]+) \|([^|]*)\|([^|]*)\|", text, re.M)
    algorithms = ("bbr_", "vegas_", "dctcp_")
    # Fields of MPTCP, SCTP, XDP, TIPC and unix sockets, and the messages of netlink.
    others, messages = ("mptcpi_", "sctpi_", "n_", "TIPC_", "UNIX_"), "dropped_messages_total"
    return {name: tuple(int(part) for part in version.split(".")[:2]) for name, field, version, views, says in rows
            if "absent" not in says and views.strip() != "listeners" and name != messages
            and not name.startswith(algorithms) and not field.startswith(others)}


def check():
    with lib.unit("holder", *lib.actor(*HOLD)), lib.exporter(CONFIG) as exporter:
        lib.eventually(lambda: (exporter.metrics().value("ss_all_received_bytes_total") or 0) >= 2 * 180000)
        names = exporter.metrics().names()
    metrics = since()
    assert len(metrics) > 50, f"the page was not understood: {metrics}"
    there = {name for name in metrics if f"ss_all_{name}" in names}
    expected = {name for name, version in metrics.items() if version <= lib.kernel()}
    # The age of what never came is not known; everything here has come.
    assert there == expected, f"too many: {there - expected}, too few: {expected - there}"
    print(f"{len(there)} there, {len(metrics) - len(there)} of later kernels")
