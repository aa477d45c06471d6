#!/usr/bin/env bash
# Judges deploy/grafana, deploy/*-rules.yml and deploy/alerts.yml: by themselves, and by a real Prometheus that scrapes
# the exporter twice at once, in a network namespace with trouble and in one without.
#   dashboards.sh BINARY PYTHON           PYTHON has PyYAML
set -euo pipefail
binary=$1
python=$2
ci=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$ci")
deploy=$repository/deploy
. "$ci/lib.sh"

# judge COMMAND ARGUMENTS...: of dashboards.py; what made the trouble may have ended with an error.
judge() {
    "$python" "$ci/dashboards.py" "$@" || { cat "$scratch/trouble.log" >&2; fail "dashboards.py $1"; }
}

# prometheus_of RULES...: a server at $server that has the rules, with short windows, and scrapes what standard input says.
prometheus_of() {
    mkdir "$scratch/rules"
    for rules in "$@"; do
        "$python" "$ci/dashboards.py" shorten "$deploy/$rules" >"$scratch/rules/$rules"
    done
    {
        echo 'global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}'
        echo "rule_files: ['$scratch/rules/*.yml']"
        cat
    } >"$scratch/prometheus.yml"
    server=127.0.0.1:$(free_port)
    start "$scratch/prometheus.log" prometheus --config.file="$scratch/prometheus.yml" \
        --storage.tsdb.path="$scratch/data" --web.listen-address="$server" --log.level=warn
    eventually 30 curl -fsS "http://$server/-/ready" || { cat "$scratch/prometheus.log" >&2; fail "Prometheus does not start"; }
}

# exporters_of_trouble: three on which one can rely less and less.
exporters_of_trouble() {
    exporter --config="$scratch/questions.yml"
    whole=127.0.0.1:$port
    # Limits that are too low, a namespace that is not there, and one of which the kernel tells nothing.
    ip netns add silent
    ip -n silent link set lo up
    start "$scratch/silent.log" ip netns exec silent python3 "$ci/far.py"
    cat >"$scratch/sick.yml" <<'YAML'
views:
  tcp: {by: [direction, service_port], limit: 2}
  tcp_flow: {by: [local_address, local_port, remote_address, remote_port], metrics: [sent_bytes_total], limit: 1}
collect: {event_buffer: 64KiB, tracked_sockets: 10, netns: [silent, nowhere]}
YAML
    exporter --config="$scratch/sick.yml"
    sick=127.0.0.1:$port
    sick_pid=$started
    # Without any capability, and with the predecessor's metrics.
    port=$(free_port)
    start "$scratch/poor.log" setpriv --bounding-set=-all --inh-caps=-all "$binary" --web.listen-address="127.0.0.1:$port"
    eventually 10 curl -fsS "http://127.0.0.1:$port/health" || { cat "$scratch/poor.log" >&2; fail "the exporter without capabilities"; }
    poor=127.0.0.1:$port
}

