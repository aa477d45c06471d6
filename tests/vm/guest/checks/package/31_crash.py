"""systemd replaces an exporter that was killed"""

import os
import signal

import lib
import package


def check():
    with package.installed():
        for _ in range(2):
            process = package.main_process()
            os.kill(process, signal.SIGKILL)
            package.replaced(process)
        assert int(lib.show("NRestarts", package.UNIT)) >= 2
