"""The command with two capabilities: `process` and `unit` of all sockets"""

import engine
import lib


def check():
    engine.prepare()
    with lib.unit("other", *lib.actor("s = socket.create_server(('127.0.0.1', 7200))"), properties=("User=nobody",)), \
            engine.printed(engine.WITH_PROCESSES) as exporter:
        def owned():
            metrics = exporter.metrics()
            metrics.expect(1, "ss_tcp_listener_sockets", local_port=7200, process="python3", unit="check-other.service")
            metrics.expect(0, "ss_exporter_processes_unreadable")
            # A health check may end while its owner is searched for.
            metrics.expect(0, "ss_exporter_sockets_without_owner")
            return True
        lib.eventually(owned)
        assert int(lib.status(engine.inspect(engine.NAME)["State"]["Pid"])["CapEff"], 16) == 0x80004
