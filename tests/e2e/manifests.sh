#!/usr/bin/env bash
# The manifests of clusters, compose and workflows, those in the documents too, without a cluster.
#   manifests.sh BINARY VENV
# VENV has kubernetes-validate and check-jsonschema.
set -euo pipefail
binary=$1
venv=$2
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$repository"

"$venv/bin/kubernetes-validate" --strict deploy/kubernetes.yml
"$venv/bin/check-jsonschema" --builtin-schema vendor.compose-spec deploy/docker-compose.yml
"$venv/bin/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml
"$venv/bin/python" "$here/manifests.py" "$binary" >"$scratch/groups.yml"
promtool check rules "$scratch/groups.yml" deploy/alerts.yml
promtool check config deploy/prometheus.yml

python3 "$here/documented_commands.py" examples "$repository" "$scratch/examples"
cd "$scratch/examples"
# The files that the examples name.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -keyout server.key -out server.pem 2>/dev/null
chmod 600 server.key
cp server.pem clients.pem
touch ss-exporter.password
"$venv/bin/kubernetes-validate" --strict kubernetes-*.yml
"$venv/bin/check-jsonschema" --builtin-schema vendor.compose-spec compose-*.yml
promtool check config prometheus-*.yml
for file in web-*.yml; do
    "$binary" --config.check --web.config.file="$file"
done
