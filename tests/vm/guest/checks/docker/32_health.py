"""The health check: healthy with another `PORT`, unhealthy once the exporter is stopped"""

import engine
import lib


def check():
    engine.prepare()
    with engine.printed(engine.NOT_ROOT, port=8095, replace=[("--cap-drop ALL", "--cap-drop ALL -e PORT=8095")]):
        engine.healthy()
        lib.run("docker", "kill", "--signal=STOP", engine.NAME)
        lib.eventually(lambda: engine.inspect(engine.NAME)["State"]["Health"]["Status"] == "unhealthy")
        lib.run("docker", "kill", "--signal=CONT", engine.NAME)
        engine.healthy()
