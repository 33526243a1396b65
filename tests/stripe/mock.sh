#!/bin/sh
# Builds Stripe's own mock once, outside of the clone (half a minute, 60 MB), and runs it on a port of its own: it holds every request against
# Stripe's OpenAPI. Go is fetched where it is missing. Exit status 3: it cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/fetch.sh"
version=0.197.0
place="${XDG_CACHE_HOME:-$HOME/.cache}/souk/stripe-mock-$version"
if [ ! -x "$place/stripe-mock" ]; then
    if ! souk_need_go; then
        echo "Go is needed to build stripe-mock (https://go.dev/dl)" >&2
        exit 3
    fi
    echo "· building stripe-mock $version (once)" >&2
    mkdir -p "${place%/*}"
    # Put in its place when it is whole: tests start side by side.
    building=$(mktemp -d "$place.XXXXXX")
    if ! CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS="-buildvcs=false -trimpath" GOBIN="$building" \
        go install "github.com/stripe/stripe-mock@v$version" >&2; then
        rm -rf "$building"
        echo "stripe-mock $version cannot be built" >&2
        exit 3
    fi
    mv -T "$building" "$place" 2>/dev/null || rm -rf "$building"
fi
exec "$place/stripe-mock" -http-addr 127.0.0.1:0
