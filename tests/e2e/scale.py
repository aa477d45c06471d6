"""Watches a Prometheus that scrapes synthetic_hosts.py, and prints what it takes beside what was predicted.

scale.py PROMETHEUS TARGETS DATA HOSTS CHURN --seconds SECONDS --log LOG
"""

import argparse
import json
import pathlib
import re
import time
import urllib.parse
import urllib.request
import zlib

INTERVAL = 5
EVALUATION = 15
# What Prometheus adds of each target: up, scrape_duration_seconds and three that count samples and series.
ADDED = 5
# Seconds of a rate.
WINDOW = 60


def fetch(address):
    with urllib.request.urlopen(f"http://{address}", timeout=30) as reply:
        return reply.read()


class Prometheus:
    def __init__(self, address, data):
        self.address, self.data = address, pathlib.Path(data)

    def own(self, name):
        """Returns the value of one of its own metrics."""
        return float(re.search(rf"^{name}(?:\{{.*\}})? (\S+)$", fetch(f"{self.address}/metrics").decode(), re.MULTILINE)[1])

    def ask(self, query):
        """Returns the first value of a query."""
        answer = json.loads(fetch(f"{self.address}/api/v1/query?{urllib.parse.urlencode({'query': query})}"))
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else 0.0

    def appended(self):
        return self.own("prometheus_tsdb_head_samples_appended_total")


def size(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main():
    arguments = argparse.ArgumentParser()
    for name in ("prometheus", "targets", "data"):
        arguments.add_argument(name)
    arguments.add_argument("hosts", type=int)
    arguments.add_argument("churn", type=float)
    arguments.add_argument("--seconds", type=int, required=True)
    arguments.add_argument("--log", required=True)
    options = arguments.parse_args()
    prometheus = Prometheus(options.prometheus, options.data)

    per_flow = int(re.search(r"(\d+) for a flow", pathlib.Path(options.log).read_text(encoding="utf-8"))[1])
    body = fetch(f"{options.targets}/metrics/0")
    series = sum(not line.startswith(b"#") for line in body.splitlines())
    begin = time.monotonic()
    # Before the first block is cut, which empties the log.
    time.sleep(WINDOW)
    log_bytes, log_samples = size(prometheus.data / "wal"), prometheus.appended()
    most_series = most_memory = chunks = cpu = 0
    while time.monotonic() < begin + options.seconds:
        now = prometheus.own("prometheus_tsdb_head_series")
        if now > most_series:
            most_series, chunks = now, prometheus.own("prometheus_tsdb_head_chunks")
            # Both count from the first scrape.
            lasted = time.monotonic() - begin
        most_memory = max(most_memory, prometheus.own("process_resident_memory_bytes"))
        if not cpu and time.monotonic() > begin + options.seconds - WINDOW:
            cpu, samples, since = prometheus.own("process_cpu_seconds_total"), prometheus.appended(), time.monotonic()
        time.sleep(2)
    passed = time.monotonic() - since
    rate = (prometheus.appended() - samples) / passed
    cpu = (prometheus.own("process_cpu_seconds_total") - cpu) / passed
    rules = prometheus.ask('count({__name__=~".+:ss_.+"})')
    churned = options.hosts * options.churn * per_flow
    standing = options.hosts * (series + ADDED) + rules
    # Where a series ends, a sample says so.
    expected = options.hosts * (series + ADDED) / INTERVAL + rules / EVALUATION + churned
    rows = [
        ("hosts x series", f"{options.hosts} x {series}", ""),
        ("new series a second", "", f"{churned:.0f}"),
        ("most head series", f"{most_series:.0f}", f"{standing + churned * lasted:.0f}"),
        ("head series at the end", f"{prometheus.own('prometheus_tsdb_head_series'):.0f}", ""),
        ("series of rules", f"{rules:.0f}", ""),
        ("samples a second", f"{rate:.0f}", f"{expected:.0f}"),
        ("head chunks", f"{chunks:.0f}", ""),
        ("resident memory, most (MiB)", f"{most_memory / 2**20:.0f}", ""),
        ("memory of a head series (bytes)", f"{most_memory / most_series:.0f}", ""),
        ("write-ahead log, bytes a sample", f"{log_bytes / log_samples:.2f}", ""),
        ("scrape, mean (ms)", f"{1000 * prometheus.ask('avg(scrape_duration_seconds)'):.1f}", ""),
        ("scrape, slowest (ms)", f"{1000 * prometheus.ask('max(scrape_duration_seconds)'):.1f}", ""),
        ("targets up", f"{prometheus.ask('sum(up)'):.0f}", f"{options.hosts}"),
        ("CPUs", f"{cpu:.2f}", ""),
        ("bytes of a scrape, identity", f"{len(body)}", ""),
        ("bytes of a scrape, gzip", f"{len(zlib.compress(body, 1))}", ""),
    ]
    print("| what | measured | predicted |\n|---|---|---|")
    for what, measured, predicted in rows:
        print(f"| {what} | {measured} | {predicted} |", flush=True)


main()
