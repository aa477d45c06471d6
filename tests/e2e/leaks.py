"""The load of leaks.sh, and its verdict.

2,000 sockets close per second, of processes that live a second, each in a cgroup of its own, half of them in a network
namespace of their own; beside them, named namespaces come and go. Meanwhile the exporter is scraped every second, its
page and its list are asked, and its configuration changes. After each minute, when no client has asked for the sockets for
some seconds, memory, threads and descriptors are printed.
"""
import ctypes
import fcntl
import http.client
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

PORT = 8020
CLOSES = 2000                # per second
WORKERS = 4                  # at once
LIFE = 1.0                   # seconds of a worker
QUIET = 15                   # seconds before the end of a minute in which only scrapes go on
TOLERANCE = 0.10             # of memory
CLONE_NEWNET = 0x40000000
CONFIGS = [
    """
collect: {netns: all}
views:
  tcp: {by: [netns, process, unit, direction, service_port], limit: 500, idle: 1m}
  tcp_state: {state: all, by: [netns, state], metrics: [sockets]}
""",
    """
collect: {netns: all}
views:
  tcp: {by: [netns, process, unit, direction, service_port], limit: 500, idle: 1m}
  cgroups: {by: [cgroup, user], limit: 300, idle: 1m}
logic: {compression: {label_folding: pid_condensed}}
""",
]
FILTERS = ["", "state%20established", "dport%20%3E%201000", "state%20listening"]


def fail(why):
    sys.exit(f"FAILED: {why}")


def cgroups():
    """A folder for cgroups: below cgroup v2 where it is mounted, or mounted for this command alone."""
    for line in open("/proc/self/mountinfo"):
        before, after = line.split(" - ")
        if after.split()[0] == "cgroup2":
            root = before.split()[4]
            break
    else:
        root = tempfile.mkdtemp(prefix="cgroup2.")
        if subprocess.run(["mount", "-t", "cgroup2", "none", root]).returncode:
            fail("found no cgroup v2, and it cannot be mounted; expected one in which cgroups can be made")
    folder = f"{root}/churn-{os.getpid()}-{int(time.time())}"
    try:
        os.mkdir(folder)
        os.mkdir(f"{folder}/try")
        os.rmdir(f"{folder}/try")
    except OSError as error:
        fail(f"cannot make a cgroup: {error}; expected a cgroup v2 that is writable")
    return folder


def loopback_up():
    with socket.socket() as any_socket:
        # SIOCSIFFLAGS: IFF_UP and IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))


def work(number, folder, apart):
    """The life of a process: connections at a rate, each with a few bytes."""
    with open(f"{folder}/cgroup.procs", "w") as procs:
        procs.write("0")
    with open("/proc/self/comm", "w") as comm:
        comm.write(f"worker-{number % 1000}")
    if apart:
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
            os._exit(2)
        loopback_up()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(16)
    # Each connection closes two sockets.
    count = int(CLOSES / 2 / WORKERS * LIFE)
    start = time.monotonic()
    for done in range(count):
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        client.sendall(b"x" * (done % 2000 + 1))
        server.recv(4096)
        client.close()
        server.close()
        time.sleep(max(0, start + done * LIFE / count - time.monotonic()))
    os._exit(0)


class Load:
    """The processes that come and go."""

    def __init__(self, folder):
        self.folder, self.enough, self.made, self.failed = folder, threading.Event(), 0, 0
        # Does not outlive a verdict.
        self.named = threading.Thread(target=self.names, daemon=True)
        self.named.start()

    def names(self):
        number = 0
        while not self.enough.wait(0.2):
            number += 1
            name = f"churn{number}"
            steps = [f"ip netns add {name}", f"ip link add c{number} type veth peer name there netns {name}",
                     f"ip -n {name} link set lo up", f"ip netns del {name}"]
            if subprocess.run(" && ".join(steps), shell=True).returncode:
                self.failed += 1

    def run(self, until):
        """Keeps as many workers as there should be, until then. Called in a process of its own."""
        alive = {}
        while time.monotonic() < until or alive:
            while len(alive) < WORKERS and time.monotonic() < until:
                self.made += 1
                folder = f"{self.folder}/{self.made}"
                os.mkdir(folder)
                child = os.fork()
                if child == 0:
                    try:
                        work(self.made, folder, self.made % 2)
                    finally:
                        os._exit(1)
                alive[child] = folder
            child, status = os.wait()
            if child in alive:
                folder = alive.pop(child)
                for _ in range(100):
                    try:
                        os.rmdir(folder)
                        break
                    except OSError:
                        # Its process has ended, and the kernel has not yet said so.
                        time.sleep(0.01)
                if status:
                    os._exit(3)
        os._exit(0)


