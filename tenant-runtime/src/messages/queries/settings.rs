//! The one row of how mails look and whom they are from.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Bool, Nullable, Text, Timestamptz};
use souk_access::Sealed;
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::messages::model::settings::{MailSettings, PutMailSettings};

/// Named, not `*`: a prepared `*` breaks when a migration adds a column.
macro_rules! columns {
    () => {
        "logo_url, accent_color, footer, sender_name, sender_email, sender_verified_at, reply_to, dkim_domain, dkim_selector, \
         dkim_public, dkim_sealed, dkim_sealed_by, dkim_enabled, report_secret, version"
    };
}

/// How mails look. One statement.
pub async fn current(tx: &mut ReadTx<'_>) -> Result<MailSettings, DbError> {
    tx.one(sql(concat!("SELECT ", columns!(), " FROM mail_settings"))).await
}

/// The same, locked.
pub async fn locked(tx: &mut WriteTx<'_>) -> Result<MailSettings, DbError> {
    tx.one(sql(concat!("SELECT ", columns!(), " FROM mail_settings FOR UPDATE"))).await
}

/// Writes the looks and the sender; another sender is to be asked first, with the secret of this digest.
pub async fn put(
    tx: &mut WriteTx<'_>,
    wish: &PutMailSettings,
    is_another: bool,
    digest: Option<Vec<u8>>,
    until: DateTime<Utc>,
) -> Result<MailSettings, DbError> {
    let now = tx.now();
    let text = |text: Option<&str>| text.map(str::to_owned);
    let until = digest.as_ref().map(|_| until);
    let query = sql(concat!("UPDATE mail_settings SET logo_url = $1, accent_color = lower($2), footer = $3, sender_name = $4, sender_email = $5, \
         reply_to = $6, sender_verified_at = CASE WHEN $7 THEN NULL ELSE sender_verified_at END, \
         sender_secret_hash = CASE WHEN $7 THEN $8 ELSE sender_secret_hash END, \
         sender_secret_until = CASE WHEN $7 THEN $9 ELSE sender_secret_until END, \
         version = version + 1, updated_at = $10 RETURNING ", columns!()))
    .bind::<Nullable<Text>, _>(text(wish.logo_url.as_ref().map(|url| url.as_str())))
    .bind::<Text, _>(wish.accent_color.as_str().to_owned())
    .bind::<Text, _>(wish.footer.as_str().to_owned())
    .bind::<Nullable<Text>, _>(text(wish.sender_name.as_ref().map(|name| name.as_str())))
    .bind::<Nullable<Text>, _>(text(wish.sender_email.as_ref().map(|email| email.as_str())))
    .bind::<Nullable<Text>, _>(text(wish.reply_to.as_ref().map(|email| email.as_str())))
    .bind::<Bool, _>(is_another)
    .bind::<Nullable<Binary>, _>(digest)
    .bind::<Nullable<Timestamptz>, _>(until)
    .bind::<Timestamptz, _>(now);
    tx.one(query).await
}

/// Uses the secret of a mailed link up; none when it is not good.
pub async fn confirm(tx: &mut WriteTx<'_>, digest: &[u8; 32]) -> Result<Option<MailSettings>, DbError> {
    let now = tx.now();
    let query = sql(concat!(
        "UPDATE mail_settings SET sender_verified_at = $2, sender_secret_hash = NULL, sender_secret_until = NULL, \
         version = version + 1, updated_at = $2 WHERE sender_secret_hash = $1 AND sender_secret_until > $2 RETURNING ",
        columns!()
    ));
    tx.optional(query.bind::<Binary, _>(digest.to_vec()).bind::<Timestamptz, _>(now)).await
}

/// Keeps a key; signing waits for its record.
pub async fn put_key(
    tx: &mut WriteTx<'_>,
    domain: &str,
    selector: &str,
    public: &str,
    sealed: Sealed,
) -> Result<MailSettings, DbError> {
    let now = tx.now();
    let query = sql(concat!(
        "UPDATE mail_settings SET dkim_domain = $1, dkim_selector = $2, dkim_public = $3, dkim_sealed = $4, \
         dkim_sealed_by = $5, dkim_enabled = false, version = version + 1, updated_at = $6 RETURNING ",
        columns!()
    ))
    .bind::<Text, _>(domain.to_owned())
    .bind::<Text, _>(selector.to_owned())
    .bind::<Text, _>(public.to_owned())
    .bind::<Binary, _>(sealed.bytes)
    .bind::<Text, _>(sealed.key)
    .bind::<Timestamptz, _>(now);
    tx.one(query).await
}

/// Signs from now on, or no longer.
pub async fn sign(tx: &mut WriteTx<'_>, enabled: bool) -> Result<MailSettings, DbError> {
    let now = tx.now();
    let query = sql(concat!(
        "UPDATE mail_settings SET dkim_enabled = $1, version = version + 1, updated_at = $2 RETURNING ",
        columns!()
    ));
    tx.one(query.bind::<Bool, _>(enabled).bind::<Timestamptz, _>(now)).await
}

/// Another secret for reports of bounces.
pub async fn put_report_secret(tx: &mut WriteTx<'_>, secret: &[u8]) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE mail_settings SET report_secret = $1, version = version + 1, updated_at = $2");
    tx.execute(query.bind::<Binary, _>(secret.to_vec()).bind::<Timestamptz, _>(now)).await.map(drop)
}
