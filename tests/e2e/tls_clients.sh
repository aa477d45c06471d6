#!/usr/bin/env bash
# Clients as people have them, over TLS and with passwords: curl, the parsers of prometheus_client, Prometheus,
# VictoriaMetrics, Chromium.
#   tls_clients.sh BINARY PYTHON
set -euo pipefail
binary=$1
python=$2
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# A browser ends its requests when an address of the host changes.
own_netns "$@"

# A colon belongs to the password, and so does what is not ASCII.
password='a:b c%ü'
other='second-password'

certificate=$scratch/certificate.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext 'subjectAltName=IP:127.0.0.1,DNS:localhost' -keyout "$scratch/key.pem" -out "$certificate" 2>/dev/null
chmod 600 "$scratch/key.pem"
# The lowest cost of htpasswd: a wrong password is compared again in each scrape, here within a second.
hash_of() {
    htpasswd -niBC 5 user <<<"$1" | cut -d: -f2-
}
cat >"$scratch/web.yml" <<YAML
tls_server_config: {cert_file: certificate.pem, key_file: key.pem}
basic_auth_users:
  prometheus: $(hash_of "$password")
  second: $(hash_of "$other")
YAML
chmod 600 "$scratch/web.yml"

port=$(free_port)
start "$scratch/exporter.log" "$binary" --web.listen-address="127.0.0.1:$port" --web.config.file="$scratch/web.yml" \
    --config="$here/configs/clients.yml"
https=https://127.0.0.1:$port
good=(--cacert "$certificate" --user "prometheus:$password")
# With the first scrape, the baseline of all counters is taken.
eventually 10 curl -fsS "${good[@]}" "$https/metrics" || { cat "$scratch/exporter.log" >&2; fail "no answer over TLS"; }

# What a local user can make a label say: the file name of an executable, which would be markup in a page.
markup="<img src=x onerror=document.title='ran'>"
install -D "$traffic" "$scratch/bin/$markup"
start_ready exchange "$scratch/bin/$markup" exchange
# Both ends of each are its own, and each sent 10,000 bytes.
sockets=$((2 * $(sed -n 's/^ready: \([0-9]*\) .*/\1/p' "$scratch/exchange.log")))

echo "-- curl"
# asked EXPECTED ARGUMENTS...: what curl says of the answer, its last argument included, is EXPECTED.
asked() {
    local expected=$1 got
    shift
    got=$(curl -sS --max-time 10 -o "$scratch/body" "$@" 2>&1) || true
    [ "$got" = "$expected" ] || { cat "$scratch/exporter.log" >&2; fail "curl $*: $got instead of $expected"; }
    echo "curl ${*: -1}: $got"
}
for path in / /metrics /health /-/healthy /-/ready; do
    asked 200 "${good[@]}" -w '%{http_code}' "$https$path"
    asked 401 --cacert "$certificate" -w '%{http_code}' "$https$path"
done
asked 404 "${good[@]}" -w '%{http_code}' "$https/nothing"
asked 401 --cacert "$certificate" -w '%{http_code}' "$https/nothing"
asked 200 --cacert "$certificate" --user "second:$other" -w '%{http_code}' "$https/metrics"
asked 401 --cacert "$certificate" --user "second:$password" -w '%{http_code}' "$https/metrics"
asked 401 --cacert "$certificate" --user "nobody:$password" -w '%{http_code}' "$https/metrics"
asked 401 --cacert "$certificate" -w '%{http_code}' -D "$scratch/head" "$https/metrics"
grep -qi '^www-authenticate: basic' "$scratch/head" || { cat "$scratch/head" >&2; fail "401 without a challenge"; }
[ "$(cat "$scratch/body")" = Unauthorized ] || { cat "$scratch/body" >&2; fail "401 says more than Unauthorized"; }
asked '400' -w '%{http_code}' "http://127.0.0.1:$port/metrics"
grep -q 'HTTP request to an HTTPS server' "$scratch/body" || { cat "$scratch/body" >&2; fail "plain HTTP is not explained"; }
asked '200 gzip' "${good[@]}" -H 'Accept-Encoding: gzip' -w '%{http_code} %header{content-encoding}' "$https/metrics"
grep -q '^ss_held_sockets' <<<"$(gzip -dc "$scratch/body")" || fail "what is compressed is not the metrics"
asked '200 text/plain; version=0.0.4; charset=utf-8 0' "${good[@]}" --head \
    -w '%{http_code} %{content_type} %{size_download}' "$https/metrics"
