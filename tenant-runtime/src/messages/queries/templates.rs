//! The store's own words, and those there were.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::messages::model::{Texts, VersionView};

/// Words that are in force.
#[derive(Clone, Debug, QueryableByName)]
pub struct OwnTemplate {
    #[diesel(sql_type = Text)]
    pub subject: String,
    #[diesel(sql_type = Text)]
    pub body_text: String,
    #[diesel(sql_type = Text)]
    pub body_html: String,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

impl From<OwnTemplate> for Texts {
    fn from(own: OwnTemplate) -> Self {
        Self { subject: own.subject, text: own.body_text, html: own.body_html }
    }
}

/// A mail that has words of the store's own in a locale.
#[derive(Clone, Debug, QueryableByName)]
pub struct OwnName {
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub locale: String,
}

/// Every one there is.
pub async fn all(tx: &mut ReadTx<'_>) -> Result<Vec<OwnName>, DbError> {
    tx.load(sql("SELECT name, locale FROM email_templates ORDER BY name, locale")).await
}

/// The store's own words in exactly this locale.
pub async fn own(tx: &mut ReadTx<'_>, name: &str, locale: &str) -> Result<Option<OwnTemplate>, DbError> {
    let query = sql(
        "SELECT subject, body_text, body_html, version, updated_at FROM email_templates WHERE name = $1 AND locale = $2",
    );
    tx.optional(query.bind::<Text, _>(name.to_owned()).bind::<Text, _>(locale.to_owned())).await
}

/// The store's own words that are sent to this locale: in it, else in its language.
pub async fn in_force(tx: &mut ReadTx<'_>, name: &str, locale: &str) -> Result<Option<Texts>, DbError> {
    let language = locale.split(['-', '_']).next().unwrap_or_default();
    let query = sql("SELECT subject, body_text, body_html, version, updated_at FROM email_templates \
         WHERE name = $1 AND locale = ANY($2) ORDER BY length(locale) DESC LIMIT 1");
    let locales = vec![locale.to_owned(), language.to_owned()];
    let row: Option<OwnTemplate> =
        tx.optional(query.bind::<Text, _>(name.to_owned()).bind::<Array<Text>, _>(locales)).await?;
    Ok(row.map(Texts::from))
}

/// The same as [`own`], locked.
pub async fn lock(tx: &mut WriteTx<'_>, name: &str, locale: &str) -> Result<Option<OwnTemplate>, DbError> {
    let query = sql("SELECT subject, body_text, body_html, version, updated_at FROM email_templates \
         WHERE name = $1 AND locale = $2 FOR UPDATE");
    tx.optional(query.bind::<Text, _>(name.to_owned()).bind::<Text, _>(locale.to_owned())).await
}

/// Puts words into force and into the history, under the next number. Two that come at once are two versions.
pub async fn put(
    tx: &mut WriteTx<'_>,
    name: &str,
    locale: &str,
    texts: &Texts,
    actor: &str,
) -> Result<OwnTemplate, DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO email_templates AS t (name, locale, subject, body_text, body_html, version, updated_at, updated_by) \
         VALUES ($1, $2, $3, $4, $5, \
             (SELECT coalesce(max(version), 0) + 1 FROM email_template_versions WHERE name = $1 AND locale = $2), $6, $7) \
         ON CONFLICT (name, locale) DO UPDATE SET subject = excluded.subject, body_text = excluded.body_text, \
             body_html = excluded.body_html, version = greatest(excluded.version, t.version + 1), \
             updated_at = excluded.updated_at, updated_by = excluded.updated_by \
         RETURNING subject, body_text, body_html, version, updated_at")
    .bind::<Text, _>(name.to_owned())
    .bind::<Text, _>(locale.to_owned())
    .bind::<Text, _>(texts.subject.clone())
    .bind::<Text, _>(texts.text.clone())
    .bind::<Text, _>(texts.html.clone())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor.to_owned());
    let row: OwnTemplate = tx.one(query).await?;
    let query = sql(
        "INSERT INTO email_template_versions (name, locale, version, subject, body_text, body_html, created_by, created_at) \
         SELECT name, locale, version, subject, body_text, body_html, updated_by, updated_at FROM email_templates \
         WHERE name = $1 AND locale = $2",
    );
    tx.execute(query.bind::<Text, _>(name.to_owned()).bind::<Text, _>(locale.to_owned())).await?;
    Ok(row)
}

/// Takes words out of force. `false` when there were none.
pub async fn remove(tx: &mut WriteTx<'_>, name: &str, locale: &str) -> Result<bool, DbError> {
    let query = sql("DELETE FROM email_templates WHERE name = $1 AND locale = $2");
    Ok(tx.execute(query.bind::<Text, _>(name.to_owned()).bind::<Text, _>(locale.to_owned())).await? == 1)
}

/// Newest first, older than `before`.
pub async fn versions(
    tx: &mut ReadTx<'_>,
    name: &str,
    locale: &str,
    before: Option<i64>,
    most: i64,
) -> Result<Vec<VersionView>, DbError> {
    let query = sql("SELECT version, subject, body_text, body_html, created_by, created_at FROM email_template_versions \
         WHERE name = $1 AND locale = $2 AND ($3::bigint IS NULL OR version < $3) ORDER BY version DESC LIMIT $4")
    .bind::<Text, _>(name.to_owned())
    .bind::<Text, _>(locale.to_owned())
    .bind::<Nullable<BigInt>, _>(before)
    .bind::<BigInt, _>(most);
    tx.load(query).await
}

/// One version.
pub async fn version(
    tx: &mut ReadTx<'_>,
    name: &str,
    locale: &str,
    version: i64,
) -> Result<Option<VersionView>, DbError> {
    let query = sql(
        "SELECT version, subject, body_text, body_html, created_by, created_at FROM email_template_versions \
         WHERE name = $1 AND locale = $2 AND version = $3",
    )
    .bind::<Text, _>(name.to_owned())
    .bind::<Text, _>(locale.to_owned())
    .bind::<BigInt, _>(version);
    tx.optional(query).await
}
