"""`unit`, `process` and `user`, also of closed connections"""

import lib

SERVER = ("listener = socket.create_server(('127.0.0.1', 7020))",
          "held = []",
          "while True: held.append(listener.accept()[0])")
CLIENT = ("held = [socket.create_connection(('127.0.0.1', 7020)) for _ in range(3)]",)
SHORT = "import socket\nfor _ in range(5): socket.create_connection(('127.0.0.1', 7020)).close()"
CONFIG = """
views:
  t: {by: [unit, process, user, direction, service_port], metrics: [sockets, closed_total], select: "sport = :7020 or dport = :7020"}
  l: {by: [unit, process, user, local_port], metrics: [sockets], state: listen}
"""


def check():
    with lib.exporter(CONFIG) as exporter, lib.unit("server", *lib.actor(*SERVER), properties=("User=nobody",)):
        lib.eventually(lambda: ":7020 " in lib.run("ss", "-ltn"))
        with lib.unit("client", *lib.actor(*CLIENT), properties=("User=plain",)):
            server = {"unit": "check-server.service", "process": "python3", "user": "nobody"}
            client = {"unit": "check-client.service", "process": "python3", "user": "plain"}

            def owned():
                metrics = exporter.metrics()
                metrics.expect(1, "ss_l_sockets", local_port=7020, **server)
                metrics.expect(3, "ss_t_sockets", direction="inbound", service_port=7020, **server)
                metrics.expect(3, "ss_t_sockets", direction="outbound", service_port=7020, **client)
                metrics.expect(0, "ss_exporter_sockets_without_owner")
                metrics.expect(0, "ss_exporter_processes_unreadable")
                return True
            lib.eventually(owned)
            lib.run("python3", "-c", SHORT)
        # What a listener accepts is its unit's, though no scrape has seen it. Clients of other processes are unknown.

        def closed():
            metrics = exporter.metrics()
            assert metrics.value("ss_t_closed_total", direction="outbound", service_port=7020) == 8
            metrics.expect(3, "ss_t_closed_total", direction="outbound", **client)
            return True
        lib.eventually(closed)
