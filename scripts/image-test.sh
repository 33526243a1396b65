#!/usr/bin/env bash
# Whether the image is what is promised of it: built twice from nothing it is the same bytes, it has at most 40 MB packed, and what is in it
# serves within a second of its start, in a root that holds nothing else. Two release builds from nothing: half an hour of two cores, 4 GB.
#   image-test.sh SOUK   the `souk` command that was built; it starts PostgreSQL
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."
souk=$(realpath "$1")
work=$PWD/target/image/test
most=40000000 longest=1000

fail() { printf '✘ %s\n' "$*" >&2; exit 1; }
say() { printf '· %s\n' "$*"; }

built() { # which: in the same place each time, as in a builder stage, since C code names the files it comes from
    rm -rf "$work/build"
    CARGO_TARGET_DIR=$work/build scripts/image-root.sh "$work/root-$1"
    python3 scripts/image.py "$work/root-$1" "$work/$1.tar" localhost/souk:dev
}

end() {
    [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
    [ ! -d "$work/postgres" ] || "$souk" db remove --dir "$work/postgres" || true
}
trap end EXIT

mkdir -p "$work"
say "building it"
one=$(built one)
say "building it again, by no cache"
# Empty, not unset: cargo's own configuration would fill it in.
two=$(RUSTC_WRAPPER='' built two)
if ! cmp -s "$work/one.tar" "$work/two.tar"; then
    diff -rq "$work/root-one" "$work/root-two" >&2 || true
    fail "the same sources gave $one and $two; both are in $work"
fi
say "twice the same bytes: $one"
rm -rf "$work/build" "$work/root-two" "$work/two.tar"

size=$(stat -c %s "$work/one.tar")
[ "$size" -le "$most" ] || fail "it has $size bytes packed, more than $most"
say "it has $((size / 1000000)) MB packed"

# What a node would unpack, and nothing of this machine beside it.
root=$work/unpacked
rm -rf "$root"
python3 - "$work/one.tar" "$root" <<'END'
import io, json, pathlib, sys, tarfile
archive, root = tarfile.open(sys.argv[1]), pathlib.Path(sys.argv[2])
blob = lambda digest: archive.extractfile("blobs/" + digest.replace(":", "/")).read()
manifest = json.loads(blob(json.load(archive.extractfile("index.json"))["manifests"][0]["digest"]))
for layer in manifest["layers"]:
    tarfile.open(fileobj=io.BytesIO(blob(layer["digest"]))).extractall(root)
END
say "PostgreSQL to start with"
admin=$("$souk" db start --dir "$work/postgres" --careless | tail -1)
mkdir -p "$root/etc/souk"
openssl genpkey -algorithm ed25519 | openssl pkey -pubout >"$root/etc/souk/staff.pem"
chmod -R a+rX "$root"
port=$((20000 + RANDOM % 10000))
word=image-test-image-test-image-test-image-test
settings=(
    SOUK_DATABASE_URL="postgres://${admin##*@}" SOUK_ADMIN_DATABASE_URL="$admin" SOUK_LANES=2
    SOUK_LANE_SECRET=$word SOUK_CURSOR_SECRET=$word SOUK_CONTROL_PASSWORD=$word SOUK_PROVISIONER_PASSWORD=$word SOUK_RELAY_PASSWORD=$word
    SOUK_RUNTIME_LISTEN="127.0.0.1:$port" SOUK_RUNTIME_INTERNAL_LISTEN="127.0.0.1:$((port + 1))"
)
settings[0]=${settings[0]%/*}/souk
# Another root is root's to give; without that it is shown that the programs load nothing, not that they look for nothing.
within=(env -i "${settings[@]}" SOUK_STAFF_KEY_FILE="$root/etc/souk/staff.pem")
program=$root
if [ "$(id -u)" = 0 ]; then
    within=(env -i "${settings[@]}" SOUK_STAFF_KEY_FILE=/etc/souk/staff.pem "$(command -v chroot)" --userspec=65532:65532 "$root")
    program=
fi
"${within[@]}" "$program/souk-control-plane" migrate >"$work/migrate.log" 2>&1 || { tail -20 "$work/migrate.log" >&2; fail "it does not migrate"; }

best=
for _ in 1 2 3; do
    began=$(date +%s%N)
    "${within[@]}" "$program/souk-tenant-runtime" serve >"$work/serve.log" 2>&1 &
    server=$!
    until curl -sf -o /dev/null "http://127.0.0.1:$((port + 1))/readyz"; do
        kill -0 "$server" 2>/dev/null || { tail -20 "$work/serve.log" >&2; fail "it does not serve"; }
        [ $((($(date +%s%N) - began) / 1000000)) -lt 20000 ] || fail "it is not ready after 20 s; see $work/serve.log"
        sleep 0.01
    done
    took=$((($(date +%s%N) - began) / 1000000))
    if [ -z "$best" ] || [ "$took" -lt "$best" ]; then best=$took; fi
    kill "$server"
    wait "$server" || true
    server=
done
[ "$best" -le "$longest" ] || fail "it is ready $best ms after its start, later than $longest"
say "it is ready $best ms after its start"
