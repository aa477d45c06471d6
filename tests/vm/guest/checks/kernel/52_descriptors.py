"""The owner of a listener behind 500,000 other descriptors of its process"""

import lib
import protocols

CONFIG = "views: {l: {by: [pid, local_port], metrics: [sockets], state: listen}}"
# The listener has the last of them.
HOLD = ("import os",
        "null = open('/dev/null')",
        "others = [os.dup(null.fileno()) for _ in range(int(sys.argv[1]))]",
        "listener = socket.create_server(('127.0.0.1', 7020))")
LATER = 10


def check():
    for number in (100_000, 500_000):
        with lib.exporter(CONFIG) as exporter, \
                protocols.holder(HOLD, number, properties=("LimitNOFILE=600000",)) as process:
            lib.eventually(lambda: is_known(exporter, process))
            first = processor_time(exporter)
            for _ in range(LATER):
                exporter.metrics()
            later = (processor_time(exporter) - first) / LATER
            print(f"{number} descriptors: {first:.2f} s until the owner was known, {later:.3f} s for a later scrape")


def is_known(exporter, process):
    metrics = exporter.metrics()
    metrics.expect(1, "ss_l_sockets", pid=process, local_port=7020)
    metrics.expect(0, "ss_exporter_processes_unreadable")
    return True


def processor_time(exporter):
    return exporter.metrics().value("process_cpu_seconds_total")
