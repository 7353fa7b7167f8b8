#!/bin/bash
# Everything that must hold, on a Debian or Ubuntu machine with Rust: installs the proxies that the tests compare
# with and unpacks promtool where they are missing, then formats, lints, documents and tests. The result lines of
# `cargo test` come last.
set -euo pipefail
cd "$(dirname "$0")"

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_proxies() {
    local missing=()
    for package in gcc haproxy nginx libnginx-mod-stream; do
        installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || {
        echo "missing: ${missing[*]}; install them to run the tests against the real proxies" >&2
        return 0
    }
    # A package that starts its service by itself would take ports on this machine: policy-rc.d says no.
    local policy=/usr/sbin/policy-rc.d made=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod +x "$policy"
        made=yes
    fi
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
    [ -z "$made" ] || as_root rm -f "$policy"
}

# promtool alone, out of the package of Prometheus: nobody asked for the server in it.
unpack_promtool() {
    local folder=$PWD/target/tools package
    export PATH=$PATH:$folder
    if command -v promtool >/dev/null || ! command -v apt-get >/dev/null; then return; fi
    mkdir -p "$folder"
    package=$(cd "$folder" && download prometheus && realpath prometheus_*.deb) || {
        echo "missing: promtool; metrics files are not checked with it" >&2
        return 0
    }
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$folder" --strip-components=3 ./usr/bin/promtool
    rm "$package"
}

# Where the lists of packages are old or were never fetched, that comes first.
download() {
    apt-get download -q "$1" >&2 || {
        as_root apt-get update -q >&2
        apt-get download -q "$1" >&2
    }
}

step() {
    echo "== $*"
    "$@"
}

install_proxies
unpack_promtool
step cargo fmt --check
step cargo clippy --locked --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --locked --no-deps
step cargo test --locked --no-fail-fast
