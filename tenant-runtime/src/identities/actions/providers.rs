//! Whom a store lets vouch for people, changed: each story inside one transaction, each told in the log.

use souk_api::{ETag, IfMatch};
use souk_kernel::StoreId;
use souk_tenancy::WriteTx;

use crate::audit::{self, By, Change};
use crate::identities::error::IdentityError;
use crate::identities::model::{
    Audience, EditIdentityProvider, Embassy, MOST_PROVIDERS, NewIdentityProvider, ProviderRow, levels_of,
    scopes_of, secret_of,
};
use crate::identities::queries::providers;

/// A row that may be kept: if it is enabled, there is a provider behind it.
pub struct Checked(ProviderRow);

/// The row somebody wishes for, its secret sealed.
///
/// # Errors
/// The first part that is wrong.
pub fn wished(
    embassy: &Embassy,
    store: StoreId,
    wish: &NewIdentityProvider,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<ProviderRow, IdentityError> {
    let mut row = ProviderRow {
        id: wish.id.as_str().to_owned(),
        audience: wish.audience.as_str().to_owned(),
        name: wish.name.as_str().to_owned(),
        issuer: wish.issuer.as_str().to_owned(),
        client_id: wish.client_id.as_str().to_owned(),
        secret: None,
        secret_key: None,
        scopes: scopes_of(wish.scopes.as_ref())?,
        require_multi_factor: wish.require_multi_factor,
        acr_values: levels_of(&wish.acr_values)?,
        enabled: wish.enabled,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    seal(embassy, store, &mut row, secret_of(wish.client_secret.as_ref())?)?;
    Ok(row)
}

fn seal(
    embassy: &Embassy,
    store: StoreId,
    row: &mut ProviderRow,
    secret: Option<String>,
) -> Result<(), IdentityError> {
    if let Some(secret) = secret {
        let sealed = embassy.seal(store, &row.id, &secret)?;
        (row.secret, row.secret_key) = (Some(sealed.bytes), Some(sealed.key));
    }
    Ok(())
}

/// A row as somebody wishes it to be.
///
/// # Errors
/// The first part that is wrong.
pub fn edited(
    embassy: &Embassy,
    store: StoreId,
    mut row: ProviderRow,
    wish: &EditIdentityProvider,
) -> Result<ProviderRow, IdentityError> {
    if let Some(name) = &wish.name {
        row.name = name.as_str().to_owned();
    }
    if let Some(issuer) = &wish.issuer {
        // A secret is for whom it was made: another issuer is not given the old one's.
        if issuer.as_str() != row.issuer && row.secret.is_some() && wish.client_secret.is_none() {
            return Err(IdentityError::Field("/client_secret", "must be given with another issuer"));
        }
        row.issuer = issuer.as_str().to_owned();
    }
    if let Some(client) = &wish.client_id {
        row.client_id = client.as_str().to_owned();
    }
    if wish.scopes.is_some() {
        row.scopes = scopes_of(wish.scopes.as_ref())?;
    }
    row.require_multi_factor = wish.require_multi_factor.unwrap_or(row.require_multi_factor);
    if let Some(levels) = &wish.acr_values {
        row.acr_values = levels_of(levels)?;
    }
    row.enabled = wish.enabled.unwrap_or(row.enabled);
    seal(embassy, store, &mut row, secret_of(wish.client_secret.as_ref())?)?;
    Ok(row)
}

/// Holds that a row can be a provider and, if it is enabled, that there is one. Asks it, outside of any transaction.
///
/// # Errors
/// What is wrong, by its place in the wish.
pub async fn check(embassy: &Embassy, row: ProviderRow) -> Result<Checked, IdentityError> {
    let provider = embassy.unknown(&row, None)?;
    if row.enabled {
        provider.check().await.map_err(IdentityError::NoProvider)?;
    }
    Ok(Checked(row))
}

/// Adds a provider.
pub async fn make(
    tx: &mut WriteTx<'_>,
    by: &By,
    Checked(row): Checked,
) -> Result<ProviderRow, IdentityError> {
    if providers::count(tx).await? >= MOST_PROVIDERS {
        return Err(IdentityError::Field("/id", "must be one of at most 20 providers"));
    }
    if !providers::insert(tx, &row).await? {
        return Err(IdentityError::ProviderIdTaken);
    }
    let after = row.told();
    let change = Change { before: None, after: Some(&after) };
    audit::record(tx, by, "identity_provider.made", &row.id, change, after.clone()).await?;
    providers::find(tx, &row.id).await?.ok_or(IdentityError::UnknownProvider)
}

/// Keeps a changed provider, if it is still as it was when the change was made up. Whoever came in by what it was must come again.
pub async fn put(
    tx: &mut WriteTx<'_>,
    by: &By,
    seen: &IfMatch,
    was: i64,
    Checked(row): Checked,
) -> Result<ProviderRow, IdentityError> {
    let old = providers::lock(tx, &row.id).await?.ok_or(IdentityError::UnknownProvider)?;
    seen.check(&ETag::new(old.version))?;
    if old.version != was {
        return Err(souk_api::Problem::new(&souk_api::problem::CONFLICT)
            .detail("Somebody changed it at the same time.")
            .into());
    }
    providers::update(tx, &row).await?;
    // Whoever came before was perhaps not asked for what must be asked now.
    let asks_more =
        row.require_multi_factor && (!old.require_multi_factor || old.acr_values != row.acr_values);
    if asks_more || old.issuer != row.issuer || old.client_id != row.client_id {
        providers::forget_away(tx, &row.id).await?;
    }
    if old.audience() == Audience::Staff && (asks_more || !row.enabled || old.issuer != row.issuer) {
        providers::end_staff_tokens(tx, &old.issuer).await?;
    }
    let (before, after) = (old.told(), row.told());
    let change = Change { before: Some(&before), after: Some(&after) };
    let details = serde_json::json!({ "from": before, "to": after });
    audit::record(tx, by, "identity_provider.changed", &row.id, change, details).await?;
    providers::find(tx, &row.id).await?.ok_or(IdentityError::UnknownProvider)
}

/// Takes a provider away. People whom it vouched for sign in no more by it; staff are out within a second.
pub async fn remove(tx: &mut WriteTx<'_>, by: &By, id: &str) -> Result<(), IdentityError> {
    let old = providers::lock(tx, id).await?.ok_or(IdentityError::UnknownProvider)?;
    if old.audience() == Audience::Staff {
        providers::end_staff_tokens(tx, &old.issuer).await?;
    }
    providers::forget_away(tx, id).await?;
    providers::delete(tx, id).await?;
    let before = old.told();
    let change = Change { before: Some(&before), after: None };
    Ok(audit::record(tx, by, "identity_provider.removed", id, change, before.clone()).await?)
}
