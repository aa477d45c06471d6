"""SMC: listeners and connections, with their users and owners"""

import lib
import protocols

CONFIG = """
views:
  v: {protocol: smc, state: all, by: [pid, uid, state, local_port, remote_port], metrics: [sockets]}
"""
# Without a device for it, SMC leaves the data to TCP. Its socket is there all the same.
HOLD = ("import ctypes, os, struct",
        "libc = ctypes.CDLL(None, use_errno=True)",
        "held = []",
        "name = struct.pack('=H', 2) + struct.pack('!H4s8x', 7700, bytes([127, 0, 0, 1]))",
        "def smc(call):",
        "    held.append(socket.socket(43, socket.SOCK_STREAM))",
        "    if call(held[-1].fileno(), name, len(name)): raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))",
        "    return held[-1]",
        "listener = smc(libc.bind)",
        "listener.listen(5)",
        "for _ in range(3):",
        "    smc(libc.connect)",
        "    if libc.accept(listener.fileno(), None, None) < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))")


def check():
    protocols.need("smc")
    with protocols.holder(HOLD, properties=("User=nobody",)) as process, lib.exporter(CONFIG) as exporter:
        def shown():
            metrics = exporter.metrics()
            metrics.expect(1, "ss_v_sockets", pid=process, uid=65534, state="listen", local_port=7700)
            metrics.expect(3, "ss_v_sockets", pid=process, uid=65534, state="active", local_port=7700)
            metrics.expect(3, "ss_v_sockets", pid=process, uid=65534, state="active", remote_port=7700)
            metrics.expect(1, "ss_exporter_protocol_available", protocol="smc")
            return True
        lib.eventually(shown)
