"""Containers of an unprivileged user, seen from the host: `container_id`, own namespace, process and user"""

import engine
import lib

CONFIG = """
collect: {netns: all}
views:
  n: {by: [netns, process, container_id, user, local_port], metrics: [sockets], state: listen}
"""


def check():
    engine.prepare_rootless()
    identity = engine.rootless("run", "--detach", "--name=alone", "--network=none", engine.IMAGE, "--port=8022").strip().splitlines()[-1]
    try:
        netns = engine.network_namespace(engine.rootless("inspect", "--format", "{{.State.Pid}}", "alone").strip())
        expected = {"netns": netns, "process": "prometheus_ss_e", "container_id": identity, "user": "plain", "local_port": 8022}
        with lib.exporter(CONFIG) as exporter:
            lib.eventually(lambda: exporter.metrics().value("ss_n_sockets", **expected) == 1)
    finally:
        engine.rootless("rm", "--force", "alone", status=None)
