#!/usr/bin/env bash
# Runs the image as the predecessor's documents run theirs, and asks it what Prometheus and Docker ask.
#
#   tests/e2e/container.sh [BINARY]
#
# Then runs it, and the image that is not root's, with the capabilities of docs/install/container.md in place of --privileged, and as any
# process in a container with a network of its own, which an exporter on the host finds.
#
# BINARY is the static binary; without it one is built. Needs root, curl and ss. Uses a Docker engine that
# runs, else starts one of its own. Where none can run, the same binary runs in an empty root directory.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$repository/Cargo.toml" | head -n 1)
name=prometheus_ss_exporter_test_$$
image=prometheus_ss_exporter:$version
scratch=$(mktemp -d)
engine=
runs=
before=
bridge=
exporter=

# stop PID SECONDS: asks a process of ours to end, and makes it.
stop() {
    kill -TERM "$1" 2>/dev/null || return 0
    for _ in $(seq $(($2 * 10))); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null || true
}

clean_up() {
    set +e
    cd /
    if [ "${how:-}" = docker ]; then
        docker rm --force "$name" "$name.guest" >/dev/null 2>&1
    fi
    [ -z "$exporter" ] || stop "$exporter" 5
    [ -z "$engine" ] || stop "$engine" 20
    # What the engine leaves behind in the host's namespaces, unless it was there before.
    if [ -n "$runs" ]; then
        umount "$runs/netns/default" 2>/dev/null && rm -f "$runs/netns/default"
        [ -n "$bridge" ] || ip link delete docker0 2>/dev/null
    fi
    # What the engine left mounted is under its own directories.
    local made
    for made in "$scratch" ${runs:+$(ls -A "$runs" | grep -vxF -e "$before" | sed "s|^|$runs/|")}; do
        awk -v under="$made/" 'index($2, under) == 1 { print $2 }' /proc/self/mounts | sort -r | xargs -r -n 1 umount -l
        rm -rf "$made"
    done
}
trap clean_up EXIT

fail() {
    cat "$scratch/log" >&2 || true
    echo "tests/e2e/container.sh: $*" >&2
    exit 1
}

free_port() {
    local port=$1
    while [ -n "$(ss -Hltn "sport = :$port")" ]; do port=$((port + 1)); done
    echo "$port"
}

# eventually SECONDS COMMAND...: waits until the command succeeds.
eventually() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep 0.2
    done
}

start_engine() {
    command -v docker >/dev/null && command -v dockerd >/dev/null || return 1
    export DOCKER_HOST=unix://$scratch/docker.sock
    # Names of network namespaces are looked for where engines usually have them, and no other's may be there.
    [ -z "$(ls -A /run/docker/netns 2>/dev/null)" ] || return 1
    before=$(ls -A /run/docker 2>/dev/null || true)
    bridge=$(ls -d /sys/class/net/docker0 2>/dev/null || true)
    runs=/run/docker
    # Without a bridge and without rules for the firewall: the host's network stays as it is.
    dockerd --host="$DOCKER_HOST" --storage-driver=vfs --bridge=none --iptables=false --ip6tables=false \
        --data-root="$scratch/data" --exec-root="$runs" --pidfile="$scratch/docker.pid" \
        </dev/null >"$scratch/docker.log" 2>&1 &
    engine=$!
    if eventually 30 engine_answers_or_is_gone && kill -0 "$engine" 2>/dev/null; then return 0; fi
    tail -n 5 "$scratch/docker.log" >&2
    stop "$engine" 5
    engine=
    return 1
}

engine_answers_or_is_gone() {
    docker info >/dev/null 2>&1 || ! kill -0 "$engine" 2>/dev/null
}

binary=$(realpath "${1:-$("$repository/deploy/build-binary")}")

if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
    how=docker
elif start_engine; then
    how=docker
else
    how=chroot
fi

# Shows a metric and hides another, so that the answers tell whether the file was read.
mkdir "$scratch/mount"
cat >"$scratch/mount/only_rtt.yml" <<'YAML'
logic:
  metrics:
    gauges: {active: true, rtt: {active: true}}
YAML

answers_or_is_gone() {
    curl -fsS -o /dev/null "http://127.0.0.1:$1/health" 2>/dev/null || ! kill -0 "$exporter" 2>/dev/null
}

