//! The statements of the days on which a store works.

use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Date, Text, Timestamptz};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::shipping::model::{Calendar, ShippingSettings};

#[derive(QueryableByName)]
struct SettingsRow {
    #[diesel(sql_type = Text)]
    working_days: String,
    #[diesel(sql_type = Array<Date>)]
    holidays: Vec<NaiveDate>,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

impl From<SettingsRow> for ShippingSettings {
    fn from(row: SettingsRow) -> Self {
        Self { calendar: Calendar::read(&row.working_days, row.holidays), version: row.version }
    }
}

/// On which days the store works.
pub async fn settings(tx: &mut ReadTx<'_>) -> Result<ShippingSettings, DbError> {
    let row: SettingsRow =
        tx.one(sql("SELECT working_days, holidays, version FROM shipping_settings")).await?;
    Ok(row.into())
}

/// The same, locked until the transaction ends.
pub async fn lock_settings(tx: &mut WriteTx<'_>) -> Result<ShippingSettings, DbError> {
    let row: SettingsRow =
        tx.one(sql("SELECT working_days, holidays, version FROM shipping_settings FOR UPDATE")).await?;
    Ok(row.into())
}

/// Replaces all of it.
pub async fn put_settings(tx: &mut WriteTx<'_>, calendar: &Calendar) -> Result<ShippingSettings, DbError> {
    let now = tx.now();
    let statement = sql("UPDATE shipping_settings SET working_days = $1, holidays = $2, version = version + 1, updated_at = $3 \
         RETURNING working_days, holidays, version")
    .bind::<Text, _>(calendar.kept_days())
    .bind::<Array<Date>, _>(calendar.holidays())
    .bind::<Timestamptz, _>(now);
    let row: SettingsRow = tx.one(statement).await?;
    Ok(row.into())
}
