"""An exporter on the host: containers by `container_id` and namespace, published ports by unit"""

import engine
import lib

CONFIG = """
collect: {netns: all}
views:
  n: {by: [netns, process, unit, container_id, local_port], metrics: [sockets], state: listen}
"""


def check():
    engine.prepare()
    with engine.container("bridged", "--publish=8300:8021") as identity, lib.exporter(CONFIG) as exporter:
        netns = engine.inspect("bridged")["NetworkSettings"]["SandboxKey"].rsplit("/", 1)[1]

        def seen():
            metrics = exporter.metrics()
            metrics.expect(1, "ss_n_sockets", netns=netns, process="prometheus_ss_e", container_id=identity, local_port=8021)
            assert metrics.value("ss_n_sockets", process="docker-proxy", unit="docker.service", local_port=8300)
            assert not metrics.rows("ss_n_sockets", netns=""), "a row without a namespace"
            return True
        lib.eventually(seen)
