//! The stories of an account, each inside one transaction.

use serde_json::json;
use souk_access::{LinkSecret, Password, PasswordHash};
use souk_api::{ETag, IfMatch};
use souk_kernel::{AccountId, Email, Text};
use souk_tenancy::WriteTx;

use super::error::AccountError;
use super::model::{Account, EditAccount, Purpose};
use super::queries;
use crate::audit::{self, By, Subject};
use crate::config::Settings;
use crate::locale::Locale;
use crate::messages::{self, Letter};
use crate::plane::Origin;
use crate::sessions::{self, Door, EndReason};
use crate::{factors, identities};

/// A password somebody chooses, which must not be made of what everybody knows of them.
pub fn chosen(text: &str, pointer: &'static str, context: &[&str]) -> Result<Password, AccountError> {
    Password::chosen(text, context).map_err(|cause| AccountError::Password(pointer, cause))
}

/// Signs up, or tells the owner of the address that somebody tried. Both write one mail and answer the same.
pub async fn register(
    tx: &mut WriteTx<'_>,
    settings: &Settings,
    email: &Email,
    name: &Text<120>,
    locale: &Locale,
    hash: &PasswordHash,
) -> Result<(), AccountError> {
    if queries::insert(tx, AccountId::new(), email, name, locale, hash).await? {
        return send_verification(tx, settings, email).await;
    }
    if let Some((account, _)) = queries::find_by_email(tx, email).await? {
        let link = link(tx, settings, &account, Purpose::ResetPassword).await?;
        let letter = Letter::AlreadyRegistered { name: account.name.as_str(), email: &account.email, link };
        messages::queue(tx, &account.locale, &letter).await?;
    }
    Ok(())
}

async fn send_verification(
    tx: &mut WriteTx<'_>,
    settings: &Settings,
    email: &Email,
) -> Result<(), AccountError> {
    let (account, _) = queries::find_by_email(tx, email).await?.ok_or(AccountError::Gone)?;
    let link = link(tx, settings, &account, Purpose::VerifyEmail).await?;
    let letter = Letter::VerifyEmail { name: account.name.as_str(), email: &account.email, link };
    Ok(messages::queue(tx, &account.locale, &letter).await?)
}

/// Mints a secret, keeps its digest and gives the address to mail. The secret is in the fragment, which browsers send to
/// nobody; the host is configured, never taken from a request.
async fn link(
    tx: &mut WriteTx<'_>,
    settings: &Settings,
    account: &Account,
    purpose: Purpose,
) -> Result<String, AccountError> {
    let secret = LinkSecret::mint()?;
    queries::insert_secret(tx, account, purpose, &secret.digest()).await?;
    let page = match purpose {
        Purpose::VerifyEmail => "verify-email",
        Purpose::ResetPassword => "reset-password",
    };
    Ok(settings.link(page, secret.expose()))
}

/// Sends the confirmation mail again; earlier links stop working.
pub async fn resend_verification(
    tx: &mut WriteTx<'_>,
    settings: &Settings,
    id: AccountId,
) -> Result<(), AccountError> {
    let account = queries::lock(tx, id).await?.ok_or(AccountError::Gone)?;
    if account.verified_at.is_some() {
        return Err(AccountError::VerifiedAlready);
    }
    // The same link once more: no act.
    tx.logged();
    send_verification(tx, settings, &account.email).await
}

/// Confirms the address a link was mailed to.
pub async fn verify(tx: &mut WriteTx<'_>, secret: &LinkSecret) -> Result<(), AccountError> {
    let account = follow(tx, Purpose::VerifyEmail, secret).await?;
    Ok(queries::mark_verified(tx, account.id).await?)
}

/// Uses a mailed secret up and locks the account it was for. One answer for every reason it may not work.
async fn follow(
    tx: &mut WriteTx<'_>,
    purpose: Purpose,
    secret: &LinkSecret,
) -> Result<Account, AccountError> {
    let used = queries::use_secret(tx, purpose, &secret.digest()).await?;
    let (id, email_key) = used.ok_or(AccountError::LinkUnusable)?;
    let account = queries::lock(tx, id).await?.ok_or(AccountError::LinkUnusable)?;
    if account.email.key() == email_key { Ok(account) } else { Err(AccountError::LinkUnusable) }
}

