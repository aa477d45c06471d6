#!/usr/bin/env bash
# A release: what is in it, that its sums are right, and that making it again makes the same.
#   release.sh BINARY
set -euo pipefail
binary=$1
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$repository/deploy/release" "$binary" "$scratch/first" >/dev/null
"$repository/deploy/release" "$binary" "$scratch/second" >/dev/null
diff -r "$scratch/first" "$scratch/second" || fail "a second release differs from the first"
cd "$scratch/first"
sha256sum --check --strict --quiet sha256sums.txt
[ "$(wc -l <sha256sums.txt)" = "$(($(find . -type f | wc -l) - 1))" ] || fail "a file has no sum"
cat sha256sums.txt

archive=$(echo prometheus_ss_exporter-*.linux-amd64.tar.gz)
folder=${archive%.tar.gz}
tar --extract --file="$archive" --directory="$scratch"
for file in prometheus_ss_exporter LICENSE README.md CHANGELOG.md config.yml man/prometheus_ss_exporter.1.gz \
    completions/{_prometheus_ss_exporter,prometheus_ss_exporter.bash,prometheus_ss_exporter.fish} \
    systemd/prometheus-ss-exporter.{service,socket} rules/alerts.yml \
    docs/operations/running.md grafana/overview.json; do
    [ -s "$scratch/$folder/$file" ] || fail "the archive has no $file"
done
"$scratch/$folder/prometheus_ss_exporter" --config.check --config="$scratch/$folder/config.yml" >/dev/null
bash -n "$scratch/$folder/completions/prometheus_ss_exporter.bash"
man --warnings --local-file "$scratch/$folder/man/"*.1.gz >/dev/null 2>"$scratch/man.log"
[ ! -s "$scratch/man.log" ] || { cat "$scratch/man.log" >&2; fail "a manual page has mistakes"; }
# Each crate that the lock file names for the program, none of those for tests.
python3 - "$folder.cdx.json" <<'PYTHON'
import json, sys
bill = json.load(open(sys.argv[1]))
assert bill["bomFormat"] == "CycloneDX", bill["bomFormat"]
names = {component["name"] for component in bill["components"]}
assert {"hyper", "tokio", "rustix"} <= names and "proptest" not in names, names
print(f"bill of materials: {len(names)} crates")
PYTHON
