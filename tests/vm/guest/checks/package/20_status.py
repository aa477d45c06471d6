"""`systemctl status` shows the active configuration, views and addresses"""

import lib
import package


def check():
    with package.installed():
        text = lib.show("StatusText", package.UNIT)
        assert str(package.CONFIG) in text and "tcp_listener" in text and ":8020" in text, text
        assert text in lib.run("systemctl", "status", "--no-pager", "--full", package.UNIT)
