"""Containers of root's Podman, seen from the host: `container_id`, namespace and process"""

import engine
import lib

CONFIG = """
collect: {netns: all}
views:
  n: {by: [netns, process, container_id, local_port], metrics: [sockets], state: listen}
"""


def check():
    engine.prepare_podman()
    with engine.container("alone", "--network=none", engine="podman") as identity, lib.exporter(CONFIG) as exporter:
        # A namespace without a network of the engine's has no name.
        netns = engine.network_namespace(engine.inspect("alone", "podman")["State"]["Pid"])
        expected = {"netns": netns, "process": "prometheus_ss_e", "container_id": identity, "local_port": 8021}

        def seen():
            metrics = exporter.metrics()
            metrics.expect(1, "ss_n_sockets", **expected)
            metrics.expect(0, "ss_exporter_namespaces_failed")
            return True
        lib.eventually(seen)
