#!/usr/bin/env bash
# Whether the exporter leaks memory, threads or descriptors while everything changes that it collects.
#   leaks.sh BINARY [MINUTES]     10 minutes; at least 3
# It needs root, and runs in namespaces of its own: of the network, mounts and processes.
set -euo pipefail
binary=$(realpath "$1")
minutes=${2:-10}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec unshare --net --mount --pid --fork --mount-proc --kill-child -- python3 -B "$here/leaks.py" "$binary" "$minutes"
