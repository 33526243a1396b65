#!/bin/sh
# Says at once, before anything is built, when the disk has less room than a whole build and the tests take: a build that runs out of it
# fails after half an hour, in whatever happened to write next. Exit status 1 then, with what can be deleted.
set -eu
cd "$(dirname "$0")/.."

# In GB. Everything built for the tests, with what incremental builds keep, is about 20; the databases, brokers and platforms of the
# tests are about 5, and so much is new in every run, however much is there from the last one.
whole=25
# What scripts/setup.sh does not have CI keep.
[ -z "${CI:-}" ] || whole=18
always=6
elsewhere=3
# Go's caches, where the Kubernetes of the tests is still to be built.
kubernetes=5

gb=1048576
free() { df -Pk "$1" | awk 'NR == 2 { print $4 }'; }
disk() { df -Pk "$1" | awk 'NR == 2 { print $6 }'; }
# What there is of these, in KB.
size() { du -sk "$@" 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }'; }
in_gb() { awk -v kb="$1" -v gb="$gb" 'BEGIN { printf "%.1f", kb / gb }'; }

there=$(size target .souk)
need=$((whole * gb - there))
[ "$need" -gt $((always * gb)) ] || need=$((always * gb))
cache="${XDG_CACHE_HOME:-$HOME/.cache}"
ls "$cache"/souk/kubernetes-*/kubebox >/dev/null 2>&1 || need=$((need + kubernetes * gb))

if [ "$(free .)" -lt "$need" ]; then
	# Nobody else deletes these. One that has not been written for a day belongs to a crate, or to features, that nobody builds any more.
	before=$(size target)
	find target/*/incremental -mindepth 1 -maxdepth 1 -mtime +0 -exec rm -rf {} + 2>/dev/null || true
	gone=$((before - $(size target)))
	if [ "$gone" -gt 0 ]; then
		echo "· the disk is nearly full: $(in_gb "$gone") GB of old incremental builds were deleted" >&2
		need=$((need + gone))
	fi
fi

if [ "$(free .)" -lt "$need" ]; then
	cat >&2 <<END
✘ $(in_gb "$(free .)") GB are free in $PWD, and this takes $(in_gb "$need"). What can be deleted here:
  make clean-local   $(in_gb "$(size .souk target/bench target/mutations target/image target/pictures)") GB: databases and brokers of the tests and of \`make up\`, benchmarks, mutations, images
  cargo clean        $(in_gb "$(size target)") GB: everything that was built
and outside of this clone, to be made again when it is needed: $cache/souk ($(in_gb "$(size "$cache/souk")") GB), $cache/go-build ($(in_gb "$(size "$cache/go-build")") GB)
END
	exit 1
fi

# Platforms that the tests start live there.
tmp="${TMPDIR:-/tmp}"
if [ "$(disk "$tmp")" != "$(disk .)" ] && [ "$(free "$tmp")" -lt $((elsewhere * gb)) ]; then
	echo "✘ $(in_gb "$(free "$tmp")") GB are free in $tmp, and the tests take $elsewhere there: set TMPDIR to a folder with room" >&2
	exit 1
fi