# check PORT: what Prometheus and a load balancer see.
check() {
    local port=$1 metrics
    eventually 20 answers_or_is_gone "$port" && kill -0 "$exporter" 2>/dev/null || fail "no answer on port $port"
    [ "$(curl -fsS "http://127.0.0.1:$port/health")" = "200 OK" ] || fail "/health does not say 200 OK"
    metrics=$(curl -fsS "http://127.0.0.1:$port/metrics")
    grep -q '^tcp_rtt{flow="' <<<"$metrics" || fail "/metrics has no tcp_rtt, not even of this connection"
    ! grep -q '^tcp_cwnd' <<<"$metrics" || fail "/metrics shows what the configuration hides"
    grep -q '^ss_exporter_collection_success{stage="dump"} 1$' <<<"$metrics" || fail "the collection failed"
}

# check_stop COMMAND...: the command asks the exporter to stop.
check_stop() {
    local begin=$SECONDS code=0
    "$@" >/dev/null
    wait "$exporter" || code=$?
    exporter=
    [ "$code" = 0 ] || fail "stopped with exit code $code"
    [ $((SECONDS - begin)) -le 30 ] || fail "took $((SECONDS - begin)) s to stop"
}

is_healthy() {
    [ "$(docker inspect --format '{{.State.Health.Status}}' "$name" 2>/dev/null)" = healthy ]
}

# in_docker PORT HEALTH -- ARGUMENTS...: the arguments of docker run, the image among them.
in_docker() {
    local port=$1 health=$2
    shift 3
    docker run "${rights[@]}" --network host --pid host --rm --name="$name" "$@" </dev/null >"$scratch/log" 2>&1 &
    exporter=$!
    check "$port"
    if [ "$health" = health ]; then
        eventually 30 is_healthy || fail "the container does not become healthy"
    fi
    check_stop docker stop --time=60 "$name"
}

by_docker() {
    "$repository/deploy/build-image" "$binary" </dev/null
    local port
    echo "-- the predecessor's command: a mount, CONFIG_FILE, PORT"
    port=$(free_port 8090)
    cd "$scratch/mount"
    rights=(--privileged)
    if ! docker run --privileged --network host --rm "$image" --version >/dev/null 2>"$scratch/log"; then
        # An engine gives what it has itself; one that lacks a capability cannot give all.
        echo "-- this machine cannot run privileged containers ($(tail -n 3 "$scratch/log" | head -n 1))"
        echo "-- the commands below have the two capabilities of the exporter in place of --privileged"
        rights=(--cap-add SYS_PTRACE --cap-add DAC_READ_SEARCH --security-opt apparmor:unconfined)
    fi
    in_docker "$port" health -- -p 8080:80 -e PORT="$port" -e CONFIG_FILE=only_rtt.yml \
        -v "$(pwd)":/exporter "$image"
    echo "-- flags after the image"
    in_docker "$port" no -- -v "$scratch/mount/only_rtt.yml:/config.yml:ro" "$image" --port="$port" --config=/config.yml
    echo "-- the program's path before the flags, as compose files have it"
    in_docker "$port" no -- -v "$scratch/mount/only_rtt.yml:/config.yml:ro" "$image" \
        ./prometheus_ss_exporter --port="$port" --config=/config.yml
}

# shows LINE: whether the exporter on $port has it.
shows() {
    grep -qF "$1" <<<"$(curl -fsS "http://127.0.0.1:$port/metrics" 2>/dev/null)"
}

# An answer without it.
hides() {
    local metrics
    metrics=$(curl -fsS "http://127.0.0.1:$port/metrics" 2>/dev/null) && ! grep -qF "$1" <<<"$metrics"
}

# The exporter on the host finds a container with a network namespace of its own, and whose it is.
by_host() {
    local port id names netns labels
    echo "-- a container with a network of its own, seen from the host"
    id=$(docker run --detach --rm --network none --name="$name.guest" "$image" --port=8021)
    names=$(docker inspect --format '{{.NetworkSettings.SandboxKey}}' "$name.guest")
    netns=${names##*/}
    cat >"$scratch/netns.yml" <<'YAML'
collect: {netns: all}
views:
  t: {by: [netns, process, container_id, local_port], metrics: [sockets], state: listen}
YAML
    port=$(free_port 8090)
    "$binary" --port="$port" --config="$scratch/netns.yml" </dev/null >"$scratch/log" 2>&1 &
    exporter=$!
    labels="netns=\"$netns\",process=\"prometheus_ss_e\",container_id=\"$id\",local_port=\"8021\""
    eventually 20 shows "ss_t_sockets{$labels} 1" || {
        curl -fsS "http://127.0.0.1:$port/metrics" | grep '^ss_t_sockets' >&2
        fail "the host's exporter does not show $labels"
    }
    docker rm --force "$name.guest" >/dev/null
    eventually 10 shows "ss_exporter_namespaces_failed 0" || fail "a namespace fails after the container's end"
    eventually 10 hides "netns=\"$netns\"" || fail "the namespace of a container that is gone is still shown"
    check_stop kill -TERM "$exporter"
}

# with_rights UID PERMITTED OWNER ARGUMENTS...: the arguments of docker run, the image among them. The exporter then runs
# as this user, may have these capabilities and no others, and knows this owner of a listener of the host's root.
with_rights() {
    local user=$1 permitted=$2 owner=$3 pid status
    shift 3
    port=$(free_port 8090)
    docker run --network host --pid host --detach --read-only --name="$name" -e PORT="$port" "$@" \
        </dev/null >"$scratch/log" 2>&1 || fail "cannot run: $*"
    eventually 30 is_healthy || fail "the container does not become healthy: $*"
    pid=$(docker inspect --format '{{.State.Pid}}' "$name")
    status=$(awk '/^Uid|^CapPrm/ { print $2 }' "/proc/$pid/status" | xargs)
    [ "$status" = "$user $permitted" ] || fail "user and capabilities are $status, not $user $permitted: $*"
    eventually 10 shows "local_port=\"$listener\",process=\"$owner\"" || {
        curl -fsS "http://127.0.0.1:$port/metrics" | grep "local_port=\"$listener\"" >&2
        docker logs "$name" >&2
        fail "the owner is not $owner: $*"
    }
    docker rm --force "$name" >/dev/null
}

# The capability sets of docs/install/container.md in place of --privileged.
by_rights() {
    local listener add=(--cap-add SYS_PTRACE --cap-add DAC_READ_SEARCH --security-opt apparmor:unconfined)
    listener=$(free_port 8070)
    "$binary" --port="$listener" </dev/null >"$scratch/log" 2>&1 &
    exporter=$!
    eventually 20 answers_or_is_gone "$listener" || fail "no answer on port $listener"
    echo "-- root with two capabilities and nothing to write to"
    with_rights 0 0000000000080004 prometheus_ss_e --cap-drop ALL "${add[@]}" --security-opt no-new-privileges:true "$image"
    echo "-- not root, with two capabilities"
    with_rights 65534 0000000000080004 prometheus_ss_e --cap-drop ALL "${add[@]}" "$image-nonroot"
    echo "-- not root, without a capability"
    with_rights 65534 0000000000000000 unknown --cap-drop ALL --security-opt no-new-privileges:true "$image-nonroot"
    check_stop kill -TERM "$exporter"
}

by_chroot() {
    local root=$scratch/root port chroot
    # By its path, since the environment is empty.
    chroot=$(type -P chroot)
    port=$(free_port 8090)
    mkdir -p "$root/exporter"
    cp "$binary" "$root/prometheus_ss_exporter"
    cp "$scratch/mount/only_rtt.yml" "$root/exporter/"
    env -i PORT="$port" CONFIG_FILE=only_rtt.yml "$chroot" "$root" /prometheus_ss_exporter </dev/null >"$scratch/log" 2>&1 &
    exporter=$!
    check "$port"
    env -i PORT="$port" "$chroot" "$root" /prometheus_ss_exporter --healthcheck || fail "--healthcheck finds it unhealthy"
    check_stop kill -TERM "$exporter"
    env -i PORT="$port" "$chroot" "$root" /prometheus_ss_exporter --healthcheck 2>/dev/null &&
        fail "--healthcheck finds it healthy after its end"
    return 0
}

"by_$how"
if [ "$how" = docker ]; then
    by_rights
    by_host
    echo "tests/e2e/container.sh: passed, with a Docker engine"
else
    echo "tests/e2e/container.sh: passed, in an empty root directory, because no Docker engine could be started"
fi
