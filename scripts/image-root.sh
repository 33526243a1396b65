#!/usr/bin/env bash
# Fills a folder with the root of the image: the programs, the certificates they trust, and one user.
#   image-root.sh FOLDER            builds the programs for it: release, static, without symbols
#   image-root.sh FOLDER PROGRAMS   takes those in the folder PROGRAMS; what they load goes with them (for tests: no build)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$1 from=${2:-}
programs=(souk-tenant-runtime souk-control-plane souk-operator souk)
certificates=${SOUK_CERTIFICATES:-/etc/ssl/certs/ca-certificates.crt}

rm -rf "$root"
mkdir -p "$root/etc/ssl/certs"
if [ -z "$from" ]; then
    # The C library has name resolution built in, so nothing is loaded at run time. A target of its own keeps the flag from
    # procedural macros, which cannot be static.
    target=$(rustc -vV | awk '/^host/ { print $2 }')
    # Where the sources lie on this machine is no part of the programs.
    flags="-C target-feature=+crt-static -C strip=symbols --remap-path-prefix=$PWD=/src --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
    packages=()
    for program in "${programs[@]}"; do packages+=(-p "$program"); done
    # What is written in C is built in as well, whatever this machine has of it.
    RUSTFLAGS=$flags LZMA_API_STATIC=1 cargo build --locked --release --target "$target" "${packages[@]}" --bins
    from=${CARGO_TARGET_DIR:-target}/$target/release
fi
for program in "${programs[@]}"; do
    install -m 0755 "$from/$program" "$root/$program"
    # Symbols are for debuggers, and nobody debugs in here.
    strip --strip-all "$root/$program" 2>/dev/null || true
    # A static one names no files.
    { ldd "$root/$program" 2>/dev/null || true; } | { grep -o '/[^ ]*' || true; } | while read -r library; do
        install -D -m 0755 "$library" "$root$library"
    done
done
install -m 0644 "$certificates" "$root/etc/ssl/certs/ca-certificates.crt"
echo 'souk:x:65532:65532:souk:/:/sbin/nologin' >"$root/etc/passwd"
echo 'souk:x:65532:' >"$root/etc/group"
