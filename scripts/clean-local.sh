#!/bin/sh
# What `make clean-local` does once `make up` and the clusters are stopped: stops the servers of the tests and deletes what they, and
# everything else that can be made again, left in this clone and in the folder for temporary files. What was built stays: `cargo clean`.
set -eu
cd "$(dirname "$0")/.."

souk=
for program in target/debug/souk target/fast/souk target/release/souk; do
	if [ -z "$souk" ] && [ -x "$program" ]; then souk="$PWD/$program"; fi
done

# A folder of `souk up`: whatever runs in it is stopped; a database's data may live elsewhere.
remove() {
	if [ -n "$souk" ] && [ -d "$1" ]; then
		"$souk" --home "$1" down >/dev/null 2>&1 || true
		for server in "$1"/test-pg* "$1/server"; do
			if [ -f "$server/server.json" ]; then "$souk" db remove --dir "$server" || true; fi
		done
		if [ -d "$1/test-kafka" ]; then "$souk" kafka stop --dir "$1/test-kafka" || true; fi
		"$souk" db remove --dir "$1" || true
	fi
	rm -rf "$1"
}

remove target/bench/platform
remove target/bench/platform.kafka
# Platforms of tests that were killed, or that failed and were kept to be read. The number is that of the test's process.
for folder in "${TMPDIR:-/tmp}"/souk-*-[0-9]*; do
	if [ -d "$folder" ] && [ -O "$folder" ] && ! kill -0 "${folder##*-}" 2>/dev/null; then remove "$folder"; fi
done
remove .souk
rm -rf target/bench target/mutations target/image target/pictures
