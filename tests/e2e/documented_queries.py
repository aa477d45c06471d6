"""Asks Prometheus every query of the documents.

documented_queries.py REPOSITORY EXPORTER PROMETHEUS

Every ```promql block must have a result, and one that fulfils what a line `# expect:` in it says, unless the line before
the block is a mark of documented_commands.py. In docs/operations/questions.md, the blocks in ```yaml must be parts of
deploy/questions.yml, and every metric that the page names one that the exporter has.
"""

import json
import math
import operator
import pathlib
import re
import sys
import time
import urllib.parse
import urllib.request

import documented_commands

QUESTIONS, CONFIGURATION = "docs/operations/questions.md", "deploy/questions.yml"
PATIENCE = 30
# The documents' windows are for days, this run is for seconds.
WINDOW = "[20s]"
COMPARISONS = {">": operator.gt, ">=": operator.ge, "==": operator.eq, "<": operator.lt}


def queries(repository):
    """The place and the text of each query that no other script runs."""
    for path in documented_commands.documents(repository):
        for block in documented_commands.blocks(path, repository):
            if block.language == "promql" and not block.mark:
                yield block.place, "\n".join(block.lines)


def fetch(address):
    with urllib.request.urlopen(address, timeout=10) as reply:
        return reply.read().decode()


def ask(server, query):
    """Returns the values of all samples."""
    query = re.sub(r"\[\d+[smhd]\]", WINDOW, query)
    answer = json.loads(fetch(f"http://{server}/api/v1/query?{urllib.parse.urlencode({'query': query})}"))
    return [float(sample["value"][1]) for sample in answer["data"]["result"]]


def is_fulfilled(query, values):
    expected = re.search(r"^# expect: (\S+) (\S+)$", query, re.MULTILINE)
    if expected is None:
        return bool(values)
    compare, number = COMPARISONS[expected[1]], float(expected[2])
    return any(compare(value, number) for value in values)


def check_names(document, exporter):
    exposed = set(re.findall(r"^(?:# TYPE )?(ss_\w+)", fetch(f"http://{exporter}/metrics"), re.MULTILINE))
    unknown = set(re.findall(r"\bss_\w+", document)) - exposed
    assert not unknown, f"the exporter has no {', '.join(sorted(unknown))}"


def main():
    repository = pathlib.Path(sys.argv[1]).resolve()
    exporter, server = sys.argv[2:]
    questions, configuration = ((repository / path).read_text() for path in (QUESTIONS, CONFIGURATION))
    check_names(questions, exporter)
    for block in documented_commands.blocks(repository / QUESTIONS, repository):
        if block.language == "yaml":
            text = "\n".join(block.lines)
            assert text in configuration, f"not a part of {CONFIGURATION}:\n{text}"
    asked = list(queries(repository))
    assert {place.split(":")[0] for place, _ in asked} > {QUESTIONS, "README.md"}, asked
    until = time.monotonic() + PATIENCE
    unanswered = 0
    for place, query in asked:
        values = ask(server, query)
        while not is_fulfilled(query, values) and time.monotonic() < until:
            time.sleep(1)
            values = ask(server, query)
        fulfilled = is_fulfilled(query, values)
        unanswered += not fulfilled
        highest = sorted(values, key=lambda value: (math.isnan(value), -value))
        shown = ", ".join(f"{value:.3g}" for value in highest[:4])
        print(f"{'' if fulfilled else 'FAILED: '}{place}: {query}  {len(values)} samples: {shown}")
    sys.exit(unanswered != 0)


main()
