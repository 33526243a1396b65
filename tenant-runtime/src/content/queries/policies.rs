//! The statements of policies.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Jsonb, Nullable, Text, Timestamptz};
use souk_tenancy::{DbError, Document, ReadTx, WriteTx, sql};

use crate::content::model::{PolicyKind, PolicyVersion, Translation};

#[derive(QueryableByName)]
struct PolicyRow {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Nullable<Text>)]
    body_html: Option<String>,
    #[diesel(sql_type = Jsonb)]
    translations: Document<Vec<Translation>>,
    #[diesel(sql_type = Text)]
    created_by: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

impl PolicyRow {
    /// None for a kind that this code does not know yet.
    fn read(self) -> Option<PolicyVersion> {
        Some(PolicyVersion {
            kind: PolicyKind::parse(&self.kind)?,
            number: self.number,
            title: self.title,
            body_html: self.body_html,
            translations: self.translations.0,
            created_by: self.created_by,
            created_at: self.created_at,
        })
    }
}

/// The last version of every policy that there is. One statement.
pub async fn in_force(tx: &mut ReadTx<'_>) -> Result<Vec<PolicyVersion>, DbError> {
    let text = "SELECT DISTINCT ON (kind) kind, number, title, body_html, translations, created_by, created_at \
         FROM policy_versions ORDER BY kind, number DESC";
    let rows: Vec<PolicyRow> = tx.load(sql(text)).await?;
    Ok(rows.into_iter().filter_map(PolicyRow::read).collect())
}

/// A version of a policy, or the last one. One statement.
pub async fn version(
    tx: &mut ReadTx<'_>,
    kind: PolicyKind,
    number: Option<i32>,
) -> Result<Option<PolicyVersion>, DbError> {
    let query = sql(
        "SELECT kind, number, title, body_html, translations, created_by, created_at FROM policy_versions \
         WHERE kind = $1 AND ($2::integer IS NULL OR number = $2) ORDER BY number DESC LIMIT 1",
    )
    .bind::<Text, _>(kind.as_str())
    .bind::<Nullable<Integer>, _>(number);
    Ok(tx.optional::<PolicyRow>(query).await?.and_then(PolicyRow::read))
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    number: i32,
}

/// The version of the terms of service in force; none where there are none, or where they were withdrawn. One statement.
///
/// # Errors
/// The database's only.
pub async fn terms_in_force(tx: &mut ReadTx<'_>) -> Result<Option<i32>, DbError> {
    let query = sql("SELECT number FROM policy_versions p WHERE kind = 'terms' AND body_html IS NOT NULL \
         AND number = (SELECT max(l.number) FROM policy_versions l WHERE l.kind = p.kind)");
    Ok(tx.optional::<Number>(query).await?.map(|row| row.number))
}

/// Versions of a policy, the newest first. One statement.
pub async fn versions(
    tx: &mut ReadTx<'_>,
    kind: PolicyKind,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<PolicyVersion>, DbError> {
    let query = sql(
        "SELECT kind, number, title, body_html, translations, created_by, created_at FROM policy_versions \
         WHERE kind = $1 AND ($2::integer IS NULL OR number < $2) ORDER BY number DESC LIMIT $3",
    )
    .bind::<Text, _>(kind.as_str())
    .bind::<Nullable<Integer>, _>(before)
    .bind::<BigInt, _>(limit);
    let rows: Vec<PolicyRow> = tx.load(query).await?;
    Ok(rows.into_iter().filter_map(PolicyRow::read).collect())
}

/// Adds a version; who adds the same number at the same moment waits, and finds it taken.
pub async fn add(tx: &mut WriteTx<'_>, version: &PolicyVersion) -> Result<(), DbError> {
    let translations =
        serde_json::to_value(&version.translations).map_err(|error| DbError::Other(Box::new(error)))?;
    let query = sql(
        "INSERT INTO policy_versions (kind, number, title, body_html, translations, created_by, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind::<Text, _>(version.kind.as_str())
    .bind::<Integer, _>(version.number)
    .bind::<Text, _>(version.title.clone())
    .bind::<Nullable<Text>, _>(version.body_html.clone())
    .bind::<Jsonb, _>(translations)
    .bind::<Text, _>(version.created_by.clone())
    .bind::<Timestamptz, _>(version.created_at);
    tx.execute(query).await.map(drop)
}
