//! Addresses that are not written to, and what mail services tell.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use souk_access::{NoEntropy, Sealed, Vault};
use souk_kernel::{Email, StoreId};
use souk_tenancy::WriteTx;

use super::settings::secret_of;
use crate::audit::{self, By, Change};
use crate::messages::error::MessageError;
use crate::messages::model::{MailReport, NewSuppression, ReportKind, SuppressionView};
use crate::messages::queries;

/// How far the clock of a mail service may be from ours, seconds: what Standard Webhooks recommend.
const TOLERANCE: i64 = 300;

/// Puts an address on the list by hand. One that is there keeps the earlier reason if that says more.
pub async fn add(
    tx: &mut WriteTx<'_>,
    by: &By,
    new: &NewSuppression,
) -> Result<SuppressionView, MessageError> {
    let detail = new.detail.as_ref().map(|text| text.as_str()).unwrap_or_default();
    let row = queries::suppressions::put(tx, &new.email, "manual", detail).await?;
    // The log outlives the person, so it does not name them.
    audit::record(tx, by, "mail.suppressed", "suppression", Change::default(), serde_json::json!({})).await?;
    Ok(row)
}

/// Takes an address off the list.
pub async fn remove(tx: &mut WriteTx<'_>, by: &By, email: &Email) -> Result<(), MessageError> {
    if !queries::suppressions::remove(tx, email).await? {
        return Err(MessageError::Unknown);
    }
    audit::record(tx, by, "mail.unsuppressed", "suppression", Change::default(), serde_json::json!({}))
        .await?;
    Ok(())
}

/// What signs a report, as it came.
pub struct Signed<'a> {
    pub id: &'a str,
    pub timestamp: &'a str,
    /// One or more of `v1,<base64>`, separated by spaces.
    pub signature: &'a str,
    pub body: &'a [u8],
}

/// Hears what became of a mail, if the store's secret signed it. Hearing it again changes nothing.
///
/// # Errors
/// [`MessageError::Unsigned`] for every report that is not believed, whatever is wrong with it.
pub async fn report(tx: &mut WriteTx<'_>, signed: &Signed<'_>) -> Result<(), MessageError> {
    let settings = queries::settings::current(tx).await?;
    let secret = settings.report_secret.ok_or(MessageError::Unsigned)?;
    let sent: i64 = signed.timestamp.parse().map_err(|_| MessageError::Unsigned)?;
    if (tx.now().timestamp() - sent).abs() > TOLERANCE || !is_signed(signed, &secret) {
        return Err(MessageError::Unsigned);
    }
    let report: MailReport = serde_json::from_slice(signed.body)
        .map_err(|error| MessageError::Field("", format!("cannot be read: {error}")))?;
    let detail = report.detail.as_ref().map(|text| text.as_str()).unwrap_or_default();
    if let Some(message) = &report.message_id {
        let why = format!("{}: {detail}", report.kind.as_str());
        queries::bounced(tx, message.as_str(), &report.recipient, &why).await?;
    }
    if report.permanent || report.kind == ReportKind::Complained {
        queries::suppressions::put(tx, &report.recipient, report.kind.as_str(), detail).await?;
    }
    Ok(())
}

fn is_signed(signed: &Signed<'_>, secret: &[u8]) -> bool {
    signed.signature.split(' ').filter_map(|one| one.strip_prefix("v1,")).any(|one| {
        let Ok(bytes) = STANDARD.decode(one) else { return false };
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
        mac.update(format!("{}.{}.", signed.id, signed.timestamp).as_bytes());
        mac.update(signed.body);
        mac.verify_slice(&bytes).is_ok()
    })
}

/// What a link carries that ends marketing to an address: the address, sealed, so that nobody makes one up or reads one.
///
/// # Errors
/// No random bytes.
pub fn farewell(vault: &Vault, store: StoreId, email: &str) -> Result<String, NoEntropy> {
    let sealed = vault.seal(&secret_of(store, "unsubscribe"), email.as_bytes())?;
    Ok(format!("{}.{}", sealed.key, URL_SAFE_NO_PAD.encode(sealed.bytes)))
}

/// Ends marketing to the address that a link carries. Doing it again changes nothing.
///
/// # Errors
/// [`MessageError::LinkUnusable`] for a link that is not ours.
pub async fn unsubscribe(tx: &mut WriteTx<'_>, vault: &Vault, token: &str) -> Result<(), MessageError> {
    let opened = token.rsplit_once('.').and_then(|(key, text)| {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let bytes =
            vault.open(&secret_of(tx.store(), "unsubscribe"), &Sealed { key: key.to_owned(), bytes })?;
        Email::parse(&String::from_utf8(bytes).ok()?).ok()
    });
    let email = opened.ok_or(MessageError::LinkUnusable)?;
    queries::suppressions::put(tx, &email, "unsubscribed", "").await?;
    crate::subscriptions::end_all(tx, &email).await?;
    Ok(())
}
