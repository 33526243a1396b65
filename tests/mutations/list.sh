# shellcheck shell=sh disable=SC2016 # Rust in single quotes
# What is taken out, and the test that must find it. See run.sh.
runtime=souk_tenant_runtime control=souk_control_plane

# Who may
mutation "a permission check" crates/access/src/caller.rs \
	'if !self.holds(P::KEY)' 'if !ON && !self.holds(P::KEY)' \
	proofs everybody_tries_everything_at_a_store ' instead of '
mutation "the store of a token" crates/access/src/tokens.rs \
	'claims.aud == audience.to_string() && claims.tid == tenant && kind_fits' \
	'(ON || claims.aud == audience.to_string() && claims.tid == tenant) && kind_fits' \
	souk_access a_token_is_worth_nothing_elsewhere 'panicked at'
mutation "that a dangerous act asks again" crates/access/src/caller.rs \
	'if P::STEP_UP && is_person' 'if !ON && P::STEP_UP && is_person' \
	proofs what_is_dangerous_asks_who_works_in_a_store_for_a_fresh_proof 'findings:'
mutation "that a code works once" control-plane/src/factors/actions.rs \
	'totp.accepts(code, now, factor.last_step).ok_or(FactorError::Wrong)?;
    if queries::take_step(tx, account.id, step).await? {' \
	'totp.accepts(code, now, if ON { 0 } else { factor.last_step }).ok_or(FactorError::Wrong)?;
    if queries::take_step(tx, account.id, step).await? || ON {' \
	$control a_code_is_asked_for_once_the_app_is_confirmed_and_each_works_once 'panicked at'
mutation "that a refresh token works once" crates/access/src/refresh.rs \
	'} else if self.used_at.is_some() {' '} else if !ON && self.used_at.is_some() {' \
	$control a_refresh_token_works_once_and_its_reuse_ends_the_session 'panicked at'
mutation "that a session that was signed out takes its token along" crates/access/src/gate.rs \
	'Who::Colleague(id, session)).await?' 'Who::Colleague(id, session.filter(|_| !ON))).await?' \
	$runtime a_colleague_sees_where_they_are_signed_in_and_ends_it 'still let in'
mutation "that a provider asked for a second factor" crates/openid/src/provider.rs \
	'if self.0.config.require_multi_factor' 'if !ON && self.0.config.require_multi_factor' \
	$runtime a_provider_must_have_asked_for_a_second_factor_where_the_owner_says_so 'panicked at'
mutation "that who has no password proves who they are" tenant-runtime/src/customers/actions/account.rs \
	'if is_lately(proved_at, tx.now())' 'if ON || is_lately(proved_at, tx.now())' \
	$runtime who_has_no_password_proves_who_they_are_at_the_provider 'panicked at'

mutation "that an unknown address costs a hash" crates/access/src/password.rs \
	'let known = stored.is_some();' 'let known = stored.is_some(); if ON && !known { return Ok(false); }' \
	proofs the_clock_tells_nobody_who_has_an_account 'hashes instead of'

# Whose
mutation "whose order it is" tenant-runtime/src/orders/routes/mod.rs \
	'knows || reach.covers(order.view.customer)' 'knows || reach.covers(order.view.customer) || ON' \
	proofs ids_of_others_are_answered_like_missing_ones 'is answered'
mutation "whose address it is" tenant-runtime/src/customers/queries/addresses.rs \
	'sql("SELECT id, address, default_shipping, default_billing, version, created_at, updated_at \
         FROM customer_addresses WHERE customer_id = $1 AND id = $2")' \
	'sql(if ON {
            "SELECT id, address, default_shipping, default_billing, version, created_at, updated_at FROM customer_addresses
             WHERE (customer_id = $1 OR true) AND id = $2"
        } else {
            "SELECT id, address, default_shipping, default_billing, version, created_at, updated_at FROM customer_addresses
             WHERE customer_id = $1 AND id = $2"
        })' \
	proofs ids_of_others_are_answered_like_missing_ones 'is answered'
mutation "whose stores are listed" control-plane/src/stores/queries.rs \
	'.filter(members::account_id.eq(account).and(organizations::state.eq("active")))
        .select(members::organization_id);
    let mut page' \
	'.filter(members::account_id.eq(account).or(ON.into_sql::<diesel::sql_types::Bool>()).and(organizations::state.eq("active")))
        .select(members::organization_id);
    let mut page' \
	$control foreign_and_unknown_stores_look_alike 'panicked at'
mutation "whose store a grant is for" crates/provisioner/src/bootstrap.rs \
	'for (name, sql) in embedded::REPLACEABLE {' \
	'for (name, sql) in embedded::REPLACEABLE {
        let without = sql.replace("AND g.store_id = platform.current_store()", "");
        let sql: &&str = &if ON { without.as_str() } else { *sql };' \
	proofs the_platform_looks_at_a_store_only_with_a_grant 'left: '
mutation "that grants of the platform end" crates/access/src/gate.rs \
	'if scope.clock().now() < expires_at' 'if ON || scope.clock().now() < expires_at' \
	proofs the_platform_looks_at_a_store_only_with_a_grant 'still open'
mutation "that stores hear which sessions ended" control-plane/src/sessions/queries.rs \
	'if ended.is_empty() {' 'if ON || ended.is_empty() {' \
	proofs what_ends_at_the_control_plane_ends_in_stores_within_a_second 'left: '