trouble() {
    ip link set lo up
    # For the name of a namespace that nobody else sees.
    mkdir -p /run/netns
    mount -t tmpfs none /run/netns
    lossy
    far_away
    # Over loopback, and only there, ports in TIME_WAIT are taken again.
    echo 0 >/proc/sys/net/ipv4/tcp_tw_reuse
    start "$scratch/trouble.log" python3 "$ci/trouble.py" --far "$far" --quiet 45 --ports
    local trouble=$started
    eventually 10 grep -q '^ready' "$scratch/trouble.log" || { cat "$scratch/trouble.log" >&2; fail "trouble.py"; }
    exporters_of_trouble
    prometheus_of alerts.yml scale-rules.yml compatibility-rules.yml <<YAML
scrape_configs:
  - {job_name: ss, static_configs: [{targets: ["$whole", "127.0.0.1:9"]}]}
  - {job_name: sick, static_configs: [{targets: ["$sick"]}]}
  - {job_name: poor, static_configs: [{targets: ["$poor"]}]}
YAML
    # An increase needs a sample from before it, and Prometheus takes some seconds to its first.
    judge holds "$server" 'count_over_time(ss_exporter_destroy_events_dropped_total{job="sick"}[20s]) > 2'
    # Events pile up meanwhile.
    kill -STOP "$sick_pid"
    sleep 2
    kill -CONT "$sick_pid"
    echo 'broken' >>"$scratch/sick.yml"
    kill -HUP "$sick_pid"
    sleep 15
    judge panels "$server" "$deploy"/grafana/*.json
    # What is rebuilt is what the exporter itself shows.
    judge holds "$server" 'count(tcp_rtt{job="ss"} == on (flow) tcp_rtt{job="poor"}) > 100'
    judge holds "$server" 'count(tcp_rtt_hist_ms_bucket{job="ss"} and on (le) tcp_rtt_hist_ms_bucket{job="poor"}) == 10'
    echo "-- alerts, in trouble"
    # The last one spoils the collections of all.
    judge fire "$server" "$deploy/alerts.yml" --without SsExporterCollectionFailing
    start "$scratch/held.log" python3 "$repository/tests/support/held.py"
    judge fire "$server" "$deploy/alerts.yml"
    judge rules "$server"
    kill -0 "$trouble" || fail "the trouble ended early"
    ! grep -q Traceback "$scratch/trouble.log" || { cat "$scratch/trouble.log" >&2; fail "trouble.py"; }
}

calm() {
    ip link set lo up
    far_away
    start "$scratch/trouble.log" python3 "$ci/trouble.py" --calm --far "$far" --quiet 1000
    eventually 10 grep -q '^ready' "$scratch/trouble.log" || { cat "$scratch/trouble.log" >&2; fail "trouble.py --calm"; }
    exporter --config="$scratch/questions.yml"
    local whole=127.0.0.1:$port
    exporter
    # The predecessor says nothing of itself.
    prometheus_of alerts.yml scale-rules.yml compatibility-back-rules.yml <<YAML
scrape_configs:
  - {job_name: ss, static_configs: [{targets: ["$whole"]}]}
  - job_name: predecessor
    static_configs: [{targets: ["127.0.0.1:$port"]}]
    metric_relabel_configs: [{source_labels: [__name__], regex: "tcp_.*", action: keep}]
YAML
    # As long as the trouble takes to be noticed.
    sleep 85
    local ends='local_address, local_port, remote_address, remote_port' segments=ss_tcp_flow_sent_data_segments_total
    judge holds "$server" "count($segments{job=\"ss\"} == on ($ends) $segments{job=\"predecessor\"}) > 100"
    judge rules "$server"
    echo "-- alerts, in calm"
    judge silent "$server" "$deploy/alerts.yml"
    ! grep -q Traceback "$scratch/trouble.log" || { cat "$scratch/trouble.log" >&2; fail "trouble.py --calm"; }
}

if [ -n "${DASHBOARDS_INSIDE:-}" ]; then
    # A quarter of a minute is long in a run of two.
    { cat "$deploy/questions.yml"; echo 'collect: {observe: 5s}'; } >"$scratch/questions.yml"
    "$DASHBOARDS_INSIDE"
    exit
fi

python3 -B "$deploy/dashboards" --check
promtool check rules "$deploy"/*-rules.yml "$deploy/alerts.yml"
promtool test rules "$deploy"/*_test.yml
"$python" "$ci/dashboards.py" lint "$repository"
echo "-- trouble and calm, at the same time"
declare -A runs
for run in trouble calm; do
    DASHBOARDS_INSIDE=$run start "$scratch/$run.log" unshare --net --mount "${BASH_SOURCE[0]}" "$@"
    runs[$started]=$run
done
for pid in "${!runs[@]}"; do
    wait "$pid" || failed=yes
    cat "$scratch/${runs[$pid]}.log"
done
[ -z "${failed:-}" ] || fail "a run"
