#!/usr/bin/env bash
# A release: what is in it, that its sums and their signature are right, and that making it again makes the same.
#   release.sh FOLDER BINARY...
# The files stay in FOLDER. Each BINARY is the static one of an architecture, this machine's first. Needs cargo-cyclonedx, rpm,
# skopeo, umoci and gpg.
set -euo pipefail
folder=$(realpath -m "$1")
binaries=("${@:2}")
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A key for this test alone.
export GNUPGHOME=$scratch/gnupg
mkdir --mode=0700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key release@example.org default sign never 2>"$scratch/gpg.log" ||
    { cat "$scratch/gpg.log" >&2; fail "no key"; }

SIGNING_KEY=release@example.org "$repository/deploy/release" "$folder" "${binaries[@]}" >/dev/null
"$repository/deploy/release" "$scratch/second" "${binaries[@]}" >/dev/null
gpg --batch --quiet --verify "$folder/sha256sums.txt.asc" "$folder/sha256sums.txt" 2>"$scratch/gpg.log" ||
    { cat "$scratch/gpg.log" >&2; fail "the signature is wrong"; }
rm "$folder/sha256sums.txt.asc"
diff -r "$folder" "$scratch/second" || fail "a second release differs from the first"
cd "$folder"
sha256sum --check --strict --quiet sha256sums.txt
[ "$(wc -l <sha256sums.txt)" = "$(($(find . -type f | wc -l) - 1))" ] || fail "a file has no sum"
# For each architecture an archive, a bill of materials and two packages; the images and the sums are of all.
[ "$(find . -type f | wc -l)" = "$((4 * ${#binaries[@]} + 2))" ] || { ls >&2; fail "a file too many or too few"; }
cat sha256sums.txt

# Each crate that the lock file names for the program, none of those for tests.
check_bill() {
    python3 - "$1" <<'PYTHON'
import json, sys
bill = json.load(open(sys.argv[1]))
assert bill["bomFormat"] == "CycloneDX", bill["bomFormat"]
names = {component["name"] for component in bill["components"]}
assert {"hyper", "tokio", "rustix"} <= names and "proptest" not in names, names
print(f"bill of materials: {len(names)} crates")
PYTHON
}

check_archive() {
    local archive=$1 folder=${1%.tar.gz}
    tar --extract --file="$archive" --directory="$scratch"
    for file in prometheus_ss_exporter LICENSE README.md CHANGELOG.md config.yml man/prometheus_ss_exporter.1.gz \
        completions/{_prometheus_ss_exporter,prometheus_ss_exporter.bash,prometheus_ss_exporter.fish} \
        systemd/prometheus-ss-exporter.{service,socket} rules/alerts.yml docs/config.schema.json \
        docs/operations/running.md grafana/overview.json; do
        [ -s "$scratch/$folder/$file" ] || fail "the archive has no $file"
    done
    bash -n "$scratch/$folder/completions/prometheus_ss_exporter.bash"
    man --warnings --local-file "$scratch/$folder/man/"*.1.gz >/dev/null 2>"$scratch/man.log"
    [ ! -s "$scratch/man.log" ] || { cat "$scratch/man.log" >&2; fail "a manual page has mistakes"; }
}

for archive in *.tar.gz; do
    check_archive "$archive"
    check_bill "${archive%.tar.gz}.cdx.json"
done
own=$scratch/$(basename prometheus_ss_exporter-*.linux-"$(dpkg --print-architecture)".tar.gz .tar.gz)
"$own/prometheus_ss_exporter" --config.check --config="$own/config.yml" >/dev/null

# An image of the tag, as skopeo and umoci see it: it is there for each architecture, and holds the program alone.
check_image() {
    local images tag=$1 user=$2 capabilities=$3 root=$scratch/bundle.$1
    images=oci-archive:$(echo prometheus_ss_exporter-*.oci.tar):$tag
    skopeo inspect --raw "$images" | python3 -c '
import json, sys
index = json.load(sys.stdin)
print(*sorted(image["platform"]["architecture"] for image in index["manifests"]))' >"$scratch/architectures"
    [ "$(wc -w <"$scratch/architectures")" = "${#binaries[@]}" ] || fail "$tag is for $(cat "$scratch/architectures")"
    [ "$(skopeo inspect --config "$images" | python3 -c 'import json, sys; print(json.load(sys.stdin)["config"]["User"])')" = "$user" ] ||
        fail "$tag runs as another user"
    skopeo copy --quiet "$images" "oci:$scratch/layout.$tag:it"
    umoci unpack --image "$scratch/layout.$tag:it" "$root" >/dev/null 2>&1 || fail "umoci cannot unpack $tag"
    cmp "${binaries[0]}" "$root/rootfs/prometheus_ss_exporter" || fail "$tag has another program"
    [ "$(ls -A "$root/rootfs")" = prometheus_ss_exporter ] || fail "$tag has something else"
    [ "$(getcap "$root/rootfs/prometheus_ss_exporter" | cut -d ' ' -f 2)" = "$capabilities" ] || fail "$tag has other capabilities"
    echo "image $tag: $(cat "$scratch/architectures"), user $user, capabilities of the file: ${capabilities:-none}"
}

version=$("$own/prometheus_ss_exporter" --version | awk '{ print $2 }' | tr -d ,)
check_image "$version" 0:0 ""
check_image "$version-nonroot" 65534:65534 cap_dac_read_search,cap_net_broadcast,cap_sys_ptrace,cap_sys_admin=p
