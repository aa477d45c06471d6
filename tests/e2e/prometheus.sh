#!/usr/bin/env bash
# A real Prometheus scrapes real connections for some seconds; its API says what arrived.
#   prometheus.sh BINARY
set -euo pipefail
binary=$1
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

hold_connections
exporter
plain=$port
exporter --config="$here/configs/awkward_2x.yml"
grouped=$port
exporter --config="$here/configs/awkward_3x.yml"
third=$port

prometheus_server <<YAML
$every_second
scrape_configs:
  - {job_name: plain, static_configs: [{targets: ["127.0.0.1:$plain"]}]}
  - {job_name: grouped, static_configs: [{targets: ["127.0.0.1:$grouped"]}]}
  - {job_name: third, static_configs: [{targets: ["127.0.0.1:$third"]}]}
YAML

# Prometheus must have scraped each of them several times, so that a second scrape that fails is seen.
expressions=(
    'sum(count_over_time(up[6s])) >= 12 and min(min_over_time(up[6s])) == 1 and count(up) == 3'
    'tcp_rtt{job="plain", flow=~"\\(SRC#127.*"} > 0'
    'tcp_rtt{job="grouped", flow=~"\\('"$holder"'\\)\\(DST#127.*"} > 0'
    'tcp_data_segs_out{job="grouped", flow=~"\\('"$holder"'\\).*"} >= 10'
    'tcp_delivery_rate{job="third", flow=~"\\('"$holder"'\\).*"} > 0'
    'histogram_quantile(0.9, tcp_rtt_hist_ms_bucket{job="plain"}) > 0'
    'tcp_rtt_hist_ms_count{job="grouped"} == 6 or tcp_rtt_hist_ms_count{job="grouped"} == 12'
    'min(ss_exporter_collection_success) == 1'
    'process_resident_memory_bytes{job="plain"} > 0'
)
demand_results "$server" "${expressions[@]}"
! grep -iE 'append|duplicate|invalid' "$scratch/prometheus.log" || fail "Prometheus complains"
