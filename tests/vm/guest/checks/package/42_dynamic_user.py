"""`DynamicUser=`: sockets of such a unit, and an exporter as one"""

import lib

LISTEN = "s = socket.create_server(('127.0.0.1', 7104))"
CONFIG = """
views:
  l: {by: [unit, process, user, local_port], metrics: [sockets], state: listen}
"""
CAPABILITIES = "AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH"


def check():
    with lib.unit("dynamic", *lib.actor(LISTEN), properties=("DynamicUser=yes",)):
        # Before it listens, its process may still be root's.
        lib.eventually(lambda: ":7104 " in lib.run("ss", "-ltn"))
        user = lib.status(lib.show("MainPID", "check-dynamic"))["Uid"].split()[0]
        expected = {"local_port": 7104, "unit": "check-dynamic.service", "process": "python3"}
        for properties in ((), ("DynamicUser=yes", CAPABILITIES)):
            with lib.exporter(CONFIG, properties=properties, port=8120) as exporter:
                # Dynamic users are in no /etc/passwd.
                lib.eventually(lambda: exporter.metrics().value("ss_l_sockets", user=user, **expected) == 1)
