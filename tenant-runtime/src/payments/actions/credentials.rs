//! The keys of a store's account at a provider: set, exchanged, taken away. Each is told in the log; the keys are in none of it.

use serde_json::json;
use souk_kernel::StoreId;
use souk_tenancy::{ReadTx, WriteTx};

use super::super::error::PaymentError;
use super::super::model::{Account, Keys, NewCredentials, ProviderCode, ProviderView, Safe, SetCredentials};
use super::super::queries;
use super::provider::{ProviderError, Providers};
use crate::audit::{self, By, Change};

/// The provider of this code, if it takes keys.
///
/// # Errors
/// [`PaymentError::SetUpUnknown`], [`PaymentError::NoCredentials`].
pub fn keyed(code: &str) -> Result<ProviderCode, PaymentError> {
    let provider = ProviderCode::parse(code).ok_or(PaymentError::SetUpUnknown)?;
    if provider.has_account() { Ok(provider) } else { Err(PaymentError::NoCredentials(code.to_owned())) }
}

/// What staff wishes, beside what is there. Keys that cannot be opened any more count as none.
///
/// # Errors
/// [`PaymentError::Fields`].
pub fn wished(
    safe: &Safe,
    (store, code): (StoreId, ProviderCode),
    wish: SetCredentials,
    before: Option<&Account>,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<NewCredentials, PaymentError> {
    let opened =
        before.and_then(|account| Some((safe.open(store, code, &account.sealed)?, account.former_until)));
    wish.apply(opened, now)
}

/// Holds that the provider knows the keys. Asks it, outside of any transaction.
///
/// # Errors
/// [`PaymentError::CredentialsRefused`]; [`PaymentError::Away`] when it does not say.
pub async fn check(till: &Providers, code: ProviderCode, keys: &Keys) -> Result<(), PaymentError> {
    let provider = till.of(code).ok_or(PaymentError::SetUpUnknown)?;
    match provider.check(keys).await {
        Ok(()) => Ok(()),
        Err(ProviderError::NotSetUp(message) | ProviderError::Refused { message, .. }) => {
            Err(PaymentError::CredentialsRefused(message))
        }
        Err(error) => Err(PaymentError::Away(error.to_string())),
    }
}

/// Keeps new keys, sealed, if nobody changed them meanwhile. Locks the provider. Five statements.
///
/// # Errors
/// [`PaymentError::Precondition`] when somebody was faster; [`PaymentError::Sealing`].
pub async fn keep(
    tx: &mut WriteTx<'_>,
    safe: &Safe,
    by: &By,
    (code, before): (ProviderCode, Option<&Account>),
    new: &NewCredentials,
) -> Result<ProviderView, PaymentError> {
    let now = queries::providers::lock(tx, code.as_str()).await?.ok_or(PaymentError::SetUpUnknown)?;
    let known = queries::providers::account(tx, code).await?;
    if known.map(|account| account.sealed) != before.map(|account| account.sealed.clone()) {
        let problem = souk_api::Problem::new(&souk_api::problem::CONFLICT);
        return Err(PaymentError::Precondition(
            problem.detail("Somebody changed the keys at the same time."),
        ));
    }
    let sealed = safe.seal(tx.store(), code, &new.keys)?;
    queries::providers::keep_credentials(tx, code, new, &sealed).await?;
    let then = seen(tx, code).await?;
    let (was, is) = (json!(now.credentials), json!(then.credentials));
    let change = Change { before: Some(&was), after: Some(&is) };
    let details = json!({ "from": was, "to": is });
    audit::record(tx, by, "payment_credentials.set", code.as_str(), change, details).await?;
    Ok(then)
}

async fn seen(tx: &mut ReadTx<'_>, code: ProviderCode) -> Result<ProviderView, PaymentError> {
    let all = queries::providers::list(tx).await?;
    all.into_iter().find(|provider| provider.code == code.as_str()).ok_or(PaymentError::SetUpUnknown)
}

/// Forgets the keys and switches the provider off. Payments that were made with them can be neither captured nor given back until keys of the
/// same account are set again. Nothing the second time, but told.
///
/// # Errors
/// [`PaymentError::SetUpUnknown`].
pub async fn remove(tx: &mut WriteTx<'_>, by: &By, code: ProviderCode) -> Result<(), PaymentError> {
    let now = queries::providers::lock(tx, code.as_str()).await?.ok_or(PaymentError::SetUpUnknown)?;
    queries::providers::forget_credentials(tx, code).await?;
    let was = json!(now.credentials);
    let change = Change { before: Some(&was), after: None };
    Ok(audit::record(tx, by, "payment_credentials.removed", code.as_str(), change, json!({ "from": was }))
        .await?)
}