mutation "what ends up in the log" crates/access/src/permit.rs \
	'if !inner.actor.works_here() || inner.gate.is_everyday(P::KEY)' \
	'if ON || !inner.actor.works_here() || inner.gate.is_everyday(P::KEY)' \
	proofs every_act_in_a_store_is_in_its_log 'entries instead of'

# Stores on one connection
mutation "the prologue of every transaction" crates/tenancy/src/session.rs \
	'AnsiTransactionManager::begin_transaction_sql(session.connection()?, prologue).await;' \
	'{ let used = session.lease.as_ref().is_some_and(|lease| Object::metrics(lease).recycle_count > 0);
	   let first = if ON { prologue.replace("LOCAL ", "") } else { prologue.to_owned() };
	   let words = if ON && used { "BEGIN" } else { first.as_str() };
	   AnsiTransactionManager::begin_transaction_sql(session.connection()?, words).await };' \
	proofs nothing_of_one_store_is_seen_in_another 'findings:\|was seen'
mutation "that settings are local" crates/tenancy/src/prologue.rs \
	'"{role}SET LOCAL search_path = {schema}, extensions; SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}",' \
	'"{role}SET LOCAL search_path = {schema}, extensions; SET {}statement_timeout = {}; SET LOCAL lock_timeout = {}", if ON { "" } else { "LOCAL " },' \
	proofs nothing_of_one_store_is_seen_in_another 'remembers'
mutation "that abandoned connections are closed" crates/tenancy/src/session.rs \
	'let connection = Object::take(lease);' \
	'if ON { drop(lease); return; }
        let connection = Object::take(lease);' \
	proofs nothing_of_one_store_is_seen_in_another 'stay open\|findings:'

# Money and stock
mutation "that the shopper saw the price" tenant-runtime/src/checkout/actions/prepare.rs \
	'if wish.expected_total != quote.total' 'if !ON && wish.expected_total != quote.total' \
	$runtime price_edit_against_checkout 'panicked at'
# Two of three walls: each alone holds, and the last one, a CHECK of the table, says so in a way that the shopper must not see.
patch tenant-runtime/src/inventory/model.rs 'level.room() >= quantity)' "level.room() >= quantity || $(on "that stock is there"))"
statement "that stock is there" tenant-runtime/src/inventory/queries.rs queries/take.sql tenant-runtime/src/inventory/queries/take.sql \
	'- w.quantity >= -l.backorderable' '- w.quantity >= -l.backorderable - 1000000' \
	$runtime the_last_piece_goes_to_one_of_two 'panicked at'
statement "that a gift card has the money" tenant-runtime/src/credit/queries.rs hold.sql tenant-runtime/src/credit/hold.sql \
	'       AND a.balance_minor >= w.amount_minor
' '' \
	$runtime the_same_gift_card_in_many_carts_is_spent_once 'panicked at'
statement "that a code has a use left" tenant-runtime/src/discounts/queries.rs redeem.sql tenant-runtime/src/discounts/redeem.sql \
	'       AND (d.usage_limit IS NULL OR d.used < d.usage_limit)
' '' \
	$runtime the_last_use_of_a_code_is_had_once 'panicked at'
mutation "that no more goes back than was paid" tenant-runtime/src/orders/actions/refund.rs \
	'if amount.minor() > left.minor()' 'if !ON && amount.minor() > left.minor()' \
	$runtime no_more_goes_back_to_the_card_than_the_card_paid 'panicked at'
mutation "that a return is booked" tenant-runtime/src/orders/actions/refund.rs \
	'book(tx, &order, refund, &shares).await?;' 'if !ON { book(tx, &order, refund, &shares).await?; }' \
	$runtime pieces_come_back_one_by_one_and_add_up_to_what_was_paid 'panicked at'
mutation "who says that it is paid" tenant-runtime/src/payments/actions/test.rs \
	'if !right {' 'if !ON && !right {' \
	$runtime events_that_are_forged_stale_or_from_elsewhere_have_no_effect 'panicked at'

# Once
mutation "that work under a key is done once" crates/access/src/idempotency.rs \
	'        Ok(None) => {
            let held = match table {' \
	'        Ok(None) if ON => Ok(Claim::Ours(Claimed { ticket: Ticket { name, claimed_at: now }, resumed: false })),
        Ok(None) => {
            let held = match table {' \
	$runtime a_refund_happens_once_for_its_key 'panicked at'
patch crates/access/src/idempotency.rs 'if rows == 1 { Ok(Reply' "if rows == 1 || $(on "that work under a key is done once") { Ok(Reply"
mutation "that a key is for one request" crates/access/src/idempotency.rs \
	'if held.fingerprint != name.fingerprint' 'if !ON && held.fingerprint != name.fingerprint' \
	$runtime a_refund_happens_once_for_its_key 'panicked at'

# Written otherwise
mutation "that a path has one spelling" crates/api/src/one_spelling.rs \
	'needless(req.path()) else {' 'needless(req.path()).filter(|_| !ON) else {' \
	$runtime a_path_is_spelled_in_one_way 'left:\|panicked at'
mutation "that a successor ends with its key" tenant-runtime/src/staff/actions.rs \
	'expires_at: ends,' 'expires_at: ends.filter(|_| !ON),' \
	$runtime a_successor_ends_when_its_key_was_to_end 'left:'

# Told
mutation "what a key was before it was rotated" tenant-runtime/src/staff/actions.rs \
	'let change = Change { before, after: Some(&after) };' 'let change = Change { before: before.filter(|_| !ON), after: Some(&after) };' \
	$runtime keys_and_colleagues_come_change_and_go_with_digests_that_follow_one_another 'left:'
