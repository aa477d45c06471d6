"""Both images are built as printed"""

import engine


def check():
    engine.build()
    for image, user in ((engine.IMAGE, "0"), (f"{engine.IMAGE}-nonroot", "65534")):
        assert engine.inspect(image)["Config"]["User"].split(":")[0] == user
