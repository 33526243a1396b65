//! The statements of metafields.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{CollectionId, MetafieldDefinitionId, ProductId, VariantId};
use souk_tenancy::{DbError, Document, ReadTx, WriteTx, sql};

use crate::catalog::model::{DefinitionView, Fitting, MetafieldKind, MetafieldLimits, MetafieldOwner};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: MetafieldDefinitionId,
    #[diesel(sql_type = Jsonb)]
    owner: Document<MetafieldOwner>,
    #[diesel(sql_type = Text)]
    namespace: String,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    description: String,
    #[diesel(sql_type = Jsonb)]
    kind: Document<MetafieldKind>,
    #[diesel(sql_type = Bool)]
    is_list: bool,
    #[diesel(sql_type = Jsonb)]
    limits: Document<MetafieldLimits>,
    #[diesel(sql_type = Bool)]
    shown: bool,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl From<Row> for DefinitionView {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            owner: row.owner.0,
            namespace: row.namespace,
            key: row.key,
            name: row.name,
            description: row.description,
            kind: row.kind.0,
            list: row.is_list,
            limits: row.limits.0,
            shown: row.shown,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// All definitions, or those of one kind of owner, or the one of this id. One statement.
///
/// # Errors
/// Only of the database.
pub async fn definitions(
    tx: &mut ReadTx<'_>,
    owner: Option<MetafieldOwner>,
    id: Option<MetafieldDefinitionId>,
) -> Result<Vec<DefinitionView>, DbError> {
    let query = sql("SELECT id, to_jsonb(owner) AS owner, namespace, key, name, description, to_jsonb(kind) AS kind, is_list, limits, shown, \
             version, created_at, updated_at \
         FROM metafield_definitions WHERE ($1::text IS NULL OR owner = $1) AND ($2::uuid IS NULL OR id = $2) \
         ORDER BY owner, namespace, key")
    .bind::<Nullable<Text>, _>(owner.map(|owner| owner.as_str().to_owned()))
    .bind::<Nullable<SqlUuid>, _>(id);
    let rows: Vec<Row> = tx.load(query).await?;
    Ok(rows.into_iter().map(DefinitionView::from).collect())
}

/// One change of definitions at a time: how many there may be is a rule over all of them.
pub async fn lock(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    tx.execute(sql("LOCK TABLE metafield_definitions IN SHARE ROW EXCLUSIVE MODE")).await.map(drop)
}

/// Makes a definition, or writes what may change of the one with this id. The definitions are locked.
pub async fn put(tx: &mut WriteTx<'_>, definition: &DefinitionView) -> Result<(), DbError> {
    let now = tx.now();
    let json =
        |value: serde_json::Result<serde_json::Value>| value.map_err(|error| DbError::Other(Box::new(error)));
    let kind = json(serde_json::to_value(definition.kind))?;
    let query = sql("INSERT INTO metafield_definitions (id, owner, namespace, key, name, description, kind, is_list, limits, shown, created_at, \
             updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb #>> '{}', $8, $9, $10, $11, $11) \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, limits = excluded.limits, \
             shown = excluded.shown, version = metafield_definitions.version + 1, updated_at = excluded.updated_at")
    .bind::<SqlUuid, _>(definition.id)
    .bind::<Text, _>(definition.owner.as_str())
    .bind::<Text, _>(definition.namespace.clone())
    .bind::<Text, _>(definition.key.clone())
    .bind::<Text, _>(definition.name.clone())
    .bind::<Text, _>(definition.description.clone())
    .bind::<Jsonb, _>(kind)
    .bind::<Bool, _>(definition.list)
    .bind::<Jsonb, _>(json(serde_json::to_value(&definition.limits))?)
    .bind::<Bool, _>(definition.shown)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Deletes a definition with all its values. `false`: there is none.
pub async fn remove(tx: &mut WriteTx<'_>, id: MetafieldDefinitionId) -> Result<bool, DbError> {
    let query = sql("DELETE FROM metafield_definitions WHERE id = $1").bind::<SqlUuid, _>(id);
    Ok(tx.execute(query).await? == 1)
}

/// Whose values.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    Product(ProductId),
    Variant(ProductId, VariantId),
    Collection(CollectionId),
}

/// Writes values, and takes away those that are null. The owner is locked.
pub async fn set(tx: &mut WriteTx<'_>, of: Of, values: &[Fitting]) -> Result<(), DbError> {
    let doc = serde_json::to_value(values).map_err(|error| DbError::Other(Box::new(error)))?;
    let (product, variant, collection) = match of {
        Of::Product(product) => (Some(product), None, None),
        Of::Variant(product, variant) => (Some(product), Some(variant), None),
        Of::Collection(collection) => (None, None, Some(collection)),
    };
    let query = sql(include_str!("set_metafields.sql"))
        .bind::<Jsonb, _>(doc)
        .bind::<Nullable<SqlUuid>, _>(product)
        .bind::<Nullable<SqlUuid>, _>(variant)
        .bind::<Nullable<SqlUuid>, _>(collection);
    tx.execute(query).await.map(drop)
}
