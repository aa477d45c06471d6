"""The images of a release: loaded and run as printed, `/metrics` answers"""

import time

import engine
import lib


def check():
    engine.prepare()
    lib.run("docker", "image", "rm", "--force", engine.IMAGE, f"{engine.IMAGE}-nonroot")
    begin = time.monotonic()
    engine.load()
    for command in (engine.WITH_PROCESSES, engine.NOT_ROOT):
        with engine.printed(command) as exporter:
            exporter.metrics().expect(1, "ss_exporter_collection_success", stage="dump")
            print(f"scraped after {time.monotonic() - begin:.0f} s")
