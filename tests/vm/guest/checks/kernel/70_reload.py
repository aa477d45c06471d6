"""SIGHUP keeps counters; a broken file changes nothing"""

from pathlib import Path

import lib

SHORT = """
import socket
listener = socket.create_server(("127.0.0.1", 7040))
for _ in range(20):
    client = socket.create_connection(listener.getsockname())
    server = listener.accept()[0]
    server.close(), client.recv(1), client.close()
"""
KEPT = 'kept: {by: [direction, service_port], metrics: [closed_total], select: "sport = :7040 or dport = :7040"}'
ADDED = "added: {by: [state], state: all, metrics: [sockets]}"


def check():
    with lib.exporter(f"views:\n  {KEPT}\n") as exporter:
        def reload(views, successful):
            Path("/run/check.yml").write_text("views:\n" + "".join(f"  {view}\n" for view in views))
            lib.run("systemctl", "kill", "--signal=HUP", "--kill-who=main", "check-exporter")
            lib.eventually(lambda: exporter.metrics().value("ss_exporter_config_last_reload_successful") == successful)

        def closed(count):
            lib.eventually(lambda: exporter.metrics().value("ss_kept_closed_total", direction="outbound") == count)
        exporter.metrics()
        lib.run("python3", "-c", SHORT)
        closed(20)
        reload([KEPT, "broken: {by: direction}"], 0)
        assert "line 3" in lib.journal() or ":3:" in lib.journal(), lib.journal()
        closed(20)
        assert not exporter.metrics().rows("ss_added_sockets")
        reload([ADDED, KEPT], 1)
        assert lib.eventually(lambda: exporter.metrics().value("ss_added_sockets", state="listen"))
        closed(20)
        lib.run("python3", "-c", SHORT)
        closed(40)