# By ALPN curl would insist on http/1.0, which servers in Go refuse, too.
asked '200 text/plain; version=0.0.4; charset=utf-8' "${good[@]}" --no-alpn --http1.0 -w '%{http_code} %{content_type}' "$https/metrics"
grep -q '^ss_held_sockets' "$scratch/body" || fail "no metrics over HTTP/1.0"
asked 405 "${good[@]}" -X POST -w '%{http_code}' "$https/metrics"
! grep -qF "$password" "$scratch/exporter.log" || fail "a password is in the log"

echo "-- the parsers of prometheus_client"
"$python" "$here/parse_exposition.py" "127.0.0.1:$port" --ca "$certificate" --user "prometheus:$password" \
    --has ss_held_sockets --has ss_held_rtt_seconds_bucket --label "executable=$markup"

echo "-- Prometheus and VictoriaMetrics"
prometheus_server <<YAML
$every_second
scrape_configs:
  - job_name: good
    scheme: https
    tls_config: {ca_file: certificate.pem}
    basic_auth: {username: prometheus, password: '$password'}
    static_configs: [{targets: ["127.0.0.1:$port"]}]
  - job_name: wrong
    scheme: https
    tls_config: {ca_file: certificate.pem}
    basic_auth: {username: prometheus, password: wrong}
    static_configs: [{targets: ["127.0.0.1:$port"]}]
YAML
prometheus=$server
promtool check config "$scratch/prometheus.yml" >/dev/null
victoria=127.0.0.1:$(free_port)
start "$scratch/victoria.log" victoria-metrics -promscrape.config="$scratch/prometheus.yml" \
    -storageDataPath="$scratch/victoria" -httpListenAddr="$victoria" -search.latencyOffset=0s -loggerLevel=ERROR
eventually 30 curl -fsS "http://$victoria/-/ready" || { cat "$scratch/victoria.log" >&2; fail "no answer from http://$victoria"; }

expressions=(
    'up{job="good"} == 1 and count_over_time(up[6s]) >= 4 and min_over_time(up[6s]) == 1'
    'up{job="wrong"} == 0 and count_over_time(up[6s]) >= 4 and max_over_time(up[6s]) == 0'
    "sum(ss_held_sockets{executable=\"$markup\"}) == $sockets"
    "sum(ss_held_sent_bytes_total) == $((sockets * 10000))"
    'min(ss_exporter_collection_success) == 1'
)
for server in "$prometheus" "$victoria"; do
    demand_results "$server" "${expressions[@]}"
done
has_noticed() {
    grep -q "$1" <<<"$(curl -fsS "http://$prometheus/api/v1/targets")"
}
eventually 10 has_noticed '401 Unauthorized' || fail "Prometheus does not show the 401"
query "$prometheus" '{__name__=~"ss_held_.*"}' >"$scratch/of-prometheus"
query "$victoria" '{__name__=~"ss_held_.*"}' >"$scratch/of-victoria"
series=$(curl -fsS "${good[@]}" "$https/metrics" | grep -c '^ss_held_')
[ "$(wc -l <"$scratch/of-prometheus")" = "$series" ] || fail "Prometheus has not all of $series series"
diff "$scratch/of-prometheus" "$scratch/of-victoria" >&2 || fail "Prometheus and VictoriaMetrics have not the same"
echo "$series series are the same in both"

echo "-- Chromium"
browser=$(command -v chromium google-chrome | head -n 1)
# dom URL: the document after its scripts ran.
dom() {
    timeout 30 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync --ignore-certificate-errors \
        --user-data-dir="$(mktemp -d "$scratch/chromium.XXXX")" --virtual-time-budget=2000 --dump-dom "$1" 2>"$scratch/chromium.log"
}
# shown WHAT PATTERN FILE
shown() {
    grep -qE -- "$2" "$3" || { cat "$3" >&2; fail "$1: no $2"; }
}
with_password=https://second:$other@127.0.0.1:$port
dom "$with_password/" >"$scratch/page" || { cat "$scratch/chromium.log" >&2; fail "$browser"; }
shown "the page" '<h1>Sockets of ' "$scratch/page"
shown "the page" '<a href="/metrics">' "$scratch/page"
dom "$with_password/metrics" >"$scratch/page"
shown "the metrics" '^ss_held_sockets\{executable="&lt;img src=x onerror=' "$scratch/page"
! grep -qE '<img|<title>ran' "$scratch/page" || fail "the name of a file is markup"
dom "$https/metrics" >"$scratch/page"
! grep -q 'ss_' "$scratch/page" || fail "a browser without a password sees metrics"
# The same text as HTML must run, else the check above could not fail.
curl -fsS "${good[@]}" "$https/metrics" >"$scratch/metrics.html"
dom "file://$scratch/metrics.html" >"$scratch/page"
shown "the same as HTML" '<title>ran' "$scratch/page"
echo "the page and the metrics are shown, and nothing in them runs"
