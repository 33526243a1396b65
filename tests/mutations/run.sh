#!/bin/sh
# Shows that the proofs can fail: takes one wall at a time out of a scratch copy of the last commit and expects them to turn red.
# `tests/mutations/run.sh prologue` tries only what has that word in its name. Not part of `make test`: every mutation builds both planes
# again. Needs SOUK_TEST_DATABASE_URL.
set -eu
cd "$(git rev-parse --show-toplevel)"
only="${1:-}"
scratch=$(mktemp -d)
trap 'git worktree remove --force "$scratch/souk" 2>/dev/null; rm -rf "$scratch"' EXIT
git worktree add -q --detach "$scratch/souk" HEAD
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target/mutations}"
# A leak shows between a few stores already.
export SOUK_ISOLATION_STORES="${SOUK_ISOLATION_STORES:-16}"
tried=0 survivors=0

# name, file, what is taken out, what stands there instead, the proof that must find it
mutation() {
	case "$1" in *"$only"*) ;; *) return ;; esac
	tried=$((tried + 1))
	( cd "$scratch/souk" && git checkout -q . )
	if ! MUTANT_OLD="$3" perl -0ne 'exit index($_, $ENV{MUTANT_OLD}) < 0' "$scratch/souk/$2"; then
		echo "✘ $1: $2 has no \`$3\` any more; mend this script"; survivors=$((survivors + 1)); return
	fi
	MUTANT_OLD="$3" MUTANT_NEW="$4" perl -0pi -e 's/\Q$ENV{MUTANT_OLD}\E/$ENV{MUTANT_NEW}/' "$scratch/souk/$2"
	if ! ( cd "$scratch/souk" && cargo test -q --workspace --test proofs --no-run ) >"$scratch/build.log" 2>&1; then
		echo "✘ $1: the mutant does not compile"; tail -20 "$scratch/build.log"; survivors=$((survivors + 1)); return
	fi
	if ( cd "$scratch/souk" && cargo test -q --workspace --test proofs "$5" ) >"$scratch/run.log" 2>&1; then
		echo "✘ $1: nobody noticed"; survivors=$((survivors + 1))
	elif ! grep -q "$6" "$scratch/run.log"; then
		# Red for another reason proves nothing.
		echo "✘ $1: $5 failed, but says nothing of \`$6\`"; tail -20 "$scratch/run.log"; survivors=$((survivors + 1))
	else
		echo "✔ $1: found by $5"; grep -m 3 "$6" "$scratch/run.log" | cut -c 1-300
	fi
}

mutation "a permission check" crates/access/src/caller.rs \
	'if !self.holds(P::KEY)' 'if false && !self.holds(P::KEY)' authority::matrix ' as \|answered'
mutation "the store of a token" crates/access/src/tokens.rs \
	'claims.aud == audience.to_string() && claims.tid == tenant && kind_fits' 'kind_fits' authority::matrix ' as \|answered'
mutation "whose order it is" tenant-runtime/src/orders/routes/mod.rs \
	'|| reach == Reach::Any' '|| reach == Reach::Any || reach == Reach::Nobody' authority::foreign 'answered'
mutation "what ends up in the log" crates/access/src/permit.rs \
	'if !inner.actor.works_here() || inner.gate.is_everyday(P::KEY)' 'if !inner.actor.works_here() || !inner.gate.is_everyday(P::KEY)' \
	authority::acts 'entries instead of'
mutation "that grants of the platform end" crates/access/src/gate.rs \
	'if scope.clock().now() < expires_at' 'if scope.clock().now() > expires_at - chrono::TimeDelta::days(1)' authority::visits 'still open'
mutation "whose store grant it is" migrations/replaceable/0020_store_doors.sql \
	'AND g.store_id = platform.current_store() AND g.withdrawn_at IS NULL' 'AND platform.current_store() IS NOT NULL' authority::visits 'still open\|open for\|left: '
# A connection stays what the first store on it made of it.
mutation "the prologue of every transaction" crates/tenancy/src/session.rs \
	'AnsiTransactionManager::begin_transaction_sql(session.connection()?, prologue).await;' \
	'{ let used = session.lease.as_ref().is_some_and(|lease| Object::metrics(lease).recycle_count > 0);
	   let first = prologue.replace("LOCAL ", "");
	   let words = if used { "BEGIN" } else { first.as_str() };
	   AnsiTransactionManager::begin_transaction_sql(session.connection()?, words).await };' isolation::nothing 'findings:\|was seen'
mutation "that settings are local" crates/tenancy/src/prologue.rs \
	'SET LOCAL statement_timeout' 'SET statement_timeout' isolation::nothing 'remembers'
mutation "that abandoned connections are closed" crates/tenancy/src/session.rs \
	'let connection = Object::take(lease);
        // The server would go on with the abandoned statement, and keep its locks, until the statement ends.
        let cancel = connection.cancel_token();
        drop(connection);' \
	'let cancel = lease.cancel_token();
        drop(lease);' isolation::nothing 'stay open'

[ "$tried" -gt 0 ] || { echo "no mutation is called \`$only\`"; exit 1; }
[ "$survivors" -eq 0 ] && echo "all $tried mutations were found" || { echo "$survivors of $tried mutations survived"; exit 1; }
