"""Many synthetic exporters on one port: /metrics/N is what the host N shows.

synthetic_hosts.py EXPOSITION PORT [--services 20] [--flows 72] [--churn 0] [--active 0.5]
synthetic_hosts.py EXPOSITION --history    two hours of a host, every 15 seconds, for `promtool tsdb create-blocks-from`

The lines are those of a real exposition: a row of the view tcp stands for each service, a row of the predecessor's
families for each flow, under labels of their own; all other lines are as they were. A host has --churn new flows a
second, each in place of the oldest, and --active of its rows change. Rows are written whole, not family by family,
which Prometheus does not mind.
"""

import argparse
import http.server
import random
import re
import socketserver
import time


def parse(exposition):
    """Returns the lines of a row of the view tcp, those of a flow, and all others."""
    lines = exposition.splitlines()
    service = next(re.search(r"\{(.*)\}", line)[1] for line in lines if line.startswith("ss_tcp_sockets{"))
    flow = next(re.search(r"\{(.*)\}", line)[1] for line in lines if line.startswith("tcp_rtt{"))
    services = [line for line in lines if line.startswith("ss_tcp_") and "{" + service in line]
    flows = [line for line in lines if line.startswith("tcp_") and "{" + flow in line]
    others = [line for line in lines if not re.match(r'ss_tcp_(?!state|listener)\w+\{|tcp_\w+\{flow=', line)]
    return template(services, service), template(flows, flow), "\n".join(others) + "\n"


def template(lines, labels):
    """Returns a row as a text for its labels, with a value to fill in for each line."""
    names = [line.rpartition(" ")[0].replace("%", "%%").replace(labels, "%(labels)s") for line in lines]
    return "".join(f"{name} %({number})s\n" for number, name in enumerate(names))


def service_labels(number):
    return f'process="server-{number % 7}",unit="server-{number % 7}.service",direction="inbound",service_port="{number + 1}"'


def flow_labels(host, number):
    remote = f"10.{host % 200}.{number // 250 % 250}.{number % 250}"
    return f'flow="(SRC#192.0.2.{host % 250}|{32768 + number % 28000})(DST#{remote}|443)"'


class Row:
    """A row whose values grow, if it is active, by a rate of its own."""

    def __init__(self, template, labels, active, now):
        self.lines = template.count("\n")
        text = template.replace("%(labels)s", labels)
        self.text = re.sub(r"%\(\d+\)s", "%d", text)
        self.rate = 10 ** random.uniform(0, 4) if random.random() < active else 0
        self.since = now

    def write(self, now):
        grown = self.rate * (now - self.since + random.random()) + 1000
        return self.text % tuple(grown * (line + 1) for line in range(self.lines))


class Host:
    def __init__(self, number, options, templates, now):
        self.number, self.options, self.templates, self.start = number, options, templates, now
        service, _, _ = templates
        self.services = [Row(service, service_labels(of), options.active, now) for of in range(options.services)]
        self.flows = {}

    def write(self, now):
        _, flow, others = self.templates
        oldest = int((now - self.start) * self.options.churn)
        wanted = range(oldest, oldest + self.options.flows)
        flows = {}
        for number in wanted:
            known = self.flows.get(number)
            flows[number] = known or Row(flow, flow_labels(self.number, number), self.options.active, now)
        self.flows = flows
        rows = [row.write(now) for row in [*self.services, *flows.values()]]
        return others + "".join(rows)


def history(options, templates):
    """Prints what a host shows in two hours, each sample with its time."""
    end = int(time.time()) // 7200 * 7200
    host = Host(0, options, templates, end - 7200)
    for now in range(end - 7200, end, 15):
        lines = (line for line in host.write(now).splitlines() if not line.startswith("#"))
        print("".join(f"{line} {now}\n" for line in lines), end="")
    print("# EOF")


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("exposition")
    arguments.add_argument("port", type=int, nargs="?")
    arguments.add_argument("--history", action="store_true")
    arguments.add_argument("--services", type=int, default=20)
    arguments.add_argument("--flows", type=int, default=72)
    arguments.add_argument("--churn", type=float, default=0)
    arguments.add_argument("--active", type=float, default=0.5)
    options = arguments.parse_args()
    with open(options.exposition, encoding="utf-8") as file:
        templates = parse(file.read())
    if options.history:
        history(options, templates)
        return
    hosts = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            number = int(self.path.rpartition("/")[2])
            now = time.monotonic()
            if number not in hosts:
                hosts[number] = Host(number, options, templates, now)
            body = hosts[number].write(now).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    service, flow, others = templates
    own = sum(not line.startswith("#") for line in others.splitlines())
    print(f"{service.count(chr(10))} series for a service, {flow.count(chr(10))} for a flow, {own} others", flush=True)
    Server(("127.0.0.1", options.port), Handler).serve_forever()


main()
