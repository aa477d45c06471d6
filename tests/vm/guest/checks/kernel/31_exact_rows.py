"""200 connections to a unit: exact rows, IPv4 and IPv6"""

import lib

COUNT = 200
SENT, ANSWERED = 1000, 500
SERVER = ("import threading", "listener = socket.create_server((sys.argv[1], int(sys.argv[2])), family=int(sys.argv[3]))",
          "def serve():",
          "    while True:",
          "        with listener.accept()[0] as connection:",
          f"            connection.recv({SENT}, socket.MSG_WAITALL)",
          f"            connection.sendall(bytes({ANSWERED}))",
          "            connection.recv(1)",
          "threading.Thread(target=serve).start()")
CLIENT = f"""
import socket, sys
for _ in range({COUNT}):
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
        connection.sendall(bytes({SENT}))
        connection.recv({ANSWERED}, socket.MSG_WAITALL)
"""


def exchange(exporter, address, port, family):
    with lib.unit(f"server{family}", *lib.actor(*SERVER), address, port, family):
        lib.eventually(lambda: f":{port} " in lib.run("ss", "-ltn"))
        lib.run("python3", "-c", CLIENT, address, port)

        def settled():
            metrics = exporter.metrics()
            for direction in ("inbound", "outbound"):
                metrics.expect(COUNT, "ss_tcp_closed_total", service_port=port, direction=direction)
            return metrics
        metrics = lib.eventually(settled)
        metrics.expect(COUNT * ANSWERED, "ss_tcp_sent_bytes_total", service_port=port, direction="inbound")
        metrics.expect(COUNT * SENT, "ss_tcp_sent_bytes_total", service_port=port, direction="outbound")
        # The client closes first: the server's end has read its FIN, and the client's may have read the server's.
        metrics.expect(COUNT * (SENT + 1), "ss_tcp_received_bytes_total", service_port=port, direction="inbound")
        received = metrics.value("ss_tcp_received_bytes_total", service_port=port, direction="outbound")
        assert COUNT * ANSWERED <= received <= COUNT * (ANSWERED + 1), received
        return metrics


def check():
    with lib.exporter() as exporter:
        exporter.metrics()
        exchange(exporter, "127.0.0.1", 7001, 2)
        if not lib.has_ipv6():
            raise lib.Absent("IPv4: ok")
        exchange(exporter, "::1", 7002, 10)
