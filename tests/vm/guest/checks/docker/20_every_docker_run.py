"""Every `docker run` of the documents as printed answers and becomes healthy"""

import re
from pathlib import Path

import engine
import lib


def check():
    engine.prepare()
    folder = Path("/run/printed")
    folder.mkdir(exist_ok=True)
    (folder / "config.yml").write_text("views:\n  mine: {by: [state], state: all, metrics: [sockets]}\n")
    pages = ["README.md", *sorted((lib.REPOSITORY / "docs").rglob("*.md"))]
    # A quoted line of the log begins with its level.
    commands = [block for page in pages for block in lib.blocks(page) if "docker run" in block and "level=" not in block]
    assert len(commands) >= 3, commands
    for block in commands:
        print(block)
        port = re.search(r"PORT=(\d+)", block)
        with engine.printed(block, port=int(port[1]) if port else lib.PORT, cwd=folder) as exporter:
            exporter.metrics().expect(1, "ss_exporter_collection_success", stage="dump")
            engine.healthy()
