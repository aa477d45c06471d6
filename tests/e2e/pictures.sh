#!/usr/bin/env bash
# Makes the pictures of the documents: the dashboards, drawn from their definitions and the answers of a Prometheus, the
# page in Chromium, and top in a terminal; of a host whose services get into trouble half-way.
#   pictures.sh BINARY [FOLDER [SECONDS]]   BINARY is of the current sources; FOLDER is docs/images, SECONDS 180
set -euo pipefail
binary=$1
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
folder=$(realpath -m "${2:-$repository/docs/images}")
seconds=${3:-180}
# What the page is made from, and the stamps are of: without tests, which are not in the binary.
[ -z "$(find "$repository/src/page" "$repository/src/top" -type f ! -name tests.rs -newer "$binary")" ] ||
    fail "$binary is older than src/page or src/top: run deploy/build-binary"
browser
own_netns "$@"
mkdir -p "$folder"

terminal=(tmux -L "pictures.$$" -f /dev/null)
trap '"${terminal[@]}" kill-server 2>/dev/null || true; end_all' EXIT

# The services are in the cgroups of their units, where cgroups can be made.
hierarchy=$(findmnt -rn -t cgroup2 -o TARGET | head -n 1)
cgroups=$hierarchy/pictures-$$
if [ -n "$hierarchy" ] && mkdir "$cgroups" 2>"$scratch/mkdir"; then
    # Only an empty one can be removed.
    trap '"${terminal[@]}" kill-server 2>/dev/null || true; end_all; eventually 5 find "$cgroups" -depth -type d -exec rmdir {} +' EXIT
else
    cgroups=
    echo "the services are in no units: cannot make cgroups"
fi

# A namespace that no other process sees.
mkdir -p /run/netns
mount -t tmpfs none /run/netns
ip netns add tenant
# The first quarter of a minute, in which Prometheus has no rates, is not in the pictures.
start_ready scene python3 "$here/scene.py" --trouble $((15 + seconds / 2)) ${cgroups:+--cgroups "$cgroups"}
scene=$started
{ cat "$repository/deploy/questions.yml"; echo 'collect: {observe: 5s, netns: [tenant]}'; } >"$scratch/ss.yml"
start "$scratch/exporter.log" "$binary" --config="$scratch/ss.yml"
eventually 10 curl -fsS http://127.0.0.1:8020/health || { cat "$scratch/exporter.log" >&2; fail "the exporter"; }
prometheus_server <<YAML
global: {scrape_interval: 2s, scrape_timeout: 1s}
scrape_configs:
  - job_name: ss
    static_configs: [{targets: ["127.0.0.1:8020"], labels: {instance: shop-1}}]
YAML
sleep $((15 + seconds))
kill -0 "$scene" && ! grep -q Traceback "$scratch/scene.log" || { cat "$scratch/scene.log" >&2; fail "scene.py"; }

# Three samples: bottlenecks and rates are those of now.
LC_ALL=C.UTF-8 TERM=xterm-256color "${terminal[@]}" new-session -d -x 120 -y 32 \
    "unset NO_COLOR; unshare --uts sh -c 'hostname shop-1; exec \"$binary\" top --config \"$scratch/ss.yml\"'"
sleep 7
"${terminal[@]}" capture-pane -p -e >"$scratch/top.ansi"
"${terminal[@]}" kill-server
python3 -B "$here/pictures.py" terminal "$scratch/top.ansi" >"$scratch/top.html"

# One time for all, before their queries are connections too.
end=$(date +%s)
pictures=()
for dashboard in overview service flow listeners exporter; do
    python3 -B "$here/pictures.py" draw "$server" "$end" "$seconds" 10s "$repository/deploy/grafana/$dashboard.json" \
        >"$scratch/$dashboard.html"
    pictures+=("$dashboard=file://$scratch/$dashboard.html")
done
pictures+=("overview-top:724=file://$scratch/overview.html" "page:900=http://127.0.0.1:8020/" "page-phone:390x844=http://127.0.0.1:8020/" "top:1040x584=file://$scratch/top.html")
mkdir "$scratch/pictures"
node "$here/pictures.mjs" "$scratch/pictures" "${pictures[@]}"
python3 -B "$here/pictures.py" stamp "$("$binary" --version | sed 's/.* //')" "$repository" "$scratch/pictures"
cp "$scratch/pictures"/*.png "$folder"
du -b "$folder"/*.png
