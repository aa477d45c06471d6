"""The drop-in without-capabilities.conf as printed: no capability, `unit` is known"""

import lib
import package


def check():
    with package.installed() as exporter, lib.unit("other", *lib.actor("s = socket.create_server(('127.0.0.1', 7101))")):
        lib.document(package.BY_HAND, "without-capabilities.conf", "daemon-reload")
        status = lib.status(package.main_process())
        for kind in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(status[kind], 16) == 0, f"{kind} is {status[kind]}"
        found = {"local_port": 7101, "process": "unknown"}
        if lib.about()["cgroups"] != "v1":
            found["unit"] = "check-other.service"
        lib.eventually(lambda: exporter.metrics().value("ss_tcp_listener_sockets", **found) == 1)
