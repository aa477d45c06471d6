"""The page's command with `podman`, as root: `process` and `unit` of all sockets"""

import engine
import lib


def check():
    engine.prepare_podman()
    with lib.unit("other", *lib.actor("s = socket.create_server(('127.0.0.1', 7300))"), properties=("User=nobody",)), \
            engine.printed(engine.WITH_PROCESSES, engine="podman") as exporter:
        metrics = engine.listener(exporter, local_port=7300, process="python3", unit="check-other.service")
        metrics.expect(0, "ss_exporter_processes_unreadable")
