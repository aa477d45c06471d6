"""An exporter whose port is taken starts once the port is free"""

import lib
import package


def check():
    with package.installed() as exporter:
        lib.run("systemctl", "stop", package.UNIT)
        with lib.unit("taker", *lib.actor("s = socket.create_server(('', 8020), family=socket.AF_INET)")):
            lib.eventually(lambda: ":8020 " in lib.run("ss", "-ltn"))
            lib.run("systemctl", "start", package.UNIT, status=1)
            lib.eventually(lambda: int(lib.show("NRestarts", package.UNIT)) >= 1)
            assert "another program listens there" in package.journal(), package.journal()
        lib.eventually(lambda: exporter.get("/-/healthy"))
