#!/usr/bin/env bash
# The manifests of clusters, compose and workflows, without a cluster.
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
