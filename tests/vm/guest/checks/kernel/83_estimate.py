"""The command `estimate`"""

import lib


def check():
    lib.run(lib.BINARY, "--create-config", "/run/default.yml")
    with lib.unit("server", *lib.actor("listener = socket.create_server(('127.0.0.1', 7052))")):
        said = lib.run(lib.BINARY, "estimate", "--config", "/run/default.yml")
    lib.run("rm", "/run/default.yml")
    assert "tcp_listener" in said and "tcp_state" in said, said
