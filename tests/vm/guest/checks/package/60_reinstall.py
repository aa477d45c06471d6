"""`apt install --reinstall` starts it again and keeps the configuration"""

import lib
import package


def check():
    with package.installed() as exporter:
        process = package.main_process()
        package.CONFIG.write_text("views:\n  mine: {by: [state], state: all, metrics: [sockets]}\n")
        lib.document(package.PAGE, "apt install ./", cwd=lib.RELEASE, replace=[("apt install", "apt install --reinstall")])
        package.replaced(process)
        assert lib.run("systemctl", "is-enabled", package.UNIT).strip() == "enabled"
        assert lib.eventually(lambda: exporter.metrics().rows("ss_mine_sockets", state="listen"))
