# shellcheck shell=bash
# Facts about the project for the scripts of this folder, which source it. Changes to the repository's folder.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repository"

# field NAME: the first value of this key in Cargo.toml.
field() {
    sed -n "s/^$1 = \"\(.*\)\"$/\1/p" Cargo.toml | head -n 1
}

version=$(field version)
address=$(field repository)
description=$(field description)
# The target directory. Cargo's configuration may name another one. A machine that only packs a binary may have no Cargo.
built=${CARGO_TARGET_DIR:-$({ cargo metadata --format-version 1 --no-deps 2>/dev/null || true; } |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')}
built=$(realpath -m "${built:-target}")
maintainer="${DEBFULLNAME:-prometheus_ss_exporter authors} <${DEBEMAIL:-authors@prometheus-ss-exporter.invalid}>"
# The time in all built files, so that the same commit produces the same bytes. Without git, it is that of
# Cargo.toml.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat --format=%Y Cargo.toml)}
export SOURCE_DATE_EPOCH
umask 022

# target ARCH: its name in Rust.
target() {
    case $1 in
    amd64) echo x86_64-unknown-linux-gnu ;;
    arm64) echo aarch64-unknown-linux-gnu ;;
    *) echo "found the architecture $1; expected: amd64 or arm64" >&2 && exit 2 ;;
    esac
}

# architecture BINARY: the architecture in its ELF header.
architecture() {
    case $(od --address-radix=n --skip-bytes=18 --read-bytes=1 --format=u1 "$1" | tr -d ' ') in
    62) echo amd64 ;;
    183) echo arm64 ;;
    *) echo "$1 is for neither amd64 nor arm64" >&2 && exit 2 ;;
    esac
}

# image_layout FILE BINARY...: the container images for the architectures of these binaries.
image_layout() {
    local file=$1 binary binaries=()
    for binary in "${@:2}"; do
        binaries+=("$(architecture "$binary")=$binary")
    done
    deploy/build-oci "$file" "$address" "$version" "$description" "$(field license)" "$SOURCE_DATE_EPOCH" "${binaries[@]}"
}
