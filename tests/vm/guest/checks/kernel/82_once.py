"""`--once`, as root and unprivileged"""

import lib


def check():
    for user in ("root", "plain"):
        text = lib.shell(f"runuser --user={user} -- {lib.BINARY} --once 2>/dev/null")
        metrics = lib.Metrics(text)
        metrics.expect(1, "ss_exporter_collection_success", stage="dump")
        assert "ss_tcp_state_sockets" in metrics.names() and "ss_exporter_build_info" in metrics.names()
