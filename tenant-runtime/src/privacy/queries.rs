//! What nobody else keeps.

use diesel::sql_types::Text;
use souk_kernel::CustomerId;
use souk_tenancy::{DbError, WriteTx, sql};

/// Removes kept replies to the customer's own requests: they hold names and addresses.
pub async fn forget_replies(tx: &mut WriteTx<'_>, customer: CustomerId) -> Result<(), DbError> {
    let query = sql("DELETE FROM idempotency_keys WHERE principal = $1");
    tx.execute(query.bind::<Text, _>(format!("customer:{customer}"))).await.map(drop)
}