def get(path):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        fail(f"{path}: found status {answer.status}; expected 200")
    return body.decode(errors="replace")


def value(text, name):
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def held(process):
    """Memory in KiB, threads and descriptors, the minimum of one second: a collection under way has more."""
    seen = []
    for _ in range(20):
        status = dict(line.split(":", 1) for line in open(f"/proc/{process}/status"))
        seen.append((int(status["VmRSS"].split()[0]), int(status["Threads"]), len(os.listdir(f"/proc/{process}/fd"))))
        time.sleep(0.05)
    return tuple(min(column) for column in zip(*seen))


def minute(exporter, config, number):
    """Asks for a minute; the last scrape."""
    end, second, text = time.monotonic() + 60, 0, ""
    while time.monotonic() < end - 2:
        second += 1
        text = get("/metrics")
        if time.monotonic() < end - QUIET:
            get(f"/?filter={FILTERS[second % len(FILTERS)]}")
            if second % 3 == 0:
                get(f"/api/v1/sockets?filter={FILTERS[second // 3 % len(FILTERS)]}")
            if second % 10 == 0:
                with open(config, "w") as file:
                    file.write(CONFIGS[second // 10 % 2])
                exporter.send_signal(signal.SIGHUP)
        else:
            with open(config, "w") as file:
                file.write(CONFIGS[0])
            if second % 5 == 0:
                exporter.send_signal(signal.SIGHUP)
        time.sleep(max(0, min(1, end - 2 - time.monotonic())))
    time.sleep(max(0, end - 1 - time.monotonic()))
    return text


def main():
    binary, minutes = sys.argv[1], int(sys.argv[2])
    if minutes < 3:
        fail(f"found {minutes} minutes; expected at least 3")
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    loopback_up()
    with open("/proc/sys/net/ipv4/tcp_max_tw_buckets", "w") as most:
        most.write("4096")
    folder = cgroups()
    config = tempfile.mkstemp(suffix=".yml")[1]
    with open(config, "w") as file:
        file.write(CONFIGS[0])
    log = tempfile.TemporaryFile("w+")
    exporter = subprocess.Popen([binary, "--config", config, f"--web.listen-address=127.0.0.1:{PORT}"], stdout=log, stderr=log)
    try:
        for _ in range(100):
            try:
                get("/health")
                break
            except OSError:
                time.sleep(0.1)
        workers = os.fork()
        if workers == 0:
            load = Load.__new__(Load)
            load.folder, load.made = folder, 0
            load.run(time.monotonic() + 60 * minutes + 1)
        names = Load(folder)
        judge(exporter, config, minutes)
        names.enough.set()
        names.named.join()
        if os.waitpid(workers, 0)[1]:
            fail("a process of the load ended early")
    finally:
        exporter.kill()
        exporter.wait()
        log.seek(0)
        lines = log.read().splitlines()
        print(f"{len(lines)} lines in the log; the last: {lines[-1] if lines else 'none'}")
        os.unlink(config)
        # The remaining processes end with this namespace of processes; their cgroups go first.
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if os.path.isdir(f"{folder}/{name}"):
                try:
                    os.rmdir(f"{folder}/{name}")
                except OSError:
                    pass
        try:
            os.rmdir(folder)
        except OSError as error:
            print(f"a cgroup stays: {error}")


def judge(exporter, config, minutes):
    print("minute  memory KiB  threads  descriptors  events  dropped  incomplete collections")
    events, seen = 0, []
    for number in range(1, minutes + 1):
        text = minute(exporter, config, number)
        now, dropped = value(text, "ss_exporter_destroy_events_total"), value(text, "ss_exporter_destroy_events_dropped_total")
        incomplete = text.count('ss_exporter_collection_success{') - value(text, "ss_exporter_collection_success{")
        seen.append(held(exporter.pid))
        print(f"{number:6}  {seen[-1][0]:10}  {seen[-1][1]:7}  {seen[-1][2]:11}  {now - events:6.0f}  {dropped:7.0f}  {incomplete:.0f}", flush=True)
        events = now
    (memory, *rest), (last, *last_rest) = seen[1], seen[-1]
    if abs(last - memory) > TOLERANCE * memory:
        fail(f"memory: found {last} KiB after the last minute; expected {memory} KiB as after the second, within 10 %")
    if rest != last_rest:
        fail(f"threads and descriptors: found {last_rest} after the last minute; expected {rest} as after the second")
    if events / minutes / 60 < CLOSES / 4:
        fail(f"the load was too small: found {events / minutes / 60:.0f} events per second; expected some {CLOSES // 2}")
    print(f"memory, threads and descriptors stay over {minutes} minutes")


main()
