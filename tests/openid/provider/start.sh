#!/bin/sh
# Installs a certified OpenID Connect provider once, outside of the clone, and runs it: start.sh '{"client_id": …}'.
# Node.js is fetched where it is missing. Exit status 3: it cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../../scripts/fetch.sh"
if ! souk_need_node; then
    echo "Node.js 20 or newer is missing (https://nodejs.org)" >&2
    exit 3
fi
version=$(sed -n 's/.*"oidc-provider": "\(.*\)".*/\1/p' "$here/package.json")
cache="${XDG_CACHE_HOME:-$HOME/.cache}/souk/oidc-provider-$version"
if [ ! -d "$cache" ]; then
    mkdir -p "${cache%/*}"
    # Put in its place when it is whole: tests start side by side.
    building=$(mktemp -d "$cache.XXXXXX")
    cp "$here/package.json" "$here/package-lock.json" "$building/"
    (cd "$building" && npm ci --no-audit --no-fund) >&2
    mv -T "$building" "$cache" 2>/dev/null || rm -rf "$building"
fi
exec node --no-deprecation "$here/provider.mjs" "$cache" "$@"
