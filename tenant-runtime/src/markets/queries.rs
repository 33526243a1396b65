//! Finding a market.

use diesel::sql_types::Text;
use souk_kernel::Country;
use souk_tenancy::{DbError, ReadTx, sql};

use super::model::Market;

/// The market that names the country, else the default one, else none. One statement.
///
/// # Errors
/// The database's only.
pub async fn for_country(tx: &mut ReadTx<'_>, country: Country) -> Result<Option<Market>, DbError> {
    tx.optional(sql(include_str!("for_country.sql")).bind::<Text, _>(country)).await
}
