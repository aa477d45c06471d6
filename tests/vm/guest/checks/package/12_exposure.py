"""`systemd-analyze security` prints the exposures of the page"""

import re

import lib
import package


def check():
    rows = re.findall(r"^\| (the unit|with \[([\w-]+\.conf)\].*?) \|.*\| ([\d.]+) \|$", (lib.REPOSITORY / package.BY_HAND).read_text(), re.M)
    assert len(rows) == 3, rows
    with package.installed():
        for _, drop_in, exposure in rows:
            if drop_in:
                add_drop_in(drop_in)
            said = lib.run("systemd-analyze", "security", "--no-pager", package.UNIT).splitlines()[-1]
            assert f": {exposure} " in said, f"{drop_in or 'the unit'}: {said}, and the page has {exposure}"


def add_drop_in(name):
    lib.shell(f"""
        rm -rf {package.OVERRIDES[0]}
        install -D -m 0644 deploy/systemd/{name} {package.OVERRIDES[0]}/{name}
        systemctl daemon-reload""")
