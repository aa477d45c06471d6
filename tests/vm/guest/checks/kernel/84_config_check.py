"""`--config.check`"""

from pathlib import Path

import lib


def check():
    default = lib.shell(f"{lib.BINARY} --create-config -")
    Path("/run/good.yml").write_text(default)
    lib.run(lib.BINARY, "--config.check", "--config", "/run/good.yml")
    Path("/run/bad.yml").write_text("views:\n  one: {by: [directoin]}\n  two: {limit: many}\n")
    said = lib.run(lib.BINARY, "--config.check", "--config", "/run/bad.yml", status=2)
    assert ":2:" in said and ":3:" in said and "direction" in said, said
