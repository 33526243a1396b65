//! How mails look, whom they are from, and the keys behind that.

use serde_json::json;
use souk_access::{LinkSecret, Vault};
use souk_api::{ETag, IfMatch};
use souk_kernel::StoreId;
use souk_tenancy::WriteTx;

use super::{Letter, post};
use crate::audit::{self, By, Change};
use crate::messages::error::MessageError;
use crate::messages::model::kind_of;
use crate::messages::model::settings::{CONFIRM_WITHIN, MailSettings, PutMailSettings, domain_of};
use crate::messages::queries;

/// Whose and what for: what is sealed opens only under the same.
pub fn secret_of(store: StoreId, purpose: &str) -> Vec<u8> {
    format!("{store}/{purpose}").into_bytes()
}

/// The same for the key that signs a store's mails.
pub fn key_of(store: StoreId) -> Vec<u8> {
    secret_of(store, "dkim")
}

async fn locked(tx: &mut WriteTx<'_>, seen: &IfMatch) -> Result<MailSettings, MessageError> {
    let row = queries::settings::locked(tx).await?;
    seen.check(&ETag::new(row.version)).map_err(MessageError::Precondition)?;
    Ok(row)
}

/// Writes how mails look and whom they are from. A new sender's address is asked by mail first, and until it agrees mails come from the
/// platform's.
///
/// # Errors
/// 412 when somebody was faster, 422 for a field.
pub async fn put(
    tx: &mut WriteTx<'_>,
    by: &By,
    seen: &IfMatch,
    wish: &PutMailSettings,
    console_url: &str,
) -> Result<MailSettings, MessageError> {
    wish.check().map_err(|(pointer, message)| MessageError::Field(pointer, message.to_owned()))?;
    let before = locked(tx, seen).await?;
    let email = wish.sender_email.as_ref().map(|email| email.as_str().to_owned());
    let asks = email.is_some() && email != before.sender_email;
    let secret = if asks { Some(LinkSecret::mint().map_err(|_| MessageError::Random)?) } else { None };
    let until = tx.now() + CONFIRM_WITHIN;
    let digest = secret.as_ref().map(|secret| secret.digest().as_bytes().to_vec());
    let row = queries::settings::put(tx, wish, email != before.sender_email, digest, until).await?;
    if let (Some(secret), Some(email)) = (secret, &email) {
        let link = format!(
            "{}/confirm-sender#{}.{}",
            console_url.trim_end_matches('/'),
            tx.store(),
            secret.expose()
        );
        ask(tx, email, &link).await?;
    }
    let shown = |row: &MailSettings| json!({ "sender_email": row.sender_email, "reply_to": row.reply_to });
    let (old, new) = (shown(&before), shown(&row));
    audit::record(
        tx,
        by,
        "mail.changed",
        "mail",
        Change { before: Some(&old), after: Some(&new) },
        json!({}),
    )
    .await?;
    Ok(row)
}

async fn ask(tx: &mut WriteTx<'_>, email: &str, link: &str) -> Result<(), MessageError> {
    let kind = kind_of("sender_confirm").ok_or(MessageError::UnknownKind)?;
    let facts = json!({ "email": email, "link": link });
    let letter = Letter {
        event: None,
        kind,
        recipient: email,
        locale: None,
        facts,
        unsubscribe_url: None,
        invoice: None,
        draft: None,
    };
    post(tx, letter).await.map(drop)
}

/// The owner of the sender's address agrees.
///
/// # Errors
/// [`MessageError::LinkUnusable`] for a link that is unknown, used, too old, or of an address that was changed since.
pub async fn confirm(tx: &mut WriteTx<'_>, by: &By, token: &str) -> Result<MailSettings, MessageError> {
    // The console hands over what stands behind the store's id.
    let secret =
        LinkSecret::parse(token.rsplit('.').next().unwrap_or(token)).ok_or(MessageError::LinkUnusable)?;
    let row = queries::settings::confirm(tx, secret.digest().as_bytes())
        .await?
        .ok_or(MessageError::LinkUnusable)?;
    let after = json!({ "sender_email": row.sender_email });
    let change = Change { before: None, after: Some(&after) };
    audit::record(tx, by, "mail.sender_confirmed", "mail", change, after.clone()).await?;
    Ok(row)
}

/// Keeps a new key pair for the sender's domain; signing is off until the new record is in place.
///
/// # Errors
/// [`MessageError::NoSender`] while no sender is confirmed.
pub async fn keep_key(
    tx: &mut WriteTx<'_>,
    by: &By,
    vault: &Vault,
    (private, public): &(String, String),
) -> Result<MailSettings, MessageError> {
    let row = queries::settings::locked(tx).await?;
    let confirmed = row.sender_email.as_deref().filter(|_| row.sender_verified_at.is_some());
    let domain = confirmed.and_then(domain_of).ok_or(MessageError::NoSender)?;
    let sealed = vault.seal(&key_of(tx.store()), private.as_bytes()).map_err(|_| MessageError::Random)?;
    // A selector of its own for every key: the old record may stay until the last mail it signed was read.
    let selector = format!("souk{}", tx.now().format("%Y%m%d%H%M%S"));
    let row = queries::settings::put_key(tx, &domain, &selector, public, sealed).await?;
    let after = json!({ "domain": domain, "selector": selector });
    let change = Change { before: None, after: Some(&after) };
    audit::record(tx, by, "mail.key_made", "mail", change, after.clone()).await?;
    Ok(row)
}

/// Switches signing on or off.
///
/// # Errors
/// [`MessageError::NoKey`] when there is nothing to sign with.
pub async fn sign(tx: &mut WriteTx<'_>, by: &By, enabled: bool) -> Result<MailSettings, MessageError> {
    let row = queries::settings::locked(tx).await?;
    let own = row.sender_email.as_deref().and_then(domain_of);
    if enabled && (row.dkim_sealed.is_none() || own != row.dkim_domain) {
        return Err(MessageError::NoKey);
    }
    let (before, after) = (json!({ "enabled": row.dkim_enabled }), json!({ "enabled": enabled }));
    let row = queries::settings::sign(tx, enabled).await?;
    let change = Change { before: Some(&before), after: Some(&after) };
    audit::record(tx, by, "mail.signing", "mail", change, after.clone()).await?;
    Ok(row)
}

/// Gives the store a new secret for reports of bounces; the one before is worth nothing from now on.
///
/// # Errors
/// No random bytes.
pub async fn new_report_secret(tx: &mut WriteTx<'_>, by: &By) -> Result<Vec<u8>, MessageError> {
    let mut secret = vec![0; 32];
    getrandom::fill(&mut secret).map_err(|_| MessageError::Random)?;
    queries::settings::put_report_secret(tx, &secret).await?;
    audit::record(tx, by, "mail.report_secret_made", "mail", Change::default(), json!({})).await?;
    Ok(secret)
}
