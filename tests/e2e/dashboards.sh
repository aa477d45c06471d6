#!/usr/bin/env bash
# Judges deploy/grafana, deploy/*-rules.yml and deploy/alerts.yml: by themselves, and by a real Prometheus that scrapes
# the exporter in two network namespaces at the same time: one with symptoms, one in which all is well.
#   dashboards.sh BINARY PYTHON           PYTHON has PyYAML
set -euo pipefail
binary=$1
python=$2
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
deploy=$repository/deploy

# judge COMMAND ARGUMENTS...: of dashboards.py. What makes the symptoms may have ended with an error.
judge() {
    "$python" "$here/dashboards.py" "$@" || { cat "$scratch/symptoms.log" >&2; fail "dashboards.py $1"; }
}

# prometheus_with RULES...: a Prometheus with the rules, their windows shortened, and the scrape configuration on standard input.
prometheus_with() {
    mkdir "$scratch/rules"
    for rules in "$@"; do
        "$python" "$here/dashboards.py" shorten "$deploy/$rules" >"$scratch/rules/$rules"
    done
    prometheus_server < <(
        echo 'global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}'
        echo "rule_files: ['$scratch/rules/*.yml']"
        cat
    )
}

# unreliable_exporters: three on which one can rely less and less.
unreliable_exporters() {
    exporter --config="$scratch/questions.yml"
    whole=127.0.0.1:$port
    # Limits that are too low, a namespace that is not there, and one that sends no close events.
    ip netns add silent
    ip -n silent link set lo up
    start_ready silent ip netns exec silent "$traffic" drain 7009
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

symptoms() {
    ip link set lo up
    # For the name of a namespace that no other process sees.
    mkdir -p /run/netns
    mount -t tmpfs none /run/netns
    lossy
    far_away
    # Over loopback, and only there, ports in TIME_WAIT are taken again.
    echo 0 >/proc/sys/net/ipv4/tcp_tw_reuse
    make_symptoms --far "$far" --quiet 45 --ports
    unreliable_exporters
    prometheus_with alerts.yml scale-rules.yml compatibility-rules.yml <<YAML
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
    echo "-- alerts, with symptoms"
    # The last one spoils the collections of all.
    judge fire "$server" "$deploy/alerts.yml" --without SsExporterCollectionFailing
    start "$scratch/stuck.log" python3 "$repository/crates/testkit/src/actor.py" stick
    judge fire "$server" "$deploy/alerts.yml"
    judge rules "$server"
    demand_symptoms
}

calm() {
    ip link set lo up
    far_away
    make_symptoms --calm --far "$far" --quiet 1000
    exporter --config="$scratch/questions.yml"
    local whole=127.0.0.1:$port
    exporter
    # The predecessor says nothing of itself.
    prometheus_with alerts.yml scale-rules.yml compatibility-back-rules.yml <<YAML
scrape_configs:
  - {job_name: ss, static_configs: [{targets: ["$whole"]}]}
  - job_name: predecessor
    static_configs: [{targets: ["127.0.0.1:$port"]}]
    metric_relabel_configs: [{source_labels: [__name__], regex: "tcp_.*", action: keep}]
YAML
    # As long as the symptoms take to be noticed.
    sleep 85
    local ends='local_address, local_port, remote_address, remote_port' segments=ss_tcp_flow_sent_data_segments_total
    judge holds "$server" "count($segments{job=\"ss\"} == on ($ends) $segments{job=\"predecessor\"}) > 100"
    judge rules "$server"
    echo "-- alerts, in calm"
    judge silent "$server" "$deploy/alerts.yml"
    demand_symptoms
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
"$python" "$here/dashboards.py" lint "$repository"
# Not at the same time: a scrape or an answer that is late is no calm.
for run in symptoms calm; do
    echo "-- $run"
    DASHBOARDS_INSIDE=$run start "$scratch/$run.log" unshare --net --mount "${BASH_SOURCE[0]}" "$@"
    wait "$started" || failed=yes
    cat "$scratch/$run.log"
done
[ -z "${failed:-}" ] || fail "a run"
