//! Signing in, staying in, and out.

use chrono::{DateTime, Utc};
use souk_access::{Audience, PasswordHash, RefreshToken, RefreshVerdict, SigningKey, Subject};
use souk_kernel::{CartId, CustomerId, Email, SessionId};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use crate::customers::error::CustomerError;
use crate::customers::events::LetterWanted;
use crate::customers::model::{
    Customer, Door, EndReason, LetterKind, Origin, REFRESH_LIFETIME, SESSION_LIFETIME, Session, Tokens,
    WINDOW, buckets, buckets_of_declines,
};
use crate::customers::queries;

/// Counts one attempt at a door, before anything is checked; refuses when a counter is full. The refused attempt is not remembered,
/// because the transaction rolls back: a window is never extended by hammering.
pub async fn attempt(
    tx: &mut WriteTx<'_>,
    door: Door,
    account: &str,
    origin: &Origin,
) -> Result<(), CustomerError> {
    for bucket in buckets(door, account, &origin.network, origin.per_network) {
        let (count, ends_at) = queries::count_attempt(tx, &bucket.name, WINDOW).await?;
        if count > bucket.limit
            && !(bucket.by_strangers && queries::is_known_here(tx, account, &origin.network).await?)
        {
            let wait = (ends_at - tx.now()).num_seconds().max(1);
            return Err(CustomerError::TooManyAttempts { retry_after: u32::try_from(wait).unwrap_or(1) });
        }
    }
    Ok(())
}

/// Takes the attempt back after it turned out right.
pub async fn forgive(
    tx: &mut WriteTx<'_>,
    door: Door,
    account: &str,
    origin: &Origin,
) -> Result<(), CustomerError> {
    for bucket in buckets(door, account, &origin.network, origin.per_network) {
        queries::forgive_attempt(tx, &bucket.name).await?;
    }
    Ok(())
}

/// Whether another payment may be tried for this cart from this network. One statement.
///
/// # Errors
/// [`CustomerError::TooManyAttempts`] after too many declined ones.
pub async fn admit_payment(tx: &mut ReadTx<'_>, cart: CartId, network: &str) -> Result<(), CustomerError> {
    let buckets = buckets_of_declines(&cart.to_string(), network);
    match queries::full_until(tx, &buckets).await? {
        None => Ok(()),
        Some(until) => {
            let wait = (until - tx.now()).num_seconds().max(1);
            Err(CustomerError::TooManyAttempts { retry_after: u32::try_from(wait).unwrap_or(1) })
        }
    }
}

/// Counts a declined payment. Never refuses: what was declined is written down all the same.
pub async fn count_decline(tx: &mut WriteTx<'_>, cart: CartId, network: &str) -> Result<(), DbError> {
    queries::forget_counters(tx).await?;
    for bucket in buckets_of_declines(&cart.to_string(), network) {
        queries::count_attempt(tx, &bucket.name, WINDOW).await?;
    }
    Ok(())
}

/// First half of signing in: counts the attempt and finds the hash to compare with. None is compared too, with a hash that fits
/// nothing, so an unknown address takes as long as a known one.
pub async fn begin(
    tx: &mut WriteTx<'_>,
    email: &Email,
    origin: &Origin,
) -> Result<Option<(Customer, Option<PasswordHash>)>, CustomerError> {
    attempt(tx, Door::SignIn, &email.key(), origin).await?;
    let found = queries::find_by_email(tx, email).await?;
    // Asked for in both cases: one statement more would tell.
    let id = found.as_ref().map_or_else(CustomerId::new, |customer| customer.id);
    let hash = queries::password(tx, id).await?;
    Ok(found.map(|customer| (customer, hash)))
}

