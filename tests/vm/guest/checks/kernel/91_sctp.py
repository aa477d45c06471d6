"""SCTP: associations, endpoints and unread memory as `ss -S`, packets as their process counts them"""

import json
import re
from collections import Counter
from pathlib import Path

import lib
import protocols

COUNTED = Path("/run/check-sctp.json")
CONFIG = """
views:
  v: {protocol: sctp, state: all, by: [pid, state, local_port, remote_port], metrics: [sockets, receive_memory_bytes]}
  a:
    protocol: sctp
    by: [local_address, local_port, remote_address, remote_port]
    metrics: [sent_packets_total, received_packets_total, missing_chunks, primary_path_rtt_seconds]
"""
# A listener with three accepted associations, the first with unread messages; and two associations of one socket.
HOLD = ("import json, os, struct, threading",
        "def sctp(kind, port):",
        "    made = socket.socket(socket.AF_INET, kind, socket.IPPROTO_SCTP)",
        "    made.bind(('127.0.0.1', port))",
        "    return made",
        "listener = sctp(socket.SOCK_STREAM, 7400)",
        "listener.listen(5)",
        "streams = []",
        "for number in range(3):",
        "    streams += [sctp(socket.SOCK_STREAM, 7401 + number)]",
        "    streams[-1].connect(('127.0.0.1', 7400))",
        "    streams += [listener.accept()[0]]",
        "for _ in range(7): streams[0].send(bytes(300))",
        "many = [sctp(socket.SOCK_SEQPACKET, 7410 + number) for number in range(3)]",
        "for each in many: each.listen(5)",
        "for other in many[1:]: many[0].sendto(bytes(100), other.getsockname())",
        # SCTP_GET_ASSOC_STATS: after an id and an address six numbers, of them the packets sent and received.
        "def packets(each): return struct.unpack('=136x6Q72x', each.getsockopt(socket.IPPROTO_SCTP, 112, 256))[3:5]",
        "def count():",
        "    while True:",
        "        counted = {f'{each.getsockname()[1]} {each.getpeername()[1]}': packets(each) for each in streams}",
        f"        with open('{COUNTED}.new', 'w') as file: json.dump(counted, file)",
        f"        os.rename('{COUNTED}.new', '{COUNTED}')",
        "        time.sleep(1)",
        "threading.Thread(target=count, daemon=True).start()")


def listed(process):
    """The lines of ss about the sockets of a process, with listeners asked for alone.

    In one answer the kernel may name a listening socket as the last listener and as the first with associations. Then ss of
    iproute2 5.9 takes the second for an association, has no word for its state, and crashes.
    """
    return protocols.of_ss(process, "-S", "-l") + protocols.of_ss(process, "-S", "exclude", "listening")


def state(line):
    """The state of an association, which ss writes below its socket, or of the socket, which only listens or does not."""
    association = re.match(r" *`- (\w+)", line)
    if association:
        name = association[1].lower()
        return {"estab": "established", "ack_sent": "shutdown_ack_sent", "closed": "close"}.get(name, name)
    return "listen" if line.startswith("LISTEN") else "close"


def check():
    protocols.need("sctp")
    with protocols.holder(HOLD) as process, lib.exporter(CONFIG) as exporter:
        lib.eventually(COUNTED.exists)

        def same():
            sockets, memory = Counter(), Counter()
            for line in listed(process):
                (_, local), (_, remote) = protocols.ends(line)
                key = state(line), local, remote.replace("*", "0")
                if key[0] == "established":
                    sockets[key] += 1
                    memory[key] += int(line.replace("`-", "").split()[1])
                else:
                    # With Linux 6.1 a socket that listens stands there again with its associations.
                    sockets[key] = 1
            metrics = exporter.metrics()
            labels = "pid", "state", "local_port", "remote_port"
            found = {key[1:]: value for key, value in protocols.rows(metrics, "ss_v_sockets", *labels).items()
                     if key[0] == process}
            assert found == sockets, f"{found} is not {dict(sockets)}"
            unread = protocols.rows(metrics, "ss_v_receive_memory_bytes", "state", "local_port", "remote_port")
            unread = {key: value for key, value in unread.items() if key[0] == "established"}
            assert unread == memory, f"{unread} is not {dict(memory)}"
            assert memory["established", "7400", "7401"] > 0, memory
            counted = {tuple(key.split()): value for key, value in json.loads(COUNTED.read_text()).items()}
            columns = [protocols.rows(metrics, f"ss_a_{name}", "local_port", "remote_port")
                       for name in ("sent_packets_total", "received_packets_total")]
            shown = {key: [column[key] for column in columns] for key in counted}
            assert shown == counted, f"{shown} is not {counted}"
            return sockets, counted
        sockets, counted = lib.eventually(same)
        assert sum(count for key, count in sockets.items() if key[0] == "established") == 6 + 4, sockets
        metrics = exporter.metrics()
        metrics.expect(1, "ss_exporter_protocol_available", protocol="sctp")
        metrics.expect(0, "ss_a_missing_chunks")
        assert all(0 < value < 10 for _, value in metrics.rows("ss_a_primary_path_rtt_seconds")), metrics.samples
        print(counted)
