//! Changing the settings.

use souk_api::IfMatch;
use souk_tenancy::WriteTx;

use super::error::SettingsError;
use super::model::{EditSettings, Settings};
use super::queries;

/// Checks the precondition against the locked row, then writes.
///
/// # Errors
/// 412 when somebody was faster, 422 for a field.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    seen: &IfMatch,
    wish: &EditSettings,
) -> Result<Settings, SettingsError> {
    wish.check().map_err(|(pointer, message)| SettingsError::Field(pointer, message))?;
    let now = queries::locked(tx).await?;
    seen.check(&now.etag()).map_err(SettingsError::Precondition)?;
    queries::edit(tx, wish).await
}
