#!/usr/bin/env bash
# What the exporter says, judged by promtool and by the parsers of prometheus_client.
#   exposition.sh BINARY PYTHON
set -euo pipefail
binary=$1
python=$2
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# lint WHAT FILE: a text that cannot be read fails, and so does a finding that is not expected.
lint() {
    local code=0
    promtool check metrics <"$2" >"$scratch/findings" 2>&1 || code=$?
    case $code in
        0 | 3) ;;
        *) cat "$scratch/findings" >&2; fail "$1: promtool cannot read it (exit code $code)" ;;
    esac
    sort -u "$scratch/findings" | comm -23 - <(sort -u "$here/expected-lint.txt") >"$scratch/unexpected"
    [ ! -s "$scratch/unexpected" ] || { cat "$scratch/unexpected" >&2; fail "$1: promtool finds what is not expected"; }
    sort -u "$scratch/findings" >>"$scratch/all-findings"
}

hold_connections

echo "-- without a configuration"
exporter
curl -fsS "http://127.0.0.1:$port/metrics" >"$scratch/metrics"
lint "the built-in default" "$scratch/metrics"
"$python" "$here/parse_exposition.py" "127.0.0.1:$port" --has tcp_rtt --has tcp_cwnd --has tcp_rtt_hist_ms_bucket \
    --has ss_tcp_sent_bytes_total --has ss_tcp_rtt_seconds_bucket --has ss_tcp_listener_accept_queue_limit \
    --has ss_tcp_state_sockets --label state=close_wait --has ss_exporter_build_info --has process_open_fds --label 'flow=(SRC#127.0.0.1|'
if grep -q IPv6 "$scratch/exchange.log" && ! grep -q '^no IPv6' "$scratch/exchange.log"; then
    "$python" "$here/parse_exposition.py" "127.0.0.1:$port" --label 'flow=(SRC#::1|'
fi
end "$started"

echo "-- the predecessor's configurations"
for file in "$repository"/tests/configs/*.yml; do
    echo "$(basename "$file")"
    exporter --config="$file"
    curl -fsS "http://127.0.0.1:$port/metrics" >"$scratch/metrics"
    lint "$file" "$scratch/metrics"
    "$python" "$here/parse_exposition.py" "127.0.0.1:$port" >/dev/null
    end "$started"
done

echo "-- a process with an awkward name, in rows by process"
for file in "$here"/configs/awkward_*.yml; do
    exporter --config="$file"
    curl -fsS "http://127.0.0.1:$port/metrics" >"$scratch/metrics"
    lint "$file" "$scratch/metrics"
    "$python" "$here/parse_exposition.py" "127.0.0.1:$port" --has tcp_rtt --label "flow=($holder)(DST#127.0.0.1|"
    end "$started"
done

echo "-- every metric in aggregated and per-connection views"
exporter --config="$here/configs/views_all.yml"
curl -fsS "http://127.0.0.1:$port/metrics" >"$scratch/metrics"
lint "views_all.yml" "$scratch/metrics"
! grep '^ss_' "$scratch/findings" >&2 || fail "views_all.yml: promtool finds fault with names of our own"
"$python" "$here/parse_exposition.py" "127.0.0.1:$port" --has ss_service_rtt_seconds_bucket --has ss_network_sent_bytes_total \
    --has ss_host_send_mss_bytes_count --has ss_flow_rtt_seconds --has ss_tcp_listener_accept_queue_limit \
    --has ss_tcp_state_sockets --label remote_network=loopback --label direction=inbound --label state=close_wait \
    --lacks tcp_rtt
end "$started"

# A finding that no longer occurs must leave the list, else it would hide the next one of its name.
sort -u "$scratch/all-findings" | comm -13 - <(sort -u "$here/expected-lint.txt") >"$scratch/stale"
[ ! -s "$scratch/stale" ] || { cat "$scratch/stale" >&2; fail "expected by tests/e2e/expected-lint.txt, but not found"; }
