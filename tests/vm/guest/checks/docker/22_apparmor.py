"""Under Docker's AppArmor profile: owners are unknown, one warning names the profile"""

import engine
import lib


def check():
    engine.prepare()
    if "apparmor" not in lib.run("docker", "info", "--format", "{{.SecurityOptions}}"):
        raise lib.Absent("no AppArmor")
    with lib.unit("other", *lib.actor("s = socket.create_server(('127.0.0.1', 7201))"), properties=("User=nobody",)), \
            engine.printed(engine.WITH_PROCESSES, replace=[(engine.UNCONFINED, "")]) as exporter:
        metrics = engine.listener(exporter, local_port=7201, process="unknown", unit="check-other.service")
        metrics.expect(1, "ss_exporter_owners_hidden", by="security_module")
        assert metrics.value("ss_exporter_processes_unreadable") > 0
        lib.eventually(lambda: "docker-default (enforce)" in lib.run("docker", "logs", engine.NAME))
        log = lib.run("docker", "logs", engine.NAME)
        warnings = [line for line in log.splitlines() if "processes cannot be inspected although the capabilities are there" in line]
        assert len(warnings) == 1 and "apparmor:unconfined" in warnings[0], log
        assert "collect.owners" not in log, log
        assert 'operation="ptrace"' in lib.run("dmesg"), "the kernel denied nothing"
