#!/bin/sh
# Pictures of every mail and of the pages that their links lead to, as a real browser shows them: look.sh RUNTIME CONTROL-PLANE FOLDER, the
# first two being the programs. Installs the browser (Debian's) and what drives it once. Exit status 3: they cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
runtime="$1" control="$2" folder="$3"
missing() { echo "✘ $*" >&2; exit 3; }
. "$here/../../scripts/fetch.sh"
souk_need_node || missing "Node.js 20 or newer is missing (https://nodejs.org)"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || missing "a browser is missing: install chromium"
    echo "· installing chromium" >&2
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >/dev/null 2>&1 ||
        missing "chromium cannot be installed"
    browser=$(command -v chromium) || missing "chromium cannot be installed"
fi
version=$(sed -n 's/.*"playwright-core": "\([^"]*\)".*/\1/p' "$here/package.json")
cache="${XDG_CACHE_HOME:-$HOME/.cache}/souk/pictures-$version"
if [ ! -d "$cache" ]; then
    mkdir -p "${cache%/*}"
    building=$(mktemp -d "$cache.XXXXXX")
    cp "$here/package.json" "$here/package-lock.json" "$building/"
    (cd "$building" && npm ci --ignore-scripts --no-audit --no-fund) >&2
    mv -T "$building" "$cache" 2>/dev/null || rm -rf "$building"
fi
rm -rf "$folder"
"$runtime" mails "$folder/mails"
"$control" mails "$folder/mails"
exec node "$here/look.mjs" "$cache" "$browser" "$folder"
