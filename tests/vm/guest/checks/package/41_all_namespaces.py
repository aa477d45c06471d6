"""The drop-in all-namespaces.conf as printed: a named namespace, and a unit with `PrivateNetwork=`"""

import os
import re

import lib
import package

CONFIG = """
collect: {netns: all}
views:
  n: {by: [netns, process, unit, local_port], metrics: [sockets], state: listen}
  c: {by: [netns], metrics: [closed_total]}
"""
LISTEN = "s = socket.create_server(('127.0.0.1', int(sys.argv[1])))"


def check():
    lib.shell("ip netns add red && ip -n red link set lo up")
    with package.installed() as exporter, \
            lib.unit("private", *lib.actor(LISTEN), 7102, properties=("PrivateNetwork=yes", "User=nobody")), \
            lib.unit("red", "ip", "netns", "exec", "red", *lib.actor(LISTEN), 7103):
        package.CONFIG.write_text(CONFIG)
        lib.document(package.BY_HAND, "without-capabilities.conf", "daemon-reload", replace=[("without-capabilities", "all-namespaces")])
        private = re.search(r"\d+", os.readlink(f"/proc/{lib.show('MainPID', 'check-private')}/ns/net"))[0]

        def seen():
            metrics = exporter.metrics()
            metrics.expect(1, "ss_n_sockets", netns=private, process="python3", unit="check-private.service", local_port=7102)
            metrics.expect(1, "ss_n_sockets", netns="red", process="python3", unit="check-red.service", local_port=7103)
            metrics.expect(0, "ss_exporter_namespaces_failed")
            return metrics
        metrics = lib.eventually(seen)
        held = {labels["capability"] for labels, value in metrics.rows("ss_exporter_capability_held") if value == 1}
        assert held >= {"CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_NET_BROADCAST"}, held
