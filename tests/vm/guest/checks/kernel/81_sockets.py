"""The command `sockets`"""

import json

import lib

HOLD = ("listener = socket.create_server(('127.0.0.1', 7051))",
        "client = socket.create_connection(('127.0.0.1', 7051))",
        "server = listener.accept()[0]",
        "client.sendall(bytes(1234)), server.recv(1234, socket.MSG_WAITALL)")


def check():
    def sockets(*arguments):
        return lib.run(lib.BINARY, "sockets", *arguments)
    with lib.unit("holder", *lib.actor(*HOLD), properties=("User=nobody",)):
        lib.eventually(lambda: "1234" in sockets("dport = :7051"))
        row, = [line for line in sockets("dport = :7051").splitlines() if "7051" in line]
        assert row.startswith("ESTAB") and "python3(" in row, row
        assert "7051" in sockets("--listening", "sport = :7051")
        assert sockets("--all", "state time-wait or sport = :7051").count("127.0.0.1:7051") >= 2
        assert "nobody" in sockets("unit = check-holder.service and user = nobody and process = python3",
                                   "--columns", "local,remote,user,sent_bytes_total")
        found = json.loads(sockets("--json", "dport = :7051"))["sockets"]
        assert [(each["sent_bytes_total"], each["unit"]) for each in found] == [(1234, "check-holder.service")], found
