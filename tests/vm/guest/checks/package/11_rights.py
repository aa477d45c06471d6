"""The unit: own user, two capabilities, no new privileges, seccomp; owners of other users"""

import pwd

import lib
import package


def check():
    with package.installed() as exporter, \
            lib.unit("other", *lib.actor("s = socket.create_server(('127.0.0.1', 7100))"), properties=("User=nobody",)):
        status = lib.status(package.main_process())
        for kind in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(status[kind], 16) == 0x80004, f"{kind} is {status[kind]}"
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
        assert status["Uid"].split()[0] == str(pwd.getpwnam(package.NAME).pw_uid), status["Uid"]
        owner = {"local_port": 7100, "process": "python3", "unit": "check-other.service"}
        lib.eventually(lambda: exporter.metrics().value("ss_tcp_listener_sockets", **owner) == 1)
        metrics = exporter.metrics()
        metrics.expect(0, "ss_exporter_processes_unreadable")
        metrics.expect(0, "ss_exporter_sockets_without_owner")
        denied = [line for line in lib.run("dmesg").splitlines() if "prometheus_ss_e" in line]
        assert not denied, denied
