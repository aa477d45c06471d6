"""Unprivileged, without a file: reports what is missing"""

import lib


def check():
    with lib.exporter(properties=("User=plain",)) as exporter:
        metrics = exporter.metrics()
        metrics.expect(1, "ss_exporter_collection_success", stage="dump")
        metrics.expect(1, "ss_exporter_destroy_events_subscribed")
        for capability in ("CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"):
            metrics.expect(0, "ss_exporter_capability_held", capability=capability)
            assert capability in lib.journal(), lib.journal()
        assert int(lib.status(exporter.process_id())["CapEff"], 16) == 0
