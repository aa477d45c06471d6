"""The page and `/api/v1/sockets`"""

import json

import lib

HOLD = ("listener = socket.create_server(('127.0.0.1', 7050))",
        "client = socket.create_connection(('127.0.0.1', 7050))",
        "server = listener.accept()[0]")


def check():
    with lib.unit("holder", *lib.actor(*HOLD)), lib.exporter() as exporter:
        lib.eventually(lambda: ":7050 " in lib.run("ss", "-tn"))

        def listed():
            sockets = json.loads(exporter.get("/api/v1/sockets"))["sockets"]
            mine = [each for each in sockets if 7050 in (each["local_port"], each["remote_port"])]
            return {(each["unit"], each["process"]) for each in mine} == {("check-holder.service", "python3")}
        lib.eventually(listed)
        page = exporter.get("/")
        assert "<html" in page and ":7050" in page, page[:2000]
        exporter.get("/api/v1/sockets", headers={"Host": "evil.example"}, expected=421)
        assert exporter.get("/-/healthy") and exporter.get("/-/ready") and "views:" in exporter.get("/config")