/// Mails a reset link, if the address has an account.
pub async fn request_reset(
    tx: &mut WriteTx<'_>,
    settings: &Settings,
    email: &Email,
) -> Result<(), AccountError> {
    if let Some((account, _)) = queries::find_by_email(tx, email).await? {
        let link = link(tx, settings, &account, Purpose::ResetPassword).await?;
        let letter = Letter::ResetPassword { name: account.name.as_str(), email: &account.email, link };
        messages::queue(tx, &account.locale, &letter).await?;
    }
    Ok(())
}

/// Sets a new password with a mailed secret. Whoever followed the link reads this mailbox, so the address is confirmed too.
pub async fn complete_reset(
    tx: &mut WriteTx<'_>,
    settings: &Settings,
    secret: &LinkSecret,
    hash: &PasswordHash,
) -> Result<(), AccountError> {
    let account = follow(tx, Purpose::ResetPassword, secret).await?;
    queries::mark_verified(tx, account.id).await?;
    change_password(tx, settings, account.id, hash).await
}

/// Sets a new password, ends every session and tells the owner.
pub async fn change_password(
    tx: &mut WriteTx<'_>,
    settings: &Settings,
    id: AccountId,
    hash: &PasswordHash,
) -> Result<(), AccountError> {
    let account = queries::lock(tx, id).await?.ok_or(AccountError::Gone)?;
    queries::set_password(tx, id, hash).await?;
    sessions::end_all(tx, id, EndReason::PasswordChanged).await?;
    let link = settings.page("forgot-password");
    let letter = Letter::PasswordChanged { name: account.name.as_str(), email: &account.email, link };
    Ok(messages::queue(tx, &account.locale, &letter).await?)
}

/// First half of proving who one is by the current password: counts the attempt and finds the hash.
pub async fn begin_proof(
    tx: &mut WriteTx<'_>,
    id: AccountId,
    origin: &Origin,
) -> Result<(Account, PasswordHash), AccountError> {
    sessions::attempt(tx, Door::Password, &id.to_string(), origin).await?;
    let account = queries::find(tx, id).await?.ok_or(AccountError::Gone)?;
    let hash = queries::password(tx, id).await?.ok_or(AccountError::NoPassword)?;
    Ok((account, hash))
}

/// Second half, after the password fitted.
pub async fn end_proof(tx: &mut WriteTx<'_>, id: AccountId, origin: &Origin) -> Result<(), AccountError> {
    tx.logged();
    Ok(sessions::forgive(tx, Door::Password, &id.to_string(), origin).await?)
}

/// Changes the profile.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    id: AccountId,
    if_match: &IfMatch,
    wish: &EditAccount,
) -> Result<Account, AccountError> {
    let account = queries::lock(tx, id).await?.ok_or(AccountError::Gone)?;
    if_match.check(&ETag::new(account.version))?;
    if wish.name.is_none() && wish.locale.is_none() {
        return Ok(account);
    }
    Ok(queries::edit(tx, id, wish).await?)
}

/// Forgets the person. Refused while an organization would be left without an owner: its stores must not lose theirs.
pub async fn delete(tx: &mut WriteTx<'_>, by: &By, id: AccountId) -> Result<(), AccountError> {
    queries::lock(tx, id).await?.ok_or(AccountError::Gone)?;
    let alone = queries::organizations_owned_alone(tx, id).await?;
    if !alone.is_empty() {
        return Err(AccountError::OwnsAlone(alone.into_iter().map(Text::into_string).collect()));
    }
    let was = audit::look(tx, Subject::Account(id)).await?;
    let left = queries::leave_organizations(tx, id).await?;
    sessions::end_all(tx, id, EndReason::AccountDeleted).await?;
    factors::forget_account(tx, id).await?;
    identities::forget_account(tx, id).await?;
    queries::erase(tx, id).await?;
    for organization in left {
        audit::record(tx, organization, by, "member.left", id.to_string(), was.clone(), json!({})).await?;
    }
    Ok(())
}
