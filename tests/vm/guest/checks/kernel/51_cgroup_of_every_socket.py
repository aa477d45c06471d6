"""`unit` of connections that no scrape saw"""

import lib

SERVER = ("listener = socket.create_server(('127.0.0.1', 7021))",
          "while True: listener.accept()[0].close()")
SHORT = "import socket\nfor _ in range(50): socket.create_connection(('127.0.0.1', 7021)).recv(1)"
CONFIG = """
views:
  t: {by: [unit, slice, direction, service_port], metrics: [closed_total], select: "sport = :7021 or dport = :7021"}
"""


def check():
    if lib.about()["cgroups"] == "v1":
        raise lib.Absent("no cgroup v2")
    with lib.exporter(CONFIG) as exporter, lib.unit("server", *lib.actor(*SERVER)):
        lib.eventually(lambda: ":7021 " in lib.run("ss", "-ltn"))
        exporter.metrics()
        lib.run("python3", "-c", SHORT)
        owner = {"unit": "check-server.service", "slice": "system.slice", "direction": "inbound"}
        lib.eventually(lambda: exporter.metrics().value("ss_t_closed_total", **owner) == 50)
