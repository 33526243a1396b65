//! Changing where the store's pages live.

use serde_json::json;
use souk_api::{ETag, IfMatch};
use souk_tenancy::WriteTx;

use super::error::StorefrontError;
use super::model::{PutStorefront, Storefront};
use super::queries;
use crate::audit::{self, By, Change};

/// Replaces the addresses. Told in the log, because mails link there.
pub async fn put(
    tx: &mut WriteTx<'_>,
    by: &By,
    seen: &IfMatch,
    wish: &PutStorefront,
) -> Result<Storefront, StorefrontError> {
    wish.check()?;
    let row = queries::locked(tx).await?;
    seen.check(&ETag::new(row.version))?;
    let changed = queries::put(tx, wish).await?;
    let shown =
        |row: &Storefront| json!({ "account_url": row.account_url, "allowed_origins": row.allowed_origins });
    let (before, after) = (shown(&row), shown(&changed));
    let change = Change { before: Some(&before), after: Some(&after) };
    audit::record(tx, by, "storefront.changed", "storefront", change, json!({ "from": before, "to": after }))
        .await?;
    Ok(changed)
}
