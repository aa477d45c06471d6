#!/usr/bin/env bash
# The RPM package: what is in it, and its life in a root that is a copy of this one, with a database of packages of its own.
#   rpm_package.sh BINARY
# BINARY is the static one. Needs root, rpm, rpmbuild and overlayfs.
set -euo pipefail
binary=$1
# In a mount namespace of its own: what is mounted ends with the test.
if [ "${2:-}" != inside ]; then
    exec unshare --mount --propagation private "$0" "$binary" inside
fi
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

package=prometheus-ss-exporter
layers=$scratch/layers
root=$layers/root
# Before the folder is removed.
trap 'umount --quiet --lazy "$root/dev" "$root/proc" "$root" "$layers"; end_all' EXIT

# This machine's files, of which a change is seen in the new root alone.
make_root() {
    mkdir "$layers"
    # Not every file system can be an upper layer.
    mount -t tmpfs tmpfs "$layers"
    mkdir "$layers"/{upper,work,root}
    mount -t overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" overlay "$root"
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    rm -rf "$root/var/lib/rpm" "$root/run/systemd/system"
}

# in_root ARGUMENTS...: rpm in the new root, with scriptlets; this machine's packages are not in its database. Debian's rpm says
# on standard error that it is Debian's.
in_root() {
    rpm --root "$root" --dbpath /var/lib/rpm --nodeps "$@" 2>"$scratch/rpm.log" || { cat "$scratch/rpm.log" >&2; fail "rpm $*"; }
}

inventory() {
    (cd "$layers/upper" && find . \( -path ./var/lib/rpm -o -path ./var/log -o -path ./tmp -o -path './etc/*-' -o -path './etc/.pwd.lock' \
        -o -path ./etc/passwd -o -path './etc/*shadow' -o -path ./etc/group -o -path './etc/sub?id' \) -prune \
        -o ! -type d ! -type c -print | sort)
}

rpm_file=$("$repository/deploy/build-rpm" "$binary" "$scratch/rpm")
echo "${rpm_file##*/}: $(stat -c %s "$rpm_file") bytes"
rpm --query --package --list "$rpm_file" >"$scratch/list"
for file in /usr/bin/{prometheus_ss_exporter,$package} /etc/$package/config.yml /etc/default/$package \
    /usr/lib/systemd/system/$package.{service,socket} /usr/share/man/man1/prometheus_ss_exporter.1.gz \
    /usr/share/zsh/site-functions/_prometheus_ss_exporter /usr/share/licenses/$package/LICENSE \
    /usr/share/doc/$package/{docs/config.schema.json,examples/rules/alerts.yml,examples/grafana/overview.json}; do
    grep -qxF "$file" "$scratch/list" || fail "the package has no $file"
done
rpm --query --package --configfiles "$rpm_file" | sort | diff - <(printf '%s\n' "/etc/default/$package" "/etc/$package/config.yml") ||
    fail "the configuration is not marked as such"

make_root
inventory >"$scratch/before"
in_root --install "$rpm_file"
in_root --verify "$package"
chroot "$root" id -u "$package" >/dev/null || fail "there is no user"
port=$(free_port)
start "$scratch/unit.log" chroot "$root" setpriv --reuid="$package" --regid="$package" --clear-groups --no-new-privs \
    /usr/bin/prometheus_ss_exporter --config="/etc/$package/config.yml" --web.listen-address="127.0.0.1:$port"
eventually 10 curl -fsS "http://127.0.0.1:$port/metrics" || { cat "$scratch/unit.log" >&2; fail "it does not answer"; }
end "$started"
echo "# changed" >>"$root/etc/$package/config.yml"
in_root --upgrade --replacepkgs "$rpm_file"
grep -q '^# changed' "$root/etc/$package/config.yml" || fail "an upgrade overwrites the configuration"
in_root --erase "$package"
inventory | sed "\|^./etc/$package/config.yml.rpmsave\$|d" | diff "$scratch/before" - || fail "its end leaves something behind"
echo "installed, scraped, upgraded and erased: nothing is left but the changed configuration and the user"
