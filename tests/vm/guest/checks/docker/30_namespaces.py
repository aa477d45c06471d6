"""Containers with a network of their own: `netns`, `container_id`, every close; both images"""

from pathlib import Path

import engine
import lib

CONFIG = """
collect: {netns: all}
views:
  n: {by: [netns, process, container_id, local_port], metrics: [sockets], state: listen}
  c: {by: [container_id, direction, service_port], metrics: [closed_total]}
"""
# The rows of the page's table besides those of its first command.
ADDED = ("--cap-add SYS_ADMIN --cap-add NET_BROADCAST -v /run/netns:/run/netns:ro,rslave"
         " -v /run/docker/netns:/run/docker/netns:ro,rslave -v /run/all.yml:/config.yml:ro -e CONFIG_FILE=/config.yml")
COUNT = 50


def check():
    engine.prepare()
    Path("/run/all.yml").write_text(CONFIG)
    # ip makes the folder with its first namespace.
    lib.shell("ip netns add red && ip netns delete red")
    for replace in ([], [("no-new-privileges:true", "apparmor:unconfined"), (f"{engine.IMAGE}\n", f"{engine.IMAGE}-nonroot\n")]):
        with engine.container("bridged") as identity, \
                engine.printed(engine.WITH_PROCESSES, replace=[("--cap-drop ALL", f"--cap-drop ALL {ADDED}"), *replace]) as exporter:
            network = engine.inspect("bridged")["NetworkSettings"]
            netns = network["SandboxKey"].rsplit("/", 1)[1]

            def seen():
                metrics = exporter.metrics()
                metrics.expect(1, "ss_n_sockets", netns=netns, process="prometheus_ss_e", container_id=identity, local_port=8021)
                metrics.expect(0, "ss_exporter_namespaces_failed")
                metrics.expect(0, "ss_exporter_namespaces_unobserved")
                return True
            lib.eventually(seen)
            address = network["Networks"]["bridge"]["IPAddress"]
            lib.run("python3", "-c", f"""
import http.client
for _ in range({COUNT}):
    connection = http.client.HTTPConnection("{address}", 8021, timeout=300)
    connection.request("GET", "/-/healthy", headers={{"Connection": "close"}})
    connection.getresponse().read()
    connection.close()
""")
            closed = {"container_id": identity, "direction": "inbound", "service_port": 8021}
            lib.eventually(lambda: exporter.metrics().value("ss_c_closed_total", **closed) == COUNT)
