"""Every close in other network namespaces"""

import lib

COUNT = 100
SHORT = f"""
import socket
listener = socket.create_server(("127.0.0.1", 0))
for _ in range({COUNT}):
    client = socket.create_connection(listener.getsockname())
    server = listener.accept()[0]
    client.sendall(bytes(700)), server.recv(700, socket.MSG_WAITALL)
    server.close(), client.recv(1), client.close()
"""
CONFIG = """
collect: {netns: all}
views:
  c: {by: [netns, direction], metrics: [closed_total, sent_bytes_total]}
"""


def check():
    lib.shell("""
        ip netns add red && ip netns add blue
        ip link add near type veth peer name far netns red
        ip -n red link set lo up && ip -n blue link set lo up""")
    # A namespace without a socket is not asked.
    idle = lib.actor("listener = socket.create_server(('127.0.0.1', 7034))")
    with lib.unit("red", "ip", "netns", "exec", "red", *idle), lib.unit("blue", "ip", "netns", "exec", "blue", *idle), \
            lib.exporter(CONFIG) as exporter:
        lib.eventually(lambda: exporter.metrics().value("ss_exporter_namespaces_unobserved") == 1)

        def count(netns):
            before = exporter.metrics().value("ss_c_closed_total", netns=netns, direction="outbound") or 0
            lib.run("ip", "netns", "exec", netns, "python3", "-c", SHORT)

            def counted():
                metrics = exporter.metrics()
                metrics.expect(before + COUNT, "ss_c_closed_total", netns=netns, direction="outbound")
                metrics.expect((before + COUNT) * 700, "ss_c_sent_bytes_total", netns=netns, direction="outbound")
                return True
            lib.eventually(counted)
        count("red")
        lib.run("ip", "netns", "set", "blue", "auto")
        lib.eventually(lambda: exporter.metrics().value("ss_exporter_namespaces_unobserved") == 0)
        count("blue")
        exporter.metrics().expect(0, "ss_exporter_destroy_events_dropped_total")
