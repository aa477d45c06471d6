"""A rootless exporter on the host's network: all sockets, owners unknown, and a warning"""

import engine
import lib


def check():
    engine.prepare_rootless()
    run = lib.block(engine.PAGE, "docker run", engine.WITH_PROCESSES).replace("\\\n", " ").split()[2:]
    with lib.unit("other", *lib.actor("s = socket.create_server(('127.0.0.1', 7301))"), properties=("User=nobody",)):
        engine.rootless("run", "--detach", *run)
        try:
            exporter = lib.Exporter()
            lib.eventually(lambda: exporter.get("/-/ready"))
            metrics = engine.listener(exporter, local_port=7301, process="unknown")
            metrics.expect(1, "ss_exporter_owners_hidden", by="user_namespace")
            assert "--userns host" in engine.rootless("logs", engine.NAME)
        finally:
            engine.rootless("rm", "--force", engine.NAME, status=None)
