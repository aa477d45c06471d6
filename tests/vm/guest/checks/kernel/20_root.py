"""Root as a unit with `Type=notify`: keeps two capabilities"""

from pathlib import Path

import lib


def check():
    with lib.exporter() as exporter:
        metrics = exporter.metrics()
        metrics.expect(1, "ss_exporter_baseline_complete")
        metrics.expect(1, "ss_exporter_destroy_events_subscribed")
        metrics.expect(0, "ss_exporter_dump_malformed")
        metrics.expect(0, "ss_exporter_processes_unreadable")
        assert metrics.value("ss_tcp_state_sockets", state="listen") >= 1
        for task in Path(f"/proc/{exporter.process_id()}/task").iterdir():
            status = lib.status(task.name)
            for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
                assert int(status[kind], 16) & ~0x80004 == 0, f"{task.name}: {kind} {status[kind]}"
            assert int(status["CapEff"], 16) == 0x80004, f"{task.name}: {status['CapEff']}"
        lib.run("systemctl", "stop", "check-exporter")
        journal = lib.run("journalctl", "--output=cat", "_SYSTEMD_UNIT=check-exporter.service", "--unit=check-exporter")
        assert "Failed" not in journal, journal
