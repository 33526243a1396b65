#!/bin/sh
# Shows that the proofs can fail: takes one check at a time out of a scratch copy of the last commit and expects them to turn red.
# Not part of `make test`: every mutation builds both planes again. Needs SOUK_TEST_DATABASE_URL.
set -eu
cd "$(git rev-parse --show-toplevel)"
scratch=$(mktemp -d)
trap 'git worktree remove --force "$scratch/souk" 2>/dev/null; rm -rf "$scratch"' EXIT
git worktree add -q --detach "$scratch/souk" HEAD
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target/mutations}"
survivors=0

# name, file, what is taken out, what stands there instead, the proof that must find it
mutation() {
	( cd "$scratch/souk" && git checkout -q . )
	if ! grep -qF -- "$3" "$scratch/souk/$2"; then
		echo "✘ $1: $2 has no \`$3\` any more; mend this script"; survivors=$((survivors + 1)); return
	fi
	MUTANT_OLD="$3" MUTANT_NEW="$4" perl -0pi -e 's/\Q$ENV{MUTANT_OLD}\E/$ENV{MUTANT_NEW}/' "$scratch/souk/$2"
	if ! ( cd "$scratch/souk" && cargo test -q -p souk-proofs --test proofs --no-run ) >"$scratch/build.log" 2>&1; then
		echo "✘ $1: the mutant does not compile"; tail -20 "$scratch/build.log"; survivors=$((survivors + 1)); return
	fi
	if ( cd "$scratch/souk" && cargo test -q -p souk-proofs --test proofs "$5" ) >"$scratch/run.log" 2>&1; then
		echo "✘ $1: nobody noticed"; survivors=$((survivors + 1))
	else
		echo "✔ $1: found by $5"; grep -m 3 ' as \|answered' "$scratch/run.log" || true
	fi
}

mutation "a permission check" crates/access/src/caller.rs \
	'if !self.holds(P::KEY)' 'if false && !self.holds(P::KEY)' authority::matrix
mutation "the store of a token" crates/access/src/tokens.rs \
	'claims.aud == audience.to_string() && claims.tid == tenant && kind_fits' 'kind_fits' authority::matrix
mutation "whose order it is" tenant-runtime/src/orders/routes.rs \
	'|| reach == Reach::Any' '|| reach == Reach::Any || reach == Reach::Nobody' authority::foreign

[ "$survivors" -eq 0 ] && echo "every mutation was found" || { echo "$survivors mutations survived"; exit 1; }
