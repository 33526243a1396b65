//! Rows of identities, of browsers that are away, and of tickets. Those of providers are beside it.

pub mod providers;
pub mod sessions;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use souk_access::SecretDigest;
use souk_kernel::{CustomerId, IdentityId, StaffId};
use souk_openid::Person;
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::model::{AWAY, Audience, IdentityView, Owner, TICKET_LASTS};

impl Owner {
    /// The two columns, of which one is null.
    fn columns(self) -> (Option<Uuid>, Option<Uuid>) {
        match self {
            Self::Customer(id) => (Some(id.uuid()), None),
            Self::Staff(id) => (None, Some(id.uuid())),
        }
    }
}

/// Notes that a browser leaves for a provider.
pub async fn insert_flow(
    tx: &mut WriteTx<'_>,
    state: &SecretDigest,
    provider: &str,
    challenge: [u8; 32],
) -> Result<(), DbError> {
    let until = tx.now() + AWAY;
    let query = sql(
        "INSERT INTO sign_in_flows (state_hash, provider_id, challenge, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind::<Binary, _>(state.as_bytes().to_vec())
    .bind::<Text, _>(provider.to_owned())
    .bind::<Binary, _>(challenge.to_vec())
    .bind::<Timestamptz, _>(until);
    tx.execute(query).await.map(drop)
}

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = Binary)]
    bytes: Vec<u8>,
}

/// A browser that came back from this provider: its challenge. Of two that show the same state one is believed.
pub async fn use_flow(
    tx: &mut WriteTx<'_>,
    state: &SecretDigest,
    provider: &str,
) -> Result<Option<Vec<u8>>, DbError> {
    let now = tx.now();
    let query = sql("UPDATE sign_in_flows SET used_at = $3 WHERE state_hash = $1 AND provider_id = $2 AND used_at IS NULL \
         AND expires_at > $3 RETURNING challenge AS bytes")
    .bind::<Binary, _>(state.as_bytes().to_vec())
    .bind::<Text, _>(provider.to_owned())
    .bind::<Timestamptz, _>(now);
    Ok(tx.optional::<Bytes>(query).await?.map(|row| row.bytes))
}

/// Keeps whom a provider vouched for.
pub async fn insert_ticket(
    tx: &mut WriteTx<'_>,
    ticket: &SecretDigest,
    provider: &str,
    challenge: Vec<u8>,
    person: Value,
) -> Result<(), DbError> {
    let until = tx.now() + TICKET_LASTS;
    let query =
        sql("INSERT INTO sign_in_tickets (ticket_hash, provider_id, challenge, person, expires_at) VALUES ($1, $2, $3, $4, $5)")
            .bind::<Binary, _>(ticket.as_bytes().to_vec())
            .bind::<Text, _>(provider.to_owned())
            .bind::<Binary, _>(challenge)
            .bind::<Jsonb, _>(person)
            .bind::<Timestamptz, _>(until);
    tx.execute(query).await.map(drop)
}

#[derive(QueryableByName)]
pub struct UsedTicket {
    #[diesel(sql_type = Text)]
    pub provider: String,
    #[diesel(sql_type = Binary)]
    pub challenge: Vec<u8>,
    #[diesel(sql_type = Jsonb)]
    pub person: Value,
}

/// Uses a ticket up, if its provider still vouches for these people. Of two parallel uses one gets it.
pub async fn use_ticket(
    tx: &mut WriteTx<'_>,
    audience: Audience,
    ticket: &SecretDigest,
) -> Result<Option<UsedTicket>, DbError> {
    let now = tx.now();
    let query = sql("UPDATE sign_in_tickets t SET used_at = $3 FROM identity_providers p \
         WHERE t.ticket_hash = $1 AND t.used_at IS NULL AND t.expires_at > $3 \
         AND p.id = t.provider_id AND p.enabled AND p.audience = $2 AND p.issuer = t.person->>'issuer' \
         RETURNING t.provider_id AS provider, t.challenge, t.person")
    .bind::<Binary, _>(ticket.as_bytes().to_vec())
    .bind::<Text, _>(audience.as_str())
    .bind::<Timestamptz, _>(now);
    tx.optional(query).await
}

#[derive(QueryableByName)]
struct Met {
    #[diesel(sql_type = SqlUuid)]
    owner: Uuid,
}