/// Second half, after the password fitted: a new session, its first refresh token, and an access token. A device in a network where the
/// customer was never seen is told to them. `proved_at` is when they showed who they are, here or to a provider.
///
/// # Errors
/// [`CustomerError::WrongCredentials`] for whoever may not sign in.
pub async fn open(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    customer: CustomerId,
    origin: &Origin,
    proved_at: DateTime<Utc>,
) -> Result<Tokens, CustomerError> {
    let customer = queries::lock(tx, customer).await?.filter(|customer| customer.state == "enabled");
    let customer = customer.ok_or(CustomerError::WrongCredentials)?;
    forgive(tx, Door::SignIn, &customer.email_key(), origin).await?;
    let now = tx.now();
    let session = Session {
        id: SessionId::new(),
        customer_id: customer.id,
        user_agent: origin.user_agent.clone(),
        network: origin.network.clone(),
        created_at: now,
        last_used_at: now,
        expires_at: now + SESSION_LIFETIME,
    };
    queries::forget(tx, customer.id).await?;
    let is_new = queries::is_new_device(tx, &session).await?;
    queries::insert_session(tx, &session, proved_at).await?;
    if is_new {
        let (letter, session_id) = (LetterKind::NewDevice, Some(session.id));
        let wanted = LetterWanted { customer_id: customer.id, letter, session_id, provider: None };
        souk_event_bus::emit(tx, &wanted).await?;
    }
    let tokens = issue(tx, signing, &session, customer.epoch).await?;
    Ok(Tokens { account: Some(customer.into()), ..tokens })
}

async fn issue(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    session: &Session,
    epoch: i64,
) -> Result<Tokens, CustomerError> {
    let now = tx.now();
    let refresh = RefreshToken::mint()?;
    let expires_at = (now + REFRESH_LIFETIME).min(session.expires_at);
    queries::insert_token(tx, session.id, &refresh.digest(), expires_at).await?;
    let (audience, subject) = (Audience::Store(tx.store()), Subject::Customer(session.customer_id));
    let access = signing.issue(audience, subject, epoch, Some(session.id), now, souk_access::MAX_LIFETIME)?;
    Ok(Tokens {
        access_token: access.text,
        token_type: "Bearer",
        expires_in: access.expires_at.timestamp() - now.timestamp(),
        refresh_token: refresh.expose().to_owned(),
        refresh_token_expires_at: expires_at,
        session: session.id,
        account: None,
    })
}

/// What came of presenting a refresh token. A refusal that ends the family must still be committed.
pub enum Refreshed {
    Tokens(Box<Tokens>),
    Refused(&'static str),
}

/// Exchanges a refresh token. Locks the session. Of two parallel uses one gets tokens; the other ends the family.
pub async fn refresh(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    token: &RefreshToken,
) -> Result<Refreshed, CustomerError> {
    let digest = token.digest();
    let Some((session, record)) = queries::lock_token(tx, &digest).await? else {
        return Ok(Refreshed::Refused("unknown"));
    };
    match record.judge(tx.now()) {
        RefreshVerdict::Rotate => {}
        RefreshVerdict::Reused => {
            queries::end(tx, session.customer_id, session.id, EndReason::Reused).await?;
            tracing::warn!(customer.id = %session.customer_id, session.id = %session.id, "a refresh token was used twice");
            return Ok(Refreshed::Refused("reused"));
        }
        RefreshVerdict::Expired => return Ok(Refreshed::Refused("expired")),
        RefreshVerdict::Revoked => return Ok(Refreshed::Refused("revoked")),
    }
    let found = queries::find(tx, session.customer_id).await?.filter(|customer| customer.state == "enabled");
    let Some(customer) = found else { return Ok(Refreshed::Refused("of a customer who is gone")) };
    queries::use_token(tx, session.id, &digest).await?;
    Ok(Refreshed::Tokens(Box::new(issue(tx, signing, &session, customer.epoch).await?)))
}

/// Ends one session of this customer.
pub async fn end(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    session: SessionId,
) -> Result<(), CustomerError> {
    if queries::end(tx, customer, session, EndReason::SignedOut).await? {
        Ok(())
    } else {
        Err(CustomerError::Unknown)
    }
}

/// Ends every session of a customer and kills every access token that is out.
pub async fn end_all(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    because: EndReason,
) -> Result<(), CustomerError> {
    queries::lock(tx, customer).await?.ok_or(CustomerError::Unknown)?;
    queries::end_all(tx, customer, because).await?;
    Ok(queries::raise_epoch(tx, customer).await?)
}
