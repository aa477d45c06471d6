"""The socket unit on port 80, without a capability for it"""

import lib
import package


def check():
    with package.installed():
        package.DEFAULT.write_text(f'ARGS="--web.systemd-socket"\nCONFIG_FILE={package.CONFIG}\n')
        package.OVERRIDES[1].mkdir()
        (package.OVERRIDES[1] / "port.conf").write_text("[Socket]\nListenStream=\nListenStream=80\n")
        lib.shell(f"systemctl daemon-reload && systemctl stop {package.UNIT} && systemctl start {package.SOCKET}")
        # The first connection starts the exporter.
        lib.eventually(lambda: lib.Exporter(80).metrics().value("ss_exporter_baseline_complete") == 1)
        assert int(lib.status(package.main_process())["CapBnd"], 16) == 0x80004
