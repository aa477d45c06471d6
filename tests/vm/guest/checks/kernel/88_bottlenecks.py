"""What limits a connection, over links made by netem: each cause named in most intervals, and 95 % of all"""

import lib

TEST = "each_cause_is_named_in_most_intervals_and_95_percent_of_all_are_right"


def check():
    modules = "sch_netem", "tcp_bbr", "veth"
    if missing := [module for module in modules if lib.run("modprobe", "--dry-run", module, status=None)]:
        raise lib.Absent(f"no {', '.join(missing)}")
    lib.run("modprobe", "--all", *modules)
    # An emulated processor carries one link at a time.
    variables = f"CARGO_BIN_EXE_prometheus_ss_exporter={lib.BINARY}", "NETEM=1", "AT_ONCE=1"
    print(lib.run("env", *variables, lib.INPUT / "bottlenecks", "--exact", TEST, "--nocapture"))
