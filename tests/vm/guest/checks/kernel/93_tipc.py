"""TIPC: states, messages in queues and owners as `ss --tipc`; drops, also of a socket that is gone"""

import lib
import protocols

CONFIG = """
views:
  t: {by: [state], metrics: [sockets]}
  v:
    protocol: tipc
    state: all
    by: [pid, unit, uid, type, state]
    metrics: [sockets, receive_queue_messages, send_queue_messages, dropped_messages_total]
"""
# Three connections, and two sockets for datagrams: one with unread messages, one with more than it may keep.
HOLD = ("held = []",
        "def tipc(kind, service):",
        "    held.append(socket.socket(socket.AF_TIPC, kind))",
        "    if service: held[-1].bind((socket.TIPC_ADDR_NAMESEQ, service, 0, 0, socket.TIPC_NODE_SCOPE))",
        "    return held[-1]",
        "def to(service): return (socket.TIPC_ADDR_NAME, service, 0, 0)",
        "listener = tipc(socket.SOCK_STREAM, 7600)",
        "listener.listen(5)",
        "for _ in range(3):",
        # The other end answers once it accepts.
        "    tipc(socket.SOCK_STREAM, 0).setblocking(False)",
        "    held[-1].connect_ex(to(7600))",
        "    held.append(listener.accept()[0])",
        "tipc(socket.SOCK_RDM, 7601), tipc(socket.SOCK_DGRAM, 7602)",
        "sender = tipc(socket.SOCK_DGRAM, 0)",
        "held[-2].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)",
        "for service, count in ((7601, 5), (7602, 200)):",
        "    for _ in range(count): sender.sendto(bytes(500), to(service))")
STATES = {"LISTEN": "listen", "ESTAB": "established", "UNCONN": "close"}


def check():
    protocols.need("tipc")
    with lib.exporter(CONFIG) as exporter:
        exporter.metrics().expect(0, "ss_exporter_protocol_available", protocol="tipc")
        # Debian's kernel loads it for no socket.
        lib.run("modprobe", "tipc")
        with protocols.holder(HOLD, properties=("User=nobody",)) as process:
            dropped = lib.eventually(lambda: same(exporter, process))

        def kept():
            metrics = exporter.metrics()
            metrics.expect(0, "ss_v_sockets", pid=process)
            metrics.expect(dropped, "ss_v_dropped_messages_total", pid=process, type="dgram")
            return True
        lib.eventually(kept)


def same(exporter, process):
    expected = {state: [0, 0, 0] for state in STATES.values()}
    for line in protocols.of_ss(process, "--tipc"):
        words = line.split()
        at, state = next((at, STATES[word]) for at, word in enumerate(words) if word in STATES)
        for column, value in enumerate((1, *words[at + 1:at + 3])):
            expected[state][column] += int(value)
    assert [sockets for sockets, _, _ in expected.values()] == [1, 6, 3], expected
    metrics = exporter.metrics()
    metrics.expect(1, "ss_exporter_protocol_available", protocol="tipc")
    labels = {"pid": process, "uid": 65534, "unit": "check-holder.service"}
    for state, (sockets, *queues) in expected.items():
        metrics.expect(sockets, "ss_v_sockets", state=state, **labels)
        # A listener has no messages.
        for name, value in zip(("receive_queue_messages", "send_queue_messages"), queues if state != "listen" else ()):
            metrics.expect(value, f"ss_v_{name}", state=state, **labels)
    kept, dropped = (metrics.value(f"ss_v_{name}_messages{suffix}", type="dgram", **labels)
                     for name, suffix in (("receive_queue", ""), ("dropped", "_total")))
    assert dropped > 0 and kept + dropped == 200, f"{kept} kept, {dropped} dropped"
    metrics.expect(5, "ss_v_receive_queue_messages", type="rdm", **labels)
    return dropped
