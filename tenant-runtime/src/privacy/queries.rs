//! What nobody else keeps.

use diesel::sql_types::Text;
use souk_kernel::CustomerId;
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{MailExport, SuppressionExport};

/// Removes kept replies to the customer's own requests: they hold names and addresses.
pub async fn forget_replies(tx: &mut WriteTx<'_>, customer: CustomerId) -> Result<(), DbError> {
    let query = sql("DELETE FROM idempotency_keys WHERE principal = $1");
    tx.execute(query.bind::<Text, _>(format!("customer:{customer}"))).await.map(drop)
}

/// Mails to a mailbox, oldest first.
pub async fn mails(tx: &mut ReadTx<'_>, mailbox: &str) -> Result<Vec<MailExport>, DbError> {
    let query = sql("SELECT template, subject, state, created_at, sent_at FROM email_messages \
         WHERE lower(recipient) = lower($1) ORDER BY id");
    tx.load(query.bind::<Text, _>(mailbox.to_owned())).await
}

/// Why a mailbox is not written to, if it is not.
pub async fn suppression(tx: &mut ReadTx<'_>, mailbox: &str) -> Result<Option<SuppressionExport>, DbError> {
    let query =
        sql("SELECT reason, detail, created_at FROM email_suppressions WHERE lower(email) = lower($1)");
    tx.optional(query.bind::<Text, _>(mailbox.to_owned())).await
}
