"""The image `-nonroot` without a capability: `unit` of all sockets; with capabilities: `process`, too"""

import engine
import lib

CAPABILITIES = f"--cap-drop ALL --pid host --cap-add SYS_PTRACE --cap-add DAC_READ_SEARCH {engine.UNCONFINED}"


def check():
    engine.prepare()
    with lib.unit("other", *lib.actor("s = socket.create_server(('127.0.0.1', 7202))"), properties=("User=nobody",)):
        other = {"local_port": 7202, "unit": "check-other.service"}
        with engine.printed(engine.NOT_ROOT) as exporter:
            engine.listener(exporter, process="unknown", **other)
            assert int(lib.status(engine.inspect(engine.NAME)["State"]["Pid"])["CapPrm"], 16) == 0
        # no-new-privileges would take away what the file of the program permits.
        replace = [("--cap-drop ALL", CAPABILITIES), ("--security-opt no-new-privileges:true", "")]
        with engine.printed(engine.NOT_ROOT, replace=replace) as exporter:
            engine.listener(exporter, process="python3", **other)
