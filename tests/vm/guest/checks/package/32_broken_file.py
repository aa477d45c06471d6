"""A broken file is one failed start, not a loop"""

import time

import lib
import package


def check():
    with package.installed():
        package.CONFIG.write_text("views:\n  mine: {by: direction}\n")
        lib.run("systemctl", "restart", package.UNIT, status=1)
        # Three times RestartSec=: what would be started again would have been.
        time.sleep(15)
        assert lib.show("ActiveState", package.UNIT) == "failed"
        assert lib.show("NRestarts", package.UNIT) == "0"
        assert lib.show("ExecMainStatus", package.UNIT) == "2"
        assert f"{package.CONFIG}:2:" in package.journal(), package.journal()
