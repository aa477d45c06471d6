#!/usr/bin/env bash
# What the exporter costs without a scrape: no wakeup, little memory, little room on the disk.
#   idle.sh BINARY
set -euo pipefail
binary=$1
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Sockets of others that close would wake it rightly.
own_netns "$@"

silence=30

# at_most WHAT NUMBER LIMIT
at_most() {
    echo "$1: $2, at most $3"
    [ "$2" -le "$3" ] || fail "$1"
}

# wakeups PID: how often its threads have waited; each wakeup ends with another wait.
wakeups() {
    cat "/proc/$1"/task/*/status | awk '/^voluntary_ctxt_switches/ { sum += $2 } END { print sum }'
}

at_most "bytes of the binary" "$(stat -c %s "$binary")" $((12 << 20))
exporter
for _ in 1 2 3; do
    curl -fsS "http://127.0.0.1:$port/metrics" >/dev/null
done
# The close events of the scrapes follow at once.
sleep 2
before=$(wakeups "$started")
sleep "$silence"
at_most "wakeups in $silence s without a scrape" $(($(wakeups "$started") - before)) 0
at_most "KiB of memory, idle" "$(awk '/^VmRSS/ { print $2 }' "/proc/$started/status")" $((16 << 10))
