#!/usr/bin/env bash
# The manifests of clusters, compose and workflows, those in the documents too, without a cluster.
#   manifests.sh BINARY VENV
# VENV has kubernetes-validate and check-jsonschema. Needs apt and Debian's archive, for kubectl.
set -euo pipefail
binary=$1
venv=$2
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$repository"

# The kubectl of the newest Debian, kept between runs: the one of this release may be years old, and lacks today's kustomize.
fetch_kubectl() {
    local kept=${CARGO_TARGET_DIR:-$repository/target}/kubectl keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror apt
    kubectl=$kept/root/usr/bin/kubectl
    [ ! -x "$kubectl" ] || return 0
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
    mkdir -p "$kept/lists/partial" "$kept/archives/partial"
    echo "deb [signed-by=$keys] ${mirror:-http://deb.debian.org/debian} forky main" >"$kept/sources.list"
    apt=(apt-get -qq -o "Dir::Etc::SourceList=$kept/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$kept/lists"
        -o "Dir::Cache=$kept" -o APT::Sandbox::User=root)
    "${apt[@]}" update
    (cd "$kept" && "${apt[@]}" download kubectl/forky && dpkg-deb --extract kubectl_*.deb root && rm kubectl_*.deb)
}

fetch_kubectl
"$kubectl" version --client
for overlay in host-network all-namespaces; do
    "$kubectl" kustomize "deploy/kubernetes/overlays/$overlay" >"$scratch/$overlay.yml"
    "$venv/bin/kubernetes-validate" --strict "$scratch/$overlay.yml"
    # As kubectl itself reads the objects, which needs no server.
    "$kubectl" label --local --filename "$scratch/$overlay.yml" --output name read=yes
done
"$venv/bin/check-jsonschema" --builtin-schema vendor.compose-spec deploy/docker-compose.yml
"$venv/bin/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml
"$venv/bin/python" "$here/manifests.py" "$binary" "$scratch/host-network.yml" "$scratch/all-namespaces.yml" >"$scratch/groups.yml"
promtool check rules "$scratch/groups.yml" deploy/alerts.yml
promtool check config deploy/prometheus.yml

python3 "$here/documented_commands.py" examples "$repository" "$scratch/examples"
cd "$scratch/examples"
# The files that the examples name.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -keyout server.key -out server.pem 2>/dev/null
chmod 600 server.key
cp server.pem clients.pem
touch ss-exporter.password
# An overlay of the reader's own, with the patch that adds TLS: examples that belong together.
mkdir cluster
cp -r "$repository/deploy" cluster/
mv "$(grep -l '^kind: Kustomization' kubernetes-*.yml)" cluster/kustomization.yml
mv "$(grep -L 'selector:' kubernetes-*.yml)" cluster/tls.yml
cat patches-1.yml >>cluster/kustomization.yml
"$kubectl" kustomize cluster >kubernetes-tls.yml
grep -q -- --web.config.file kubernetes-tls.yml || fail "the patch for TLS is not applied"
! grep httpGet kubernetes-tls.yml || fail "with TLS, probes ask without a password"
"$venv/bin/kubernetes-validate" --strict kubernetes-*.yml
"$venv/bin/check-jsonschema" --builtin-schema vendor.compose-spec compose-*.yml
promtool check config prometheus-*.yml
for file in web-*.yml; do
    "$binary" --config.check --web.config.file="$file"
done
