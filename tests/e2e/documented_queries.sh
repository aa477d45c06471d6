#!/usr/bin/env bash
# Makes the symptoms that docs/operations/questions.md asks for, and asks a real Prometheus every query of the documents.
#   documented_queries.sh BINARY PYTHON
set -euo pipefail
binary=$1
python=$2
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# No other traffic, and loss that disturbs no one.
own_netns "$@"

lossy
far_away
make_symptoms --far "$far" --quiet 5
exporter --config="$repository/deploy/questions.yml"
prometheus_server <<YAML
$every_second
scrape_configs:
  - {job_name: ss, static_configs: [{targets: ["127.0.0.1:$port"]}]}
YAML
# Long enough for two observations of a socket's round-trip time.
sleep 25
echo "-- counters do not fall under load"
"$python" "$here/parse_exposition.py" "127.0.0.1:$port" || fail "the exposition under load"
echo "-- questions"
python3 "$here/documented_queries.py" "$repository" "127.0.0.1:$port" "$server" || { cat "$scratch/symptoms.log" >&2; fail "queries without answers"; }
demand_symptoms
