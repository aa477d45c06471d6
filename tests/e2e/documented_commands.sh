#!/usr/bin/env bash
# Runs the commands of README.md and docs/ as printed, in a network namespace of its own with some connections.
#   documented_commands.sh BINARY
set -euo pipefail
binary=$1
# pidof finds this exporter alone.
[ -n "${E2E_OWN_PIDS:-}" ] || E2E_OWN_PIDS=yes exec unshare --pid --fork --kill-child --mount-proc "$0" "$@"
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
own_netns "$@"

start_ready connections python3 "$here/documented_commands.py" traffic
python3 "$here/documented_commands.py" run "$repository" "$binary"
