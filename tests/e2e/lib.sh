# shellcheck shell=bash
# What the scripts share. To be sourced.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
traffic=${CARGO_TARGET_DIR:-$repository/target}/debug/traffic
pids=()
scratch=$(mktemp -d)

end_all() {
    local pid
    for pid in "${pids[@]}"; do
        kill -TERM "$pid" 2>/dev/null || true
    done
    for pid in "${pids[@]}"; do
        for _ in $(seq 100); do
            kill -0 "$pid" 2>/dev/null || continue 2
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
    done
    # What a script has mounted below is not part of it.
    rm -rf --one-file-system "$scratch"
}
trap end_all EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

free_port() {
    python3 -c '
import random, socket
with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
    clients = int(file.read().split()[0])
# A client could take one of theirs before the server does. The others below are those of services.
ports = random.sample(range(20000, clients), clients - 20000) if clients > 20000 else []
for port in [*ports, 0]:
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(s.getsockname()[1])
        break'
}

# eventually SECONDS COMMAND...: waits until the command succeeds.
eventually() {
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep 0.2
    done
}

# start LOG COMMAND...: in the background, until the script ends; its process id is in $started.
start() {
    local log=$1
    shift
    "$@" </dev/null >"$log" 2>&1 &
    started=$!
    pids+=("$started")
}

# end PID: before the script ends; the id may then belong to another process.
end() {
    local pid rest=()
    kill -TERM "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
    for pid in "${pids[@]}"; do
        [ "$pid" = "$1" ] || rest+=("$pid")
    done
    pids=("${rest[@]}")
}

# start_ready NAME COMMAND...: like start, with the log $scratch/NAME.log, in which the line `ready` is waited for.
start_ready() {
    local log=$scratch/$1.log
    start "$log" "${@:2}"
    eventually 30 grep -q '^ready' "$log" || { cat "$log" >&2; fail "not ready: ${*:2}"; }
}

# own_netns ARGUMENTS...: the script goes on with these arguments in a network, a mount and a UTS namespace of its own.
own_netns() {
    if [ -z "${E2E_OWN_NETNS:-}" ]; then
        rmdir "$scratch"
        E2E_OWN_NETNS=yes exec unshare --net --mount --uts "$0" "$@"
    fi
    ip link set lo up
}

# browser: finds Chromium and installs what drives it, for page.mjs and pictures.mjs; to be called before own_netns.
browser() {
    export PAGE_PACKAGES=${CARGO_TARGET_DIR:-$repository/target}/ci-node PAGE_BROWSER
    PAGE_BROWSER=$(command -v chromium google-chrome | head -n 1)
    # A network namespace of its own does not reach npm.
    if [ -z "${E2E_OWN_NETNS:-}" ]; then
        mkdir -p "$PAGE_PACKAGES"
        npm install --prefix "$PAGE_PACKAGES" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error \
            playwright-core@1.65.1 axe-core@4.14.1 upng-js@2.1.0 >/dev/null
    fi
}

# exporter ARGUMENTS...: starts $binary at the address in $listen, or 127.0.0.1; its port is in $port.
exporter() {
    port=$(free_port)
    start "$scratch/exporter.$port.log" "$binary" --web.listen-address="${listen:-127.0.0.1}:$port" "$@"
    eventually 10 curl -fsS "http://127.0.0.1:$port/health" ||
        { cat "$scratch/exporter.$port.log" >&2; fail "no answer from: $binary $*"; }
}

# For the configuration of a Prometheus that scrapes in seconds what others scrape in minutes.
every_second='global: {scrape_interval: 1s, scrape_timeout: 1s}'

# prometheus_server FLAGS...: starts a Prometheus with the configuration on standard input; its address is in $server.
prometheus_server() {
    cat >"$scratch/prometheus.yml"
    server=127.0.0.1:$(free_port)
    start "$scratch/prometheus.log" prometheus --config.file="$scratch/prometheus.yml" \
        --storage.tsdb.path="$scratch/data" --web.listen-address="$server" --log.level=warn "$@"
    eventually 30 curl -fsS "http://$server/-/ready" || { cat "$scratch/prometheus.log" >&2; fail "Prometheus does not start"; }
}

# query SERVER EXPRESSION: the samples of the result, without times, sorted. Prints nothing if there are none.
query() {
    curl -fsS -G "http://$1/api/v1/query" --data-urlencode "query=$2" | python3 -c '
import json, sys
samples = json.load(sys.stdin)["data"]["result"]
for line in sorted(json.dumps([sample["metric"], float(sample["value"][1])], sort_keys=True) for sample in samples):
    print(line)'
}

# demand_results SERVER EXPRESSION...: each expression has a result within 20 s.
demand_results() {
    local of=$1 expression
    for expression in "${@:2}"; do
        eventually 20 has_result "$of" "$expression" || { cat "$scratch"/*.log >&2; fail "http://$of has no result: $expression"; }
        echo "http://$of holds: $expression"
    done
}

has_result() {
    [ -n "$(query "$1" "$2")" ]
}

# traffic NAME SUBCOMMAND ARGUMENTS...: starts crates/testkit/src/bin/traffic.rs with the log $scratch/NAME.log.
traffic() {
    [ -x "$traffic" ] || fail "no $traffic: run cargo build -p testkit --bin traffic"
    start_ready "$1" "$traffic" "${@:2}"
}

# hold_connections: IPv4 and IPv6 connections of a process with an awkward name; its id is in $holder.
hold_connections() {
    traffic exchange exchange
    holder=$started
    cat "$scratch/exchange.log"
}

# make_symptoms ARGUMENTS...: starts symptoms.py; its id is in $symptoms.
make_symptoms() {
    start_ready symptoms python3 "$here/symptoms.py" "$@"
    symptoms=$started
}

# demand_symptoms: what makes the symptoms is still there, and none of its threads has failed.
demand_symptoms() {
    kill -0 "$symptoms" && ! grep -q Traceback "$scratch/symptoms.log" || { cat "$scratch/symptoms.log" >&2; fail "symptoms.py"; }
}

# far_away: a reader of the port FAR of symptoms.py in another network namespace, at the address $far; 4 Mbit/s go there, and a connection fills 0.25 s of queue.
far_away() {
    far=198.18.0.2
    start "$scratch/far.log" unshare --net sh -c "
        until ip link set far up 2>/dev/null; do sleep 0.1; done
        ip addr add $far/24 dev far
        exec '$traffic' drain 7009"
    # Until it has left this namespace.
    eventually 5 sh -c "[ \"\$(readlink /proc/$started/ns/net)\" != \"\$(readlink /proc/$$/ns/net)\" ]" || fail "unshare"
    ip link add near type veth peer name far netns "$started"
    ip addr add 198.18.0.1/24 dev near
    ip link set near up
    tc qdisc add dev near root tbf rate 4mbit burst 20k limit 500k
    eventually 10 grep -q '^ready' "$scratch/far.log" || { cat "$scratch/far.log" >&2; fail "no reader far away"; }
}

# lossy: nftables drops one packet in fifty of those to the port LOSSY of symptoms.py.
lossy() {
    nft -f - <<'NFT'
table inet lossy {
    chain input {
        type filter hook input priority 0;
        tcp dport 7002 numgen random mod 100 < 2 drop
    }
}
NFT
}