/// Whose identity this is here; notes that it was used, and the address it has now. Staff who were let go are nobody.
pub async fn meet(
    tx: &mut WriteTx<'_>,
    audience: Audience,
    person: &Person,
) -> Result<Option<Owner>, DbError> {
    let now = tx.now();
    let text = match audience {
        Audience::Customers => {
            "UPDATE identities SET last_used_at = $3, email = $4 WHERE issuer = $1 AND subject = $2 \
             AND customer_id IS NOT NULL RETURNING customer_id AS owner"
        }
        Audience::Staff => {
            "UPDATE identities i SET last_used_at = $3, email = $4 FROM staff s WHERE i.issuer = $1 AND i.subject = $2 \
             AND s.id = i.staff_id AND s.state = 'active' RETURNING i.staff_id AS owner"
        }
    };
    let query = sql(text)
        .bind::<Text, _>(person.issuer.clone())
        .bind::<Text, _>(person.subject.clone())
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<Text>, _>(person.shown_email());
    let met: Option<Met> = tx.optional(query).await?;
    Ok(met.map(|met| match audience {
        Audience::Customers => Owner::Customer(CustomerId::from_uuid(met.owner)),
        Audience::Staff => Owner::Staff(StaffId::from_uuid(met.owner)),
    }))
}

/// Links; `false` when the identity is linked already. What a colleague who was let go had linked is free again.
pub async fn insert(
    tx: &mut WriteTx<'_>,
    id: IdentityId,
    owner: Owner,
    provider: &str,
    person: &Person,
) -> Result<bool, DbError> {
    let now = tx.now();
    if let Owner::Staff(_) = owner {
        let query = sql("DELETE FROM identities i USING staff s WHERE i.issuer = $1 AND i.subject = $2 \
             AND s.id = i.staff_id AND s.state = 'removed'")
        .bind::<Text, _>(person.issuer.clone())
        .bind::<Text, _>(person.subject.clone());
        tx.execute(query).await?;
    }
    let (customer, staff) = owner.columns();
    let query = sql("INSERT INTO identities (id, customer_id, staff_id, provider, issuer, subject, email, created_at, last_used_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT DO NOTHING")
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<SqlUuid>, _>(customer)
    .bind::<Nullable<SqlUuid>, _>(staff)
    .bind::<Text, _>(provider.to_owned())
    .bind::<Text, _>(person.issuer.clone())
    .bind::<Text, _>(person.subject.clone())
    .bind::<Nullable<Text>, _>(person.shown_email())
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(query).await? == 1)
}

/// Oldest first.
pub async fn list(tx: &mut ReadTx<'_>, owner: Owner) -> Result<Vec<IdentityView>, DbError> {
    let (customer, staff) = owner.columns();
    let query = sql("SELECT id, provider, issuer, subject, email, created_at, last_used_at FROM identities \
         WHERE customer_id = $1 OR staff_id = $2 ORDER BY id LIMIT 100")
    .bind::<Nullable<SqlUuid>, _>(customer)
    .bind::<Nullable<SqlUuid>, _>(staff);
    tx.load(query).await
}

#[derive(QueryableByName)]
struct Gone {
    #[diesel(sql_type = Text)]
    provider: String,
}

