"""A network namespace is deleted while it is watched"""

import lib

CONFIG = """
collect: {netns: all}
views:
  n: {by: [netns, local_port], metrics: [sockets], state: listen}
"""


def check():
    lib.shell("ip netns add gone && ip -n gone link set lo up && ip -n gone link add mark type dummy")
    with lib.exporter(CONFIG) as exporter:
        with lib.unit("gone", "ip", "netns", "exec", "gone", *lib.actor("s = socket.create_server(('127.0.0.1', 7035))")):
            lib.eventually(lambda: exporter.metrics().value("ss_n_sockets", netns="gone") == 1)
            # A veth pair ends with the namespace of one of its ends.
            lib.run("ip", "link", "add", "witness", "type", "veth", "peer", "name", "inside", "netns", "gone")
            exporter.metrics()
        lib.run("ip", "netns", "delete", "gone")
        lib.eventually(lambda: "witness" not in lib.run("ip", "link"))
        lib.eventually(lambda: not exporter.metrics().rows("ss_n_sockets", netns="gone"))
        metrics = exporter.metrics()
        metrics.expect(0, "ss_exporter_namespaces_failed")
        metrics.expect(1, "ss_exporter_collection_success", stage="dump")
