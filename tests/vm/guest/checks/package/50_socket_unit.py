"""The socket unit as printed: no scrape is refused while the exporter restarts"""

import re
import threading

import lib
import package

SCRAPES = 60


def check():
    with package.installed() as exporter:
        arguments = re.search(r'`(ARGS=".+?")`', (lib.REPOSITORY / package.BY_HAND).read_text())[1]
        lines = package.DEFAULT.read_text().splitlines()
        package.DEFAULT.write_text("".join(f"{arguments if line.startswith('ARGS=') else line}\n" for line in lines))
        lib.document(package.BY_HAND, "systemctl enable --now prometheus-ss-exporter.socket")
        process, refused = package.main_process(), []

        def scrape():
            for _ in range(SCRAPES):
                try:
                    exporter.get("/metrics")
                except (AssertionError, OSError) as error:
                    refused.append(error)
        scraping = threading.Thread(target=scrape)
        scraping.start()
        lib.run("systemctl", "restart", package.UNIT)
        package.replaced(process)
        scraping.join()
        # A connection that the old one had accepted may end with it.
        assert not [error for error in refused if isinstance(error, ConnectionRefusedError)] and len(refused) <= 1, refused
