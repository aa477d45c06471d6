# shellcheck shell=bash
# What the steps share: processes that end with the script, ports, waiting. To be sourced.

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
    # Whatever a test has mounted below is not its own.
    rm -rf --one-file-system "$scratch"
}
trap end_all EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
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

# exporter ARGUMENTS...: starts $binary at the address in $listen, or 127.0.0.1; its port is in $port.
exporter() {
    port=$(free_port)
    start "$scratch/exporter.$port.log" "$binary" --web.listen-address="${listen:-127.0.0.1}:$port" "$@"
    eventually 10 curl -fsS "http://127.0.0.1:$port/health" ||
        { cat "$scratch/exporter.$port.log" >&2; fail "no answer from: $binary $*"; }
}

# hold_connections: IPv4 and IPv6 connections of a process with an awkward name; its id is in $holder.
hold_connections() {
    start "$scratch/hold.log" python3 "$ci/hold.py"
    holder=$started
    eventually 10 grep -q '^ready' "$scratch/hold.log" || { cat "$scratch/hold.log" >&2; fail "hold.py"; }
    cat "$scratch/hold.log"
}

# far_away: far.py in another network namespace, at the address $far; 4 Mbit/s go there, and a connection fills 0.25 s of queue.
far_away() {
    far=198.18.0.2
    start "$scratch/far.log" unshare --net sh -c "
        until ip link set far up 2>/dev/null; do sleep 0.1; done
        ip addr add $far/24 dev far
        exec python3 '$ci/far.py'"
    # Until it has left this namespace.
    eventually 5 sh -c "[ \"\$(readlink /proc/$started/ns/net)\" != \"\$(readlink /proc/$$/ns/net)\" ]" || fail "unshare"
    ip link add near type veth peer name far netns "$started"
    ip addr add 198.18.0.1/24 dev near
    ip link set near up
    tc qdisc add dev near root tbf rate 4mbit burst 20k limit 500k
    eventually 10 grep -q '^ready' "$scratch/far.log" || { cat "$scratch/far.log" >&2; fail "far.py"; }
}

# lossy: nftables drops one packet in fifty of those to the port LOSSY of trouble.py.
lossy() {
    nft -f - <<'NFT'
table inet trouble {
    chain input {
        type filter hook input priority 0;
        tcp dport 7002 numgen random mod 100 < 2 drop
    }
}
NFT
}
