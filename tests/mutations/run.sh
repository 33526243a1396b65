#!/bin/sh
# Shows that the tests can fail: takes one wall at a time out of a scratch copy of the last commit and expects the test beside it to turn red.
# `tests/mutations/run.sh stock` tries only what has that word in its name. Not part of `make test`, but of `make nightly`. Needs SOUK_TEST_DATABASE_URL.
#
# All mutations are built at once, each behind a question for the variable SOUK_MUTANT, so that every one costs a run of its test and no build.
# First all these tests run with no mutation switched on and must be green: a test that is always red finds nothing.
# SOUK_MUTATIONS_QUEUE: a command that builds are run through. Copy and build stay below target/mutations, for the next time.
set -eu
cd "$(git rev-parse --show-toplevel)"
only="${1:-}"
place="$PWD/target/mutations"
copy="$place/copy"
cases="$place/cases"
queue="${SOUK_MUTATIONS_QUEUE:-}"
# A leak shows between a few stores already.
export SOUK_ISOLATION_STORES="${SOUK_ISOLATION_STORES:-16}"
export CARGO_TARGET_DIR="$place/build"
tried=0 survivors=0
mkdir -p "$place"
: >"$cases"

[ -d "$copy/.git" ] || git clone -q --shared --no-checkout "$(git rev-parse --git-common-dir)" "$copy"
git -C "$copy" checkout -q --detach --force "$(git rev-parse HEAD)"
git -C "$copy" clean -qfd

# What others wrote is built already: the workspace's own crates are not, and are not linked, since a build may write into their files.
if [ ! -d "$CARGO_TARGET_DIR/debug" ] && [ -d target/debug/deps ]; then
	mkdir -p "$CARGO_TARGET_DIR/debug"
	cp -al target/debug/deps "$CARGO_TARGET_DIR/debug/"
	cp -a target/debug/.fingerprint target/debug/build "$CARGO_TARGET_DIR/debug/"
	rm -rf "$CARGO_TARGET_DIR"/debug/.fingerprint/souk* "$CARGO_TARGET_DIR"/debug/build/souk* "$CARGO_TARGET_DIR"/debug/deps/*souk* \
		"$CARGO_TARGET_DIR"/debug/deps/proofs* "$CARGO_TARGET_DIR"/debug/deps/*.d
fi

# Whether this name is switched on, as Rust.
on() { printf 'std::env::var_os("SOUK_MUTANT").is_some_and(|it| it == "%s")' "$1"; }

# file, what is taken out, what stands there instead; both exactly once.
patch() {
	MUTANT_OLD="$2" MUTANT_NEW="$3" perl -0pi -e '
		my $times = () = /\Q$ENV{MUTANT_OLD}\E/g;
		if ($times != 1) { print STDERR "✘ $ARGV has `$ENV{MUTANT_OLD}` $times times; mend this script\n"; $bad = 1 }
		s/\Q$ENV{MUTANT_OLD}\E/$ENV{MUTANT_NEW}/;
		END { $? = 1 if $bad }' "$copy/$1"
}

# name, what is to find it (program, test), what the test must say: red for another reason proves nothing.
found_by() {
	case "$1" in *"$only"*) printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$cases" ;; esac
}

# name, file, what is taken out, what stands there instead (`ON` asks whether it is to), program, test, words
mutation() {
	patch "$2" "$3" "$(printf '%s' "$4" | MUTANT_ON="$(on "$1")" perl -pe 's/\bON\b/$ENV{MUTANT_ON}/g')"
	found_by "$1" "$5" "$6" "$7"
}

# The same for a statement: name, the Rust file that includes it, how it calls it, its file, what is taken out, what stands there instead, …
statement() {
	folder=$(dirname "$4")
	mutant="$(printf '%s' "$1" | tr ' ' _).$(basename "$4")"
	cp "$copy/$4" "$copy/$folder/$mutant"
	patch "$folder/$mutant" "$5" "$6"
	patch "$2" "include_str!(\"$3\")" \
		"if $(on "$1") { include_str!(\"$(dirname "$3")/$mutant\") } else { include_str!(\"$3\") }"
	found_by "$1" "$7" "$8" "$9"
}

. tests/mutations/list.sh

[ -s "$cases" ] || { echo "no mutation is called \`$only\`"; exit 1; }
echo "building $(wc -l <"$cases") mutations"
for part in "--lib" "--test proofs"; do
	# shellcheck disable=SC2086 # a part is several words
	if ! ( cd "$copy" && $queue cargo test --workspace $part --no-run ) >"$place/build.log" 2>&1; then
		tail -40 "$place/build.log"; echo "✘ the mutants do not compile"; exit 1
	fi
	sed -n 's/^ *Executable .*(\(.*\))$/\1/p' "$place/build.log"
done >"$place/programs"

# program, test: runs it where cargo would; what it says goes to the third.
runs() {
	program=$(grep "/deps/$1-" "$place/programs" | head -1)
	case "$1" in
	proofs) home=tests/stage ;;
	souk_control_plane) home=control-plane ;;
	souk_tenant_runtime) home=tenant-runtime ;;
	*) home=crates/${1#souk_} ;;
	esac
	( cd "$copy/$home" && nice "$program" "$2" ) >"$3" 2>&1
}

tab=$(printf '\t')
cut -f 2,3 "$cases" | sort -u | while IFS="$tab" read -r program test; do
	if ! SOUK_MUTANT='' runs "$program" "$test" "$place/run.log"; then
		tail -20 "$place/run.log"; echo "✘ $test is red without any mutation"; exit 1
	fi
	grep -q '^running [1-9]' "$place/run.log" || { echo "✘ there is no test $test"; exit 1; }
	echo "  $test is green as it stands"
done

while IFS="$tab" read -r name program test words; do
	tried=$((tried + 1))
	log="$place/$(printf '%s' "$name" | tr ' ' _).log"
	if SOUK_MUTANT="$name" runs "$program" "$test" "$log"; then
		echo "✘ $name: nobody noticed ($program $test)"; survivors=$((survivors + 1))
	elif ! grep -q -- "$words" "$log"; then
		echo "✘ $name: $test failed, but says nothing of \`$words\`"; tail -20 "$log"; survivors=$((survivors + 1))
	else
		echo "✔ $name: found by $program $test"; grep -m 1 -- "$words" "$log" | cut -c 1-200
	fi
done <"$cases"

[ "$survivors" -eq 0 ] && echo "all $tried mutations were found" || { echo "$survivors of $tried mutations survived"; exit 1; }
