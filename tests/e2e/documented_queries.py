"""Asks Prometheus every question of docs/operations/questions.md.

documented_queries.py DOCUMENT CONFIGURATION EXPORTER PROMETHEUS

Every ```promql block must have a result, and one that fulfils what a line `# expect:` in it says. The blocks in
```yaml must be parts of the configuration, and every metric that the document names one that the exporter has.
"""

import json
import math
import operator
import re
import sys
import time
import urllib.parse
import urllib.request

PATIENCE = 30
# The document's windows are for days, this run is for seconds.
WINDOW = "[20s]"
COMPARISONS = {">": operator.gt, ">=": operator.ge, "==": operator.eq, "<": operator.lt}


def blocks(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)


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
    document, configuration = (open(path, encoding="utf-8").read() for path in sys.argv[1:3])
    exporter, server = sys.argv[3:]
    check_names(document, exporter)
    for block in blocks(document, "yaml"):
        assert block in configuration, f"not a part of {sys.argv[2]}:\n{block}"
    queries = blocks(document, "promql")
    assert queries, "no questions"
    until = time.monotonic() + PATIENCE
    unanswered = 0
    for query in queries:
        values = ask(server, query)
        while not is_fulfilled(query, values) and time.monotonic() < until:
            time.sleep(1)
            values = ask(server, query)
        fulfilled = is_fulfilled(query, values)
        unanswered += not fulfilled
        highest = sorted(values, key=lambda value: (math.isnan(value), -value))
        shown = ", ".join(f"{value:.3g}" for value in highest[:4])
        print(f"{'' if fulfilled else 'FAILED: '}{query}  {len(values)} samples: {shown}")
    sys.exit(unanswered != 0)


main()
