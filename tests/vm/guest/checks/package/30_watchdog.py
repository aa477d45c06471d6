"""The watchdog replaces a stopped exporter"""

import os
import signal

import package


def check():
    with package.installed():
        process = package.main_process()
        os.kill(process, signal.SIGSTOP)
        package.replaced(process)
        assert "watchdog" in package.journal().lower(), package.journal()
