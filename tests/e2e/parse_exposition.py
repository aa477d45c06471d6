"""Reads /metrics in both formats with prometheus_client's parsers, and checks what Prometheus relies on.

parse_exposition.py ADDRESS [--has SAMPLE]... [--lacks SAMPLE]... [--label NAME=PART]... [--ca FILE] [--user NAME:PASSWORD]
"""

import argparse
import base64
import collections
import gzip
import ssl
import urllib.request

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
# The predecessor's distribution is one of the open flows.
FALLS = "tcp_rtt_hist_ms"


def fetch(arguments, accept, encoding="identity"):
    scheme, context = "http", None
    headers = {"Accept": accept, "Accept-Encoding": encoding}
    if arguments.ca:
        scheme, context = "https", ssl.create_default_context(cafile=arguments.ca)
    if arguments.user:
        headers["Authorization"] = "Basic " + base64.b64encode(arguments.user.encode()).decode()
    request = urllib.request.Request(f"{scheme}://{arguments.address}/metrics", headers=headers)
    with urllib.request.urlopen(request, timeout=10, context=context) as reply:
        assert reply.headers["Content-Type"] == accept, reply.headers["Content-Type"]
        body = reply.read()
    if encoding == "gzip":
        assert reply.headers["Content-Encoding"] == "gzip", reply.headers["Content-Encoding"]
        body = gzip.decompress(body)
    return body.decode("utf-8")


def check(families):
    """Returns the names of all samples."""
    seen = collections.Counter()
    names = collections.Counter(family.name for family in families)
    assert max(names.values()) == 1, f"families told twice: {names.most_common(3)}"
    for family in families:
        buckets = collections.defaultdict(list)
        counts = {}
        for sample in family.samples:
            seen[sample.name, tuple(sorted(sample.labels.items()))] += 1
            key = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
            if family.type == "histogram" and sample.name.endswith("_bucket"):
                buckets[key].append((float(sample.labels["le"]), sample.value))
            elif family.type == "histogram" and sample.name.endswith("_count"):
                counts[key] = sample.value
        assert family.type != "histogram" or buckets, f"{family.name} has no bucket"
        assert buckets.keys() == counts.keys(), f"{family.name}: buckets and counts do not match"
        for key, pairs in buckets.items():
            bounds, values = zip(*pairs)
            assert list(bounds) == sorted(set(bounds)), f"{family.name}: bounds {bounds}"
            assert list(values) == sorted(values), f"{family.name}: buckets are not cumulative: {values}"
            assert bounds[-1] == float("inf") and values[-1] == counts[key], f"{family.name}: +Inf is not the count"
    twice = [series for series, times in seen.items() if times > 1]
    assert not twice, f"duplicate series: {twice[:3]}"
    return {name for name, _ in seen}, seen


def grows(families):
    """Returns the samples that must not fall from one fetch to the next."""
    growing = (family for family in families if family.type in ("counter", "histogram") and family.name != FALLS)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in growing
        for sample in family.samples
    }


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("address")
    arguments.add_argument("--has", action="append", default=[])
    arguments.add_argument("--lacks", action="append", default=[])
    arguments.add_argument("--label", action="append", default=[])
    arguments.add_argument("--ca", help="certificates to trust; then it is asked over TLS")
    arguments.add_argument("--user", help="NAME:PASSWORD")
    arguments = arguments.parse_args()
    formats = {
        "text": list(parser.text_string_to_metric_families(fetch(arguments, TEXT))),
        "text, compressed": list(parser.text_string_to_metric_families(fetch(arguments, TEXT, "gzip"))),
        "OpenMetrics": list(openmetrics_parser.text_string_to_metric_families(fetch(arguments, OPENMETRICS))),
    }
    before = {}
    for what, families in formats.items():
        names, series = check(families)
        for name in arguments.has:
            assert name in names, f"{what}: no {name}"
        for name in arguments.lacks:
            assert name not in names, f"{what}: unexpected {name}"
        for wanted in arguments.label:
            label, part = wanted.split("=", 1)
            assert any(part in dict(labels).get(label, "") for _, labels in series), f"{what}: no {wanted}"
        after = grows(families)
        fallen = [(key, value, after[key]) for key, value in before.items() if after.get(key, value) < value]
        assert not fallen, f"{what}: fell since the fetch before: {fallen[:3]}"
        kept = before.keys() & after.keys()
        assert kept or not before, f"{what}: no counter of the fetch before"
        before = after
        print(f"{what}: {len(families)} families, {len(series)} series, {len(kept)} of them followed")


main()
