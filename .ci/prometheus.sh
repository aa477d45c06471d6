#!/usr/bin/env bash
# A real Prometheus scrapes real connections for some seconds; its API tells what arrived.
#   prometheus.sh BINARY PYTHON
set -euo pipefail
binary=$1
python=$2
ci=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$ci/lib.sh"

hold_connections
exporter
plain=$port
exporter --config="$ci/configs/awkward_2x.yml"
folded=$port
exporter --config="$ci/configs/awkward_3x.yml"
third=$port

cat >"$scratch/prometheus.yml" <<YAML
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - {job_name: plain, static_configs: [{targets: ["127.0.0.1:$plain"]}]}
  - {job_name: folded, static_configs: [{targets: ["127.0.0.1:$folded"]}]}
  - {job_name: third, static_configs: [{targets: ["127.0.0.1:$third"]}]}
YAML
server=127.0.0.1:$(free_port)
start "$scratch/prometheus.log" prometheus --config.file="$scratch/prometheus.yml" \
    --storage.tsdb.path="$scratch/data" --web.listen-address="$server" --log.level=warn
eventually 30 curl -fsS "http://$server/-/ready" || { cat "$scratch/prometheus.log" >&2; fail "Prometheus does not start"; }

# holds EXPRESSION: the expression has a result.
holds() {
    curl -fsS -G "http://$server/api/v1/query" --data-urlencode "query=$1" |
        "$python" -c 'import json, sys; sys.exit(not json.load(sys.stdin)["data"]["result"])'
}

# Prometheus must have scraped each of them several times, so that a second scrape that fails is seen.
expressions=(
    'sum(count_over_time(up[1m])) >= 12 and min(min_over_time(up[1m])) == 1 and count(up) == 3'
    'tcp_rtt{job="plain", flow=~"\\(SRC#127.*"} > 0'
    'tcp_rtt{job="folded", flow=~"\\('"$holder"'\\)\\(DST#127.*"} > 0'
    'tcp_data_segs_out{job="folded", flow=~"\\('"$holder"'\\).*"} >= 10'
    'tcp_delivery_rate{job="third", flow=~"\\('"$holder"'\\).*"} > 0'
    'histogram_quantile(0.9, tcp_rtt_hist_ms_bucket{job="plain"}) > 0'
    'tcp_rtt_hist_ms_count{job="folded"} == 6 or tcp_rtt_hist_ms_count{job="folded"} == 12'
    'min(ss_exporter_collection_success) == 1'
    'process_resident_memory_bytes{job="plain"} > 0'
)
for expression in "${expressions[@]}"; do
    eventually 20 holds "$expression" || { cat "$scratch/prometheus.log" >&2; fail "no result: $expression"; }
    echo "holds: $expression"
done
! grep -iE 'append|duplicate|invalid' "$scratch/prometheus.log" || fail "Prometheus complains"