/// Takes one away; gives its provider.
pub async fn delete(tx: &mut WriteTx<'_>, owner: Owner, id: IdentityId) -> Result<Option<String>, DbError> {
    let (customer, staff) = owner.columns();
    let query = sql(
        "DELETE FROM identities WHERE id = $1 AND (customer_id = $2 OR staff_id = $3) RETURNING provider",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<SqlUuid>, _>(customer)
    .bind::<Nullable<SqlUuid>, _>(staff);
    Ok(tx.optional::<Gone>(query).await?.map(|gone| gone.provider))
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    answer: bool,
}

/// Whether somebody could sign in: with a password or an account of their own, or with an identity whose provider still vouches.
/// Locks their row until the transaction ends, so that of two parallel wishes the second sees what the first left.
pub async fn has_way_in(tx: &mut WriteTx<'_>, owner: Owner) -> Result<bool, DbError> {
    let (text, id) = match owner {
        Owner::Customer(id) => (
            "SELECT c.password IS NOT NULL OR EXISTS (SELECT 1 FROM identities i JOIN identity_providers p ON p.issuer = i.issuer \
             WHERE i.customer_id = c.id AND p.enabled AND p.audience = 'customers') AS answer FROM customers c WHERE c.id = $1 FOR UPDATE OF c",
            id.uuid(),
        ),
        Owner::Staff(id) => (
            "SELECT s.account_id IS NOT NULL OR EXISTS (SELECT 1 FROM identities i JOIN identity_providers p ON p.issuer = i.issuer \
             WHERE i.staff_id = s.id AND p.enabled AND p.audience = 'staff') AS answer FROM staff s WHERE s.id = $1 FOR UPDATE OF s",
            id.uuid(),
        ),
    };
    let answer: Option<Answer> = tx.optional(sql(text).bind::<SqlUuid, _>(id)).await?;
    Ok(answer.is_some_and(|row| row.answer))
}

/// Locks the row of somebody until the transaction ends.
pub async fn lock(tx: &mut WriteTx<'_>, owner: Owner) -> Result<bool, DbError> {
    let (text, id) = match owner {
        Owner::Customer(id) => {
            ("SELECT true AS answer FROM customers WHERE id = $1 AND state = 'enabled' FOR UPDATE", id.uuid())
        }
        Owner::Staff(id) => {
            ("SELECT true AS answer FROM staff WHERE id = $1 AND state = 'active' FOR UPDATE", id.uuid())
        }
    };
    let answer: Option<Answer> = tx.optional(sql(text).bind::<SqlUuid, _>(id)).await?;
    Ok(answer.is_some())
}

#[derive(QueryableByName)]
struct Epoch {
    #[diesel(sql_type = BigInt)]
    epoch: i64,
}

/// The epoch of somebody who works here.
pub async fn staff_epoch(tx: &mut ReadTx<'_>, id: StaffId) -> Result<Option<i64>, DbError> {
    let query = sql("SELECT epoch FROM staff WHERE id = $1 AND state = 'active'");
    Ok(tx.optional::<Epoch>(query.bind::<SqlUuid, _>(id)).await?.map(|row| row.epoch))
}

/// Ends every token that was given to a colleague here.
pub async fn raise_epoch(tx: &mut WriteTx<'_>, id: StaffId) -> Result<(), DbError> {
    let query = sql("UPDATE staff SET epoch = epoch + 1 WHERE id = $1");
    tx.execute(query.bind::<SqlUuid, _>(id)).await.map(drop)
}

/// A customer's identities, for their copy of everything.
///
/// # Errors
/// The database's only.
pub async fn of_customer(tx: &mut ReadTx<'_>, id: CustomerId) -> Result<Vec<IdentityView>, DbError> {
    list(tx, Owner::Customer(id)).await
}

/// Takes all of a customer's identities away: the person goes. Tickets that name them go too.
///
/// # Errors
/// The database's only.
pub async fn forget_customer(tx: &mut WriteTx<'_>, id: CustomerId) -> Result<(), DbError> {
    let query = sql("DELETE FROM sign_in_tickets t USING identities i WHERE i.customer_id = $1 \
         AND t.person->>'issuer' = i.issuer AND t.person->>'subject' = i.subject");
    tx.execute(query.bind::<SqlUuid, _>(id)).await?;
    tx.execute(sql("DELETE FROM identities WHERE customer_id = $1").bind::<SqlUuid, _>(id)).await.map(drop)
}

/// Forgets at most so many browsers that did not come back, tickets nobody fetched and sessions of colleagues that have been over for 30 days (until
/// then their devices are known); how many.
///
/// # Errors
/// The database's only.
pub async fn forget(tx: &mut WriteTx<'_>, most: u32) -> Result<usize, DbError> {
    let (now, most) = (tx.now(), i32::try_from(most).unwrap_or(i32::MAX));
    let mut count = 0;
    for text in [
        "DELETE FROM sign_in_flows WHERE state_hash IN (SELECT state_hash FROM sign_in_flows WHERE expires_at < $1 LIMIT $2)",
        "DELETE FROM sign_in_tickets WHERE ticket_hash IN (SELECT ticket_hash FROM sign_in_tickets WHERE expires_at < $1 LIMIT $2)",
        "DELETE FROM staff_sessions WHERE id IN (SELECT id FROM staff_sessions WHERE expires_at < $1 - interval '30 days' LIMIT $2)",
    ] {
        count += tx.execute(sql(text).bind::<Timestamptz, _>(now).bind::<Integer, _>(most)).await?;
    }
    Ok(count)
}
