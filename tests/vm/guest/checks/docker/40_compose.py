"""`docker compose up` as printed: Prometheus scrapes the exporter and loads the alerts"""

import json
import re

import engine
import lib


def ask(path):
    return json.loads(lib.Exporter(9090).get(f"/api/v1/{path}"))["data"]


def check():
    engine.prepare()
    file = lib.REPOSITORY / "deploy/docker-compose.yml"
    engine.image_of_prometheus(re.search(r"image: (prom/prometheus:\S+)", file.read_text())[1])
    try:
        lib.document(engine.PAGE, "docker compose", "up --detach")
        lib.eventually(lambda: ask("query?query=up")["result"][0]["value"][1] == "1")
        lib.eventually(lambda: ask("query?query=ss_tcp_listener_sockets")["result"])
        assert ask("rules")["groups"], "no rules"
        owners = {each["metric"]["process"] for each in ask("query?query=ss_tcp_listener_sockets")["result"]}
        assert "prometheus" in owners, owners
    finally:
        lib.run("docker", "compose", "--file", file, "down", "--volumes", status=None)
