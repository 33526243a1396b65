//! The one row.

use diesel::sql_types::{Bool, Integer, Nullable, Text, Timestamptz};
use souk_kernel::Rounding;
use souk_tenancy::{ReadTx, WriteTx, sql};

use super::error::SettingsError;
use super::model::{EditSettings, Settings};

/// How this store counts. One statement, no lock.
///
/// # Errors
/// The database's only.
pub async fn current(tx: &mut ReadTx<'_>) -> Result<Settings, SettingsError> {
    Ok(tx.one(sql(include_str!("current.sql"))).await?)
}

/// The settings, locked until the transaction ends.
pub async fn locked(tx: &mut WriteTx<'_>) -> Result<Settings, SettingsError> {
    Ok(tx.one(sql(include_str!("lock.sql"))).await?)
}

/// Writes what is given and counts the version up.
pub async fn edit(tx: &mut WriteTx<'_>, edit: &EditSettings) -> Result<Settings, SettingsError> {
    let now = tx.now();
    let minutes = edit.reservation_minutes.and_then(|minutes| i32::try_from(minutes).ok());
    let statement = sql(include_str!("edit.sql"))
        .bind::<Nullable<Text>, _>(edit.name.clone())
        .bind::<Nullable<Text>, _>(edit.country)
        .bind::<Nullable<Text>, _>(edit.locale.clone())
        .bind::<Nullable<Text>, _>(edit.time_zone.clone())
        .bind::<Nullable<Text>, _>(edit.contact_email.clone())
        .bind::<Nullable<Bool>, _>(edit.prices_include_tax)
        .bind::<Nullable<Text>, _>(edit.tax_rounding.map(|rounding: Rounding| rounding.as_str()))
        .bind::<Nullable<Text>, _>(edit.tax_level.map(|level| level.as_str()))
        .bind::<Nullable<Integer>, _>(minutes)
        .bind::<Nullable<Text>, _>(edit.order_prefix.clone())
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<Bool>, _>(edit.terms_required);
    Ok(tx.one(statement).await?)
}
