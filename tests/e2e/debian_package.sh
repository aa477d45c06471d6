#!/usr/bin/env bash
# The Debian package: its units against thresholds, lintian, and its life on a machine where nothing else is installed.
#   debian_package.sh BINARY
# BINARY is the static one. Needs root, debootstrap, lintian, systemd-analyze, and the host's own mirror.
set -euo pipefail
binary=$1
# In a mount namespace of its own: what is mounted in the new machine ends with the test.
if [ "${2:-}" != inside ]; then
    exec unshare --mount --propagation private "$0" "$binary" inside
fi
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

package=prometheus-ss-exporter
root=$scratch/root
units=$scratch/units
# Before the folder of the machine is removed.
trap 'umount --quiet --lazy "$root/proc"; end_all' EXIT

# exposure LIMIT: of the unit in $units, in tenths, and of what is beside it.
exposure() {
    systemd-analyze security --offline=true --no-pager --threshold="$1" "$units/$package.service" >"$scratch/score" ||
        { cat "$scratch/score" >&2; fail "exposed more than $1 tenths"; }
    echo "$(tail -n 1 "$scratch/score" | sed 's/.*service: \([0-9.]*\).*/\1/'), at most ${1%?}.${1#?}: $2"
}

# drop_in NAME: beside the unit, in place of another.
drop_in() {
    rm -rf "$units/$package.service.d"
    mkdir "$units/$package.service.d"
    cp "$repository/deploy/systemd/$1.conf" "$units/$package.service.d/"
}

check_units() {
    mkdir "$units"
    cp "$repository/deploy/systemd/$package".* "$units"
    exposure 25 "with process labels"
    drop_in without-capabilities
    exposure 16 "without a capability"
    drop_in all-namespaces
    exposure 26 "with all network namespaces"
    rm -r "$units/$package.service.d"
    # The program is not installed here.
    sed -i "s|/usr/bin/prometheus_ss_exporter|$(realpath "$binary")|g" "$units/$package.service"
    SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "$units/$package".{service,socket}
}

# A machine of the host's release, from where the host has its own packages.
make_machine() {
    local mirror codename vendor
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    vendor=$(. /etc/os-release && echo "${ID^}")
    mirror=$(apt-get indextargets --format '$(SITE)' "Created-By: Packages" "Codename: $codename" "Origin: $vendor" | head -n 1)
    debootstrap --variant=minbase "$codename" "$root" "$mirror" >"$scratch/debootstrap.log" 2>&1 ||
        { tail -n 20 "$scratch/debootstrap.log" >&2; fail "no machine"; }
    mount -t proc proc "$root/proc"
    # The package's own dependency, as any machine with users has it; the rest must come with the package.
    in_machine apt-get install -qq --no-install-recommends adduser >/dev/null
}

in_machine() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}

# What is there: every path but caches, logs and what apt, dpkg and adduser keep for themselves, and every account.
inventory() {
    (cd "$root" && find . -xdev \( -path ./var/cache -o -path ./var/log -o -path ./tmp -o -path ./run/adduser \
        -o -path ./var/lib/apt/extended_states -o -path './etc/*-' -o -name '*-old' \) -prune -o -print | sort)
    sort "$root"/etc/{passwd,group,shadow,gshadow}
    in_machine dpkg --list | awk '/^..  / { print $1, $2, $3 }'
}

# unit KEY: its value in the installed unit.
unit() {
    sed -n "s/^$1=//p" "$root/usr/lib/systemd/system/$package.service"
}

# run_unit CAPABILITIES: what the installed unit would start, as its user, with these words of setpriv.
run_unit() {
    local user settings
    user=$(unit User)
    settings=$(unit EnvironmentFile)
    start "$scratch/unit.log" chroot "$root" env -i sh -c '
        set -a
        . "$1"
        exec setpriv --reuid="$2" --regid="$2" --clear-groups --no-new-privs \
            --bounding-set="$3" --inh-caps="$3" --ambient-caps="$3" $(eval echo "$4")' \
        sh "${settings#-}" "$user" "$1" "$(unit ExecStart)"
    eventually 10 curl -fsS "http://127.0.0.1:$port/metrics" || { cat "$scratch/unit.log" >&2; fail "the unit does not answer"; }
    [ "$(ps -o user:32= -p "$started")" = "$(id -nu "$(in_machine id -u "$user")" 2>/dev/null || in_machine id -u "$user")" ] ||
        fail "it runs as another user"
}

