"""`apt remove` stops it and keeps /etc; installed again, it runs"""

import lib
import package


def check():
    with package.installed() as exporter:
        lib.run("apt-get", "remove", "--yes", package.NAME)
        assert not package.main_process() and package.CONFIG.exists() and package.DEFAULT.exists()
        package.install()
        lib.eventually(lambda: exporter.get("/-/healthy"))
        assert lib.run("systemctl", "is-enabled", package.UNIT).strip() == "enabled"
