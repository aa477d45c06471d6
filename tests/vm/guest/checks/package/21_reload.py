"""`systemctl reload`: new views; a broken file fails with the reason in the status and changes nothing"""

import lib
import package


def check():
    with package.installed() as exporter:
        process = package.main_process()
        package.CONFIG.write_text("views:\n  mine: {by: [state], state: all, metrics: [sockets]}\n")
        lib.run("systemctl", "reload", package.UNIT)
        lib.eventually(lambda: exporter.metrics().rows("ss_mine_sockets", state="listen"))
        package.CONFIG.write_text("views:\n  mine: {by: state}\n")
        lib.run("systemctl", "reload", package.UNIT, status=1)
        lib.eventually(lambda: lib.show("StatusText", package.UNIT).startswith("Reload refused:"))
        assert f"{package.CONFIG}:2:" in lib.show("StatusText", package.UNIT), lib.show("StatusText", package.UNIT)
        assert f"{package.CONFIG}:2:" in package.journal(), package.journal()
        metrics = exporter.metrics()
        metrics.expect(0, "ss_exporter_config_last_reload_successful")
        assert metrics.rows("ss_mine_sockets", state="listen")
        package.CONFIG.write_text("views:\n  other: {by: [state], state: all, metrics: [sockets]}\n")
        lib.run("systemctl", "reload", package.UNIT)
        lib.eventually(lambda: "other" in lib.show("StatusText", package.UNIT))
        assert package.main_process() == process, "a reload started it again"
