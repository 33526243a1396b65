//! Signing in, staying in, and out.

use chrono::{DateTime, Utc};
use souk_access::{Audience, PasswordHash, RefreshToken, RefreshVerdict, SigningKey, Subject};
use souk_kernel::{AccountId, Email, SessionId};
use souk_tenancy::WriteTx;

use super::error::SessionError;
use super::model::{Door, EndReason, REFRESH_LIFETIME, SESSION_LIFETIME, Session, Tokens, WINDOW, buckets};
use super::queries;
use crate::accounts::{self, Account};
use crate::factors::{self, Guess};
use crate::messages::{self, Letter};
use crate::plane::Origin;

/// Counts one attempt at a door, before anything is checked; refuses when a counter is full. The refused attempt is not
/// remembered, because the transaction rolls back: a window is never extended by hammering.
pub async fn attempt(
    tx: &mut WriteTx<'_>,
    door: Door,
    account: &str,
    origin: &Origin,
) -> Result<(), SessionError> {
    for bucket in buckets(door, account, &origin.network, origin.per_network) {
        let (count, ends_at) = queries::count_attempt(tx, &bucket.name, WINDOW).await?;
        if count > bucket.limit
            && !(bucket.by_strangers && queries::is_known_here(tx, account, &origin.network).await?)
        {
            let wait = (ends_at - tx.now()).num_seconds().max(1);
            return Err(SessionError::TooManyAttempts { retry_after: u32::try_from(wait).unwrap_or(1) });
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
) -> Result<(), SessionError> {
    for bucket in buckets(door, account, &origin.network, origin.per_network) {
        queries::forgive_attempt(tx, &bucket.name).await?;
    }
    Ok(())
}

/// First half of signing in: counts the attempt and finds the hash to compare with. `None` is compared too, with a hash
/// that fits nothing, so an unknown address takes as long as a known one.
pub async fn begin(
    tx: &mut WriteTx<'_>,
    email: &Email,
    origin: &Origin,
) -> Result<Option<(Account, Option<PasswordHash>)>, SessionError> {
    attempt(tx, Door::SignIn, &email.key(), origin).await?;
    Ok(accounts::find_by_email(tx, email).await?)
}

/// Second half, after the password fitted.
pub async fn enter(
    tx: &mut WriteTx<'_>,
    account: Account,
    guess: &Guess<'_>,
) -> Result<Tokens, SessionError> {
    forgive(tx, Door::SignIn, &account.email.key(), guess.origin).await?;
    let now = tx.now();
    open(tx, account, guess, now).await
}

/// Opens a session for somebody who has shown who they are but for the second factor, which is asked for here if there is one: a new session,
/// its first refresh token, and an access token. `proved_at` is when they showed it.
pub async fn open(
    tx: &mut WriteTx<'_>,
    account: Account,
    guess: &Guess<'_>,
    proved_at: DateTime<Utc>,
) -> Result<Tokens, SessionError> {
    let (origin, signing) = (guess.origin, guess.signing);
    factors::check(tx, guess, &account).await?;
    let now = tx.now();
    let session = Session {
        id: SessionId::new(),
        account_id: account.id,
        user_agent: origin.user_agent.clone(),
        network: origin.network.clone(),
        created_at: now,
        last_used_at: now,
        expires_at: now + SESSION_LIFETIME,
    };
    let is_new = queries::is_new_device(tx, &session).await?;
    queries::insert(tx, &session, proved_at).await?;
    if is_new {
        let letter = Letter::NewDevice {
            name: account.name.as_str(),
            email: &account.email,
            device: session.user_agent.as_str(),
            network: session.network.as_str(),
            at: now,
            link: guess.settings.page("forgot-password"),
        };
        messages::queue(tx, &account.locale, &letter).await?;
    }
    let tokens = issue(tx, signing, &session, account.epoch).await?;
    Ok(Tokens { account: Some(account.into()), ..tokens })
}

async fn issue(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    session: &Session,
    epoch: i64,
) -> Result<Tokens, SessionError> {
    let now = tx.now();
    let refresh = RefreshToken::mint()?;
    let expires_at = (now + REFRESH_LIFETIME).min(session.expires_at);
    queries::insert_token(tx, session.id, &refresh.digest(), expires_at).await?;
    let subject = Subject::Account(session.account_id);
    let access =
        signing.issue(Audience::Control, subject, epoch, Some(session.id), now, souk_access::MAX_LIFETIME)?;
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
) -> Result<Refreshed, SessionError> {
    let digest = token.digest();
    let Some((session, record)) = queries::lock_token(tx, &digest).await? else {
        return Ok(Refreshed::Refused("unknown"));
    };
    match record.judge(tx.now()) {
        RefreshVerdict::Rotate => {}
        RefreshVerdict::Reused => {
            queries::end(tx, session.account_id, session.id, EndReason::Reused).await?;
            tracing::warn!(account.id = %session.account_id, session.id = %session.id, "a refresh token was used twice");
            return Ok(Refreshed::Refused("reused"));
        }
        RefreshVerdict::Expired => return Ok(Refreshed::Refused("expired")),
        RefreshVerdict::Revoked => return Ok(Refreshed::Refused("revoked")),
    }
    let Some(account) = accounts::find(tx, session.account_id).await? else {
        return Ok(Refreshed::Refused("of a deleted account"));
    };
    queries::use_token(tx, session.id, &digest).await?;
    Ok(Refreshed::Tokens(Box::new(issue(tx, signing, &session, account.epoch).await?)))
}

/// Ends one session of this account.
pub async fn end(tx: &mut WriteTx<'_>, account: AccountId, session: SessionId) -> Result<(), SessionError> {
    if queries::end(tx, account, session, EndReason::SignedOut).await? {
        Ok(())
    } else {
        Err(SessionError::Unknown)
    }
}

/// Ends every session of an account and kills every access token that is out, here and in stores.
pub async fn end_all(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    because: EndReason,
) -> Result<(), souk_tenancy::DbError> {
    queries::end_all(tx, account, because).await?;
    accounts::raise_epoch(tx, account).await
}
