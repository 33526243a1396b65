//! Rows of identities, of browsers that are away, and of tickets.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Binary;
use serde_json::Value;
use souk_access::SecretDigest;
use souk_kernel::{AccountId, IdentityId};
use souk_openid::Person;
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{AWAY, Identity, TICKET_LASTS};
use crate::schema::{identities, sign_in_flows, sign_in_tickets};

/// Notes that a browser leaves for a provider.
pub async fn insert_flow(
    tx: &mut WriteTx<'_>,
    state: &SecretDigest,
    provider: &str,
    challenge: [u8; 32],
) -> Result<(), DbError> {
    let row = diesel::insert_into(sign_in_flows::table).values((
        sign_in_flows::state_hash.eq(state.as_bytes().as_slice()),
        sign_in_flows::provider.eq(provider.to_owned()),
        sign_in_flows::challenge.eq(challenge.to_vec()),
        sign_in_flows::expires_at.eq(tx.now() + AWAY),
    ));
    tx.execute(row).await.map(drop)
}

/// A browser that came back from this provider: its challenge. Of two that show the same state one is believed.
pub async fn use_flow(
    tx: &mut WriteTx<'_>,
    state: &SecretDigest,
    provider: &str,
) -> Result<Option<Vec<u8>>, DbError> {
    let now = tx.now();
    let away = sign_in_flows::table
        .find(state.as_bytes().as_slice())
        .filter(sign_in_flows::provider.eq(provider.to_owned()))
        .filter(sign_in_flows::used_at.is_null().and(sign_in_flows::expires_at.gt(now)));
    let change = diesel::update(away).set(sign_in_flows::used_at.eq(now));
    tx.optional(change.returning(sign_in_flows::challenge)).await
}

/// Keeps whom a provider vouched for.
pub async fn insert_ticket(
    tx: &mut WriteTx<'_>,
    ticket: &SecretDigest,
    provider: &str,
    challenge: Vec<u8>,
    person: Value,
) -> Result<(), DbError> {
    let row = diesel::insert_into(sign_in_tickets::table).values((
        sign_in_tickets::ticket_hash.eq(ticket.as_bytes().as_slice()),
        sign_in_tickets::provider.eq(provider.to_owned()),
        sign_in_tickets::challenge.eq(challenge),
        sign_in_tickets::person.eq(person),
        sign_in_tickets::expires_at.eq(tx.now() + TICKET_LASTS),
    ));
    tx.execute(row).await.map(drop)
}

/// Uses a ticket up: provider, challenge and person. Of two parallel uses one gets them.
pub async fn use_ticket(
    tx: &mut WriteTx<'_>,
    ticket: &SecretDigest,
) -> Result<Option<(String, Vec<u8>, Value)>, DbError> {
    let now = tx.now();
    let good = sign_in_tickets::table
        .find(ticket.as_bytes().as_slice())
        .filter(sign_in_tickets::used_at.is_null().and(sign_in_tickets::expires_at.gt(now)));
    let change = diesel::update(good).set(sign_in_tickets::used_at.eq(now));
    let row = (sign_in_tickets::provider, sign_in_tickets::challenge, sign_in_tickets::person);
    tx.optional(change.returning(row)).await
}

#[derive(QueryableByName)]
struct Behind {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    account_id: AccountId,
}

/// The account a ticket would sign in, if its identity is linked. The ticket stays.
pub async fn account_behind(
    tx: &mut ReadTx<'_>,
    ticket: &SecretDigest,
) -> Result<Option<AccountId>, DbError> {
    let query = sql("SELECT i.account_id FROM sign_in_tickets t \
         JOIN identities i ON i.issuer = t.person->>'issuer' AND i.subject = t.person->>'subject' \
         WHERE t.ticket_hash = $1")
    .bind::<Binary, _>(ticket.as_bytes().to_vec());
    Ok(tx.optional::<Behind>(query).await?.map(|behind| behind.account_id))
}

/// Whose identity this is; notes that it was used, and the address it has now.
pub async fn meet(tx: &mut WriteTx<'_>, person: &Person) -> Result<Option<(IdentityId, AccountId)>, DbError> {
    let known = identities::table.filter(
        identities::issuer.eq(person.issuer.clone()).and(identities::subject.eq(person.subject.clone())),
    );
    let change = diesel::update(known)
        .set((identities::last_used_at.eq(tx.now()), identities::email.eq(person.shown_email())));
    tx.optional(change.returning((identities::id, identities::account_id))).await
}

/// Links; `false` when the identity is linked already.
pub async fn insert(
    tx: &mut WriteTx<'_>,
    id: IdentityId,
    account: AccountId,
    provider: &str,
    person: &Person,
) -> Result<bool, DbError> {
    let now: DateTime<Utc> = tx.now();
    let row = diesel::insert_into(identities::table).values((
        identities::id.eq(id),
        identities::account_id.eq(account),
        identities::provider.eq(provider.to_owned()),
        identities::issuer.eq(person.issuer.clone()),
        identities::subject.eq(person.subject.clone()),
        identities::email.eq(person.shown_email()),
        identities::created_at.eq(now),
        identities::last_used_at.eq(now),
    ));
    Ok(tx.execute(row.on_conflict_do_nothing()).await? == 1)
}

/// Oldest first.
pub async fn list(tx: &mut ReadTx<'_>, account: AccountId) -> Result<Vec<Identity>, DbError> {
    let own = identities::table.filter(identities::account_id.eq(account));
    tx.load(own.order(identities::id).limit(100).select(Identity::as_select())).await
}

/// Takes one away; gives its provider.
pub async fn delete(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    id: IdentityId,
) -> Result<Option<String>, DbError> {
    let own = identities::table.filter(identities::id.eq(id).and(identities::account_id.eq(account)));
    tx.optional(diesel::delete(own).returning(identities::provider)).await
}

/// Takes all of an account's away.
pub async fn forget_account(tx: &mut WriteTx<'_>, account: AccountId) -> Result<(), DbError> {
    tx.execute(diesel::delete(identities::table.filter(identities::account_id.eq(account)))).await.map(drop)
}

/// Forgets browsers that did not come back and tickets nobody fetched.
pub async fn forget(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    let now = tx.now();
    tx.execute(diesel::delete(sign_in_flows::table.filter(sign_in_flows::expires_at.lt(now)))).await?;
    tx.execute(diesel::delete(sign_in_tickets::table.filter(sign_in_tickets::expires_at.lt(now))))
        .await
        .map(drop)
}
