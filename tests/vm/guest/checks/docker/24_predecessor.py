"""The predecessor's command: a mounted folder, `CONFIG_FILE` and `PORT`; `docker stop` ends it"""

from pathlib import Path

import engine


def check():
    engine.prepare()
    folder = Path("/run/predecessor")
    folder.mkdir(exist_ok=True)
    (folder / "config.yml").write_text("logic:\n  metrics:\n    gauges: {active: true, rtt: {active: true}}\n")
    with engine.printed("--privileged", port=8090, cwd=folder) as exporter:
        # The scrape itself is a flow.
        names = exporter.metrics().names()
        assert "tcp_rtt" in names and "tcp_cwnd" not in names, names
        engine.healthy()
