"""Network namespaces: named, nameless, `PrivateNetwork=`"""

import os
import re

import lib

LISTEN = ("listener = socket.create_server((sys.argv[1], int(sys.argv[2])))",
          "client = socket.create_connection((sys.argv[1], int(sys.argv[2])))",
          "server = listener.accept()[0]")
CONFIG = """
collect: {netns: all}
views:
  n: {by: [netns, process, unit, local_port], metrics: [sockets], state: listen}
  c: {by: [netns, process, unit, direction, service_port], metrics: [sockets]}
"""


def check():
    lib.shell("""
        ip netns add red && ip netns add blue
        ip link add near type veth peer name far netns red
        ip addr add 198.18.0.1/24 dev near && ip link set near up
        ip -n red addr add 198.18.0.2/24 dev far && ip -n red link set far up && ip -n red link set lo up
        ip -n blue link set lo up""")
    nameless = ("unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh")
    with lib.unit("red", "ip", "netns", "exec", "red", *lib.actor(*LISTEN), "198.18.0.2", 7030), \
            lib.unit("blue", "ip", "netns", "exec", "blue", *lib.actor(*LISTEN), "127.0.0.1", 7031), \
            lib.unit("nameless", *nameless, *lib.actor(*LISTEN), "127.0.0.1", 7032), \
            lib.unit("private", *lib.actor(*LISTEN), "127.0.0.1", 7033, properties=("PrivateNetwork=yes",)), \
            lib.exporter(CONFIG) as exporter:

        def number(name):
            return re.search(r"\d+", os.readlink(f"/proc/{lib.show('MainPID', f'check-{name}')}/ns/net"))[0]

        def seen():
            metrics = exporter.metrics()
            for name, netns, port in (("red", "red", 7030), ("blue", "blue", 7031), ("nameless", number("nameless"), 7032),
                                      ("private", number("private"), 7033)):
                owner = {"netns": netns, "process": "python3", "unit": f"check-{name}.service"}
                metrics.expect(1, "ss_n_sockets", local_port=port, **owner)
                for direction in ("inbound", "outbound"):
                    metrics.expect(1, "ss_c_sockets", direction=direction, service_port=port, **owner)
            metrics.expect(0, "ss_exporter_namespaces_failed")
            return True
        lib.eventually(seen)
        assert not exporter.metrics().rows("ss_c_sockets", netns=""), "a row without a namespace"
