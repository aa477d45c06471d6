"""`docker compose up` as printed: Prometheus scrapes the exporter and loads the alerts"""

import json
import re

import engine
import lib

FILE = lib.REPOSITORY / "deploy/docker-compose.yml"


def ask(path):
    return json.loads(lib.Exporter(9090).get(f"/api/v1/{path}"))["data"]


def listeners():
    return {each["metric"]["process"] for each in ask("query?query=ss_tcp_listener_sockets")["result"]}


def check():
    engine.prepare()
    engine.image_of_prometheus(re.search(r"image: (prom/prometheus:\S+)", FILE.read_text())[1])
    try:
        lib.document(engine.PAGE, "docker compose", "up --detach")
        lib.eventually(lambda: [each["value"][1] for each in ask("query?query=up")["result"]] == ["1"])
        lib.eventually(lambda: {"prometheus", "prometheus_ss_e"} <= listeners())
        assert ask("rules")["groups"], "no rules"
    finally:
        print(lib.run("docker", "compose", "--file", FILE, "logs", "--tail=20", status=None))
        lib.run("docker", "compose", "--file", FILE, "down", "--volumes", status=None)
