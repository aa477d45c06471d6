#!/usr/bin/env bash
# The page of this host's sockets in Chromium, with real connections, of processes named like tags among others.
#   page.sh BINARY
# Screenshots go to the folder $PAGE_SCREENSHOTS, if it says one.
set -euo pipefail
binary=$1
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
browser
# No other traffic, and loss that disturbs no one.
own_netns "$@"
# The first connections are not on the first screen behind any name of a host.
hostname page
# An address of this host that is not loopback. A client that connects to it comes from it.
outside=192.0.2.1
ip address add "$outside/32" dev lo
export PAGE_SCREENSHOTS=${PAGE_SCREENSHOTS:-$scratch/screenshots}
mkdir -p "$PAGE_SCREENSHOTS"

# The cgroup of a unit that is named like a tag, where cgroups can be made.
hierarchy=$(findmnt -rn -t cgroup2 -o TARGET | head -n 1)
cgroup=$hierarchy/$$-'<img src=x onerror=alert(1)>.service'
if [ -n "$hierarchy" ] && mkdir "$cgroup" 2>"$scratch/mkdir"; then
    # Only an empty one can be removed.
    trap 'end_all; eventually 5 rmdir "$cgroup"' EXIT
else
    cgroup=
    echo "no cgroup is named like a tag: cannot make one"
fi

nameds=0
# named NAME: connections with traffic, of a process of this name; a kernel keeps 15 bytes of it.
named() {
    traffic "named.$((++nameds))" send "$1" ${cgroup:+"$cgroup"}
}

# serve ARGUMENTS...: starts $binary on every address, and has it collect once.
serve() {
    listen=0.0.0.0 exporter "$@"
    curl -fsS "http://127.0.0.1:$port/metrics" >/dev/null
}

browse() {
    node "$here/page.mjs" "$@" || { cat "$scratch"/*.log >&2; fail "the page: $1"; }
}

lossy
make_symptoms
named '<img src=x>'
tag=$started
named '"><b id=ran>'
quote=$started
serve
closed=$port
serve --web.enable-sockets-api
open=$port
sleep 3

echo "-- what is seen, and by whom"
browse looks "http://127.0.0.1:$closed" "${cgroup:+unit}"
browse strangers "$closed" "$open" "$outside"
demand_symptoms
kill -0 "$tag" && kill -0 "$quote" || fail "the traffic ended early"
end "$symptoms"

echo "-- 10,000 flows"
# Both ends of each connection are a flow of this host.
traffic hold hold 5000
serve
browse many "http://127.0.0.1:$port" "$started"
