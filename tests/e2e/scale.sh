#!/usr/bin/env bash
# A real Prometheus scrapes many synthetic hosts, and what it takes is compared with what docs/operations/scale.md predicts.
#   scale.sh BINARY ["HOSTS SERVICES FLOWS CHURN"]...
# Then two hours of a host are written to a block. Each experiment takes SECONDS_EACH seconds (180), and a million
# series take 4 GiB of memory.
set -euo pipefail
binary=$1
shift
[ $# -gt 0 ] || set -- "50 20 72 0" "200 20 72 0" "100 80 536 0" "100 20 72 0.5"
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

hold_connections
exporter
# The second has round-trip times in its buckets.
for _ in 1 2; do
    curl -fsS "http://127.0.0.1:$port/metrics" >"$scratch/exposition"
    sleep 1
done

for experiment in "$@"; do
    read -r hosts services flows churn <<<"$experiment"
    source=$(free_port)
    start "$scratch/hosts.log" python3 "$here/synthetic_hosts.py" "$scratch/exposition" "$source" \
        --services "$services" --flows "$flows" --churn "$churn"
    targets=$started
    eventually 10 curl -fsS "http://127.0.0.1:$source/metrics/0" || { cat "$scratch/hosts.log" >&2; fail "synthetic_hosts.py"; }
    # Blocks of a minute, so that one is cut while we watch.
    prometheus_server --storage.tsdb.min-block-duration=1m --storage.tsdb.max-block-duration=1m < <(
        echo "global: {scrape_interval: 5s, scrape_timeout: 5s, evaluation_interval: 15s}"
        echo "rule_files: [$repository/deploy/scale-rules.yml]"
        echo "scrape_configs:"
        echo "  - job_name: ss"
        echo "    relabel_configs:"
        echo "      - {source_labels: [host], target_label: __metrics_path__, replacement: /metrics/\$1}"
        echo "      - {source_labels: [host], target_label: instance, replacement: 'host-\$1:8020'}"
        echo "      - {regex: host, action: labeldrop}"
        echo "    static_configs:"
        for host in $(seq "$hosts"); do
            echo "      - {targets: ['127.0.0.1:$source'], labels: {host: '$host'}}"
        done
    )
    prometheus=$started
    python3 "$here/scale.py" "$server" "127.0.0.1:$source" "$scratch/data" "$hosts" "$churn" \
        --seconds "${SECONDS_EACH:-180}" --log "$scratch/hosts.log" || { cat "$scratch/prometheus.log" >&2; fail "$experiment"; }
    end "$prometheus"
    end "$targets"
    rm -rf "$scratch/data"
done

echo "-- two hours of a host of the default size in a block, where so large a share of its rows changes"
for active in 0 0.5 1; do
    python3 "$here/synthetic_hosts.py" "$scratch/exposition" --history --active "$active" >"$scratch/history"
    promtool tsdb create-blocks-from openmetrics "$scratch/history" "$scratch/blocks" >"$scratch/blocks.log"
    index=$(cat "$scratch"/blocks/*/index | wc -c)
    chunks=$(cat "$scratch"/blocks/*/chunks/* | wc -c)
    awk -v active="$active" -v index_bytes="$index" -v chunk_bytes="$chunks" '$5 ~ /^[0-9]+$/ {
        printf "%s active: %.0f bytes of index a series, %.2f bytes a sample\n", active, index_bytes / $7, chunk_bytes / $5
    }' "$scratch/blocks.log"
    rm -rf "$scratch/blocks"
done
