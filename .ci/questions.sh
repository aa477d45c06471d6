#!/usr/bin/env bash
# Makes the trouble that docs/questions.md asks for, and asks a real Prometheus every question of it.
#   questions.sh BINARY PYTHON
set -euo pipefail

# Everything happens in a network namespace of its own: no other traffic, and loss that hurts nobody.
if [ "${QUESTIONS_INSIDE:-}" != yes ]; then
    QUESTIONS_INSIDE=yes exec unshare --net "$0" "$@"
fi
ip link set lo up

binary=$1
python=$2
ci=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$ci")
. "$ci/lib.sh"

lossy
far_away
start "$scratch/trouble.log" python3 "$ci/trouble.py" --far "$far" --quiet 5
trouble=$started
eventually 10 grep -q '^ready' "$scratch/trouble.log" || { cat "$scratch/trouble.log" >&2; fail "trouble.py"; }
exporter --config="$repository/deploy/questions.yml"
cat >"$scratch/prometheus.yml" <<YAML
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - {job_name: ss, static_configs: [{targets: ["127.0.0.1:$port"]}]}
YAML
server=127.0.0.1:$(free_port)
start "$scratch/prometheus.log" prometheus --config.file="$scratch/prometheus.yml" \
    --storage.tsdb.path="$scratch/data" --web.listen-address="$server" --log.level=warn
eventually 30 curl -fsS "http://$server/-/ready" || { cat "$scratch/prometheus.log" >&2; fail "Prometheus does not start"; }
# Long enough for two observations of a socket's round-trip time.
sleep 25
echo "-- what counts does not fall under trouble"
"$python" "$ci/parse.py" "127.0.0.1:$port" || fail "the exposition under trouble"
echo "-- questions"
python3 "$ci/questions.py" "$repository/docs/questions.md" "$repository/deploy/questions.yml" \
    "127.0.0.1:$port" "$server" || { cat "$scratch/trouble.log" >&2; fail "questions without answers"; }
kill -0 "$trouble" || fail "the trouble ended early"
! grep -q Traceback "$scratch/trouble.log" || { cat "$scratch/trouble.log" >&2; fail "trouble.py"; }