# shows LINE: whether the exporter has it.
shows() {
    grep -qF "$1" <<<"$(curl -fsS "http://127.0.0.1:$port/metrics")"
}

live() {
    local words held server
    inventory >"$scratch/before"
    cp "$deb" "$root/tmp/"
    in_machine apt-get install -qq "/tmp/${deb##*/}" >"$scratch/apt.log" 2>&1 || { cat "$scratch/apt.log" >&2; fail "apt install"; }
    [ -L "$root/etc/systemd/system/multi-user.target.wants/$package.service" ] || fail "the unit is not enabled"
    in_machine prometheus-ss-exporter --version
    in_machine prometheus_ss_exporter --config.check --config="/etc/$package/config.yml" >/dev/null

    port=$(free_port)
    sed -i "s/^ARGS=.*/ARGS=\"--web.listen-address=127.0.0.1:$port\"/" "$root/etc/default/$package"
    server=$(free_port)
    start "$scratch/server.log" python3 -m http.server --bind 127.0.0.1 "$server"
    held=$(unit AmbientCapabilities | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
    run_unit "-all,$held"
    eventually 10 shows "local_port=\"$server\",process=\"python3\"" || fail "no label of another user's process"
    shows 'ss_exporter_capability_held{feature="processes",capability="CAP_DAC_READ_SEARCH"} 1' || fail "a capability too few"
    end "$started"
    run_unit -all
    shows 'ss_exporter_collection_success{stage="dump"} 1' || fail "no collection without a capability"
    shows 'ss_exporter_capability_held{feature="processes",capability="CAP_SYS_PTRACE"} 0' || fail "a capability too many"
    # Without a configuration file the built-in default applies.
    rm "$root/etc/$package/config.yml"
    sed -i 's/^CONFIG_FILE=.*/CONFIG_FILE=/' "$root/etc/default/$package"
    end "$started"
    run_unit -all
    end "$started"

    in_machine dpkg --install "/tmp/${deb##*/}" >"$scratch/apt.log" 2>&1 || { cat "$scratch/apt.log" >&2; fail "installing it again"; }
    grep -q "127.0.0.1:$port" "$root/etc/default/$package" || fail "an upgrade overwrites /etc/default/$package"
    [ ! -e "$root/etc/$package/config.yml" ] || fail "an upgrade brings a deleted configuration back"
    in_machine apt-get remove -qq "$package" >"$scratch/apt.log" 2>&1 || { cat "$scratch/apt.log" >&2; fail "apt remove"; }
    [ -e "$root/etc/default/$package" ] || fail "removing it removes its configuration"
    in_machine apt-get purge -qq "$package" >"$scratch/apt.log" 2>&1 || { cat "$scratch/apt.log" >&2; fail "apt purge"; }
    rm "$root/tmp/${deb##*/}"
    inventory | diff "$scratch/before" - || fail "purge leaves something behind"
    echo "installed, scraped, installed again, removed and purged: nothing is left"
}

check_units
# With a cargo that compiles nothing: the program is there already.
mkdir "$scratch/bin"
printf '#!/bin/sh\ncase "$1" in build | check | install | run | rustc | test) exit 1 ;; esac\nexec "%s" "$@"\n' \
    "$(command -v cargo)" >"$scratch/bin/cargo"
chmod +x "$scratch/bin/cargo"
deb=$(PATH=$scratch/bin:$PATH "$repository/deploy/build-deb" "$binary" "$scratch/deb") || fail "no package without compiling"
echo "${deb##*/}: $(stat -c %s "$deb") bytes"
lintian --allow-root --fail-on error,warning "$deb"
echo "lintian: no error, no warning"
make_machine
live
