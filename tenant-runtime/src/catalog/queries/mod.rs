//! The statements of the catalogue.

pub mod base_prices;
pub mod bulk;
pub mod bundles;
pub mod categories;
pub mod collections;
pub mod fetches;
pub mod metafields;
pub mod names;
pub mod pictures;
pub mod price_lists;
mod rows;
pub mod search;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use souk_kernel::{Currency, InventoryItemId, MarketId, PriceId, ProductId, VariantId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

pub use self::rows::Summary;
use self::rows::{
    CountRow, CurrencyRow, DetailRow, HandleRow, OwnerRow, SellableRow, SummaryRow, VersionRow,
};
use super::model::{
    Draft, Looker, ProductFilter, ProductRef, ProductView, Sellable, Sort, VariantView, Viewer,
};

/// The last row of a page: id, and the column its order goes by.
pub type Place = (ProductId, Option<DateTime<Utc>>, Option<String>, Option<i64>);

pub async fn currency(tx: &mut ReadTx<'_>) -> Result<Currency, DbError> {
    let row: CurrencyRow = tx.one(sql("SELECT currency FROM store_settings")).await?;
    Ok(row.currency)
}

/// The same, for whoever makes or changes a product: shares the turn of the rules until the transaction ends.
pub async fn currency_in_turn(tx: &mut WriteTx<'_>) -> Result<Currency, DbError> {
    let text = "WITH turn AS MATERIALIZED (SELECT name FROM catalogue_turns WHERE name = 'rules' FOR KEY SHARE) \
         SELECT s.currency FROM turn, store_settings s";
    let row: CurrencyRow = tx.one(sql(text)).await?;
    Ok(row.currency)
}

/// How many products there are, counted no further than `most`.
pub async fn count(tx: &mut ReadTx<'_>, most: i64) -> Result<i64, DbError> {
    let query = sql("SELECT count(*) AS count FROM (SELECT FROM products LIMIT $1) AS counted");
    let row: CountRow = tx.one(query.bind::<BigInt, _>(most)).await?;
    Ok(row.count)
}

/// Handles of products that are this one or begin with it and a hyphen.
pub async fn handles_like(tx: &mut ReadTx<'_>, handle: &str) -> Result<Vec<String>, DbError> {
    let query = sql("SELECT handle FROM products WHERE handle = $1 OR handle LIKE $1 || '-%' \
         UNION SELECT handle FROM product_redirects WHERE handle = $1 OR handle LIKE $1 || '-%'")
    .bind::<Text, _>(handle.to_owned());
    let rows: Vec<HandleRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| row.handle).collect())
}

pub async fn insert_product(tx: &mut WriteTx<'_>, draft: &Draft) -> Result<(), DbError> {
    let doc = json(draft)?;
    insert(tx, include_str!("insert_product.sql"), doc.clone()).await?;
    insert(tx, include_str!("insert_variants.sql"), doc).await
}

/// `doc` holds `values`, `variants` and `currency` as a [`Draft`] does.
pub async fn insert_variants(tx: &mut WriteTx<'_>, doc: Value) -> Result<(), DbError> {
    insert(tx, include_str!("insert_variants.sql"), doc).await
}

async fn insert(tx: &mut WriteTx<'_>, text: &'static str, doc: Value) -> Result<(), DbError> {
    let now = tx.now();
    tx.execute(sql(text).bind::<Jsonb, _>(doc).bind::<Timestamptz, _>(now)).await.map(|_| ())
}

fn json(value: &impl serde::Serialize) -> Result<Value, DbError> {
    serde_json::to_value(value).map_err(|error| DbError::Other(Box::new(error)))
}

/// The product as it stands, its stock not looked up. One statement.
pub async fn detail(tx: &mut ReadTx<'_>, product: &ProductRef) -> Result<Option<ProductView>, DbError> {
    detail_for(tx, product, Viewer::Staff).await
}

/// The same, if it is there for whoever looks.
pub async fn detail_for(
    tx: &mut ReadTx<'_>,
    product: &ProductRef,
    viewer: Viewer,
) -> Result<Option<ProductView>, DbError> {
    let (id, handle) = match product {
        ProductRef::Id(id) => (Some(*id), None),
        ProductRef::Handle(handle) => (None, Some(handle.clone())),
    };
    let query = sql(concat!(include_str!("detail.sql"), include_str!("detail_for.sql")))
        .bind::<Nullable<SqlUuid>, _>(id)
        .bind::<Nullable<Text>, _>(handle)
        .bind::<Bool, _>(viewer.is_shopper())
        .bind::<Nullable<SqlUuid>, _>(viewer.channel());
    let row: Option<DetailRow> = tx.optional(query).await?;
    Ok(row.map(DetailRow::view))
}

/// One page of products, their stock not looked up. One statement.
pub async fn page(
    tx: &mut ReadTx<'_>,
    filter: &ProductFilter,
    viewer: Viewer,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Summary>, DbError> {
    let text = match filter.order() {
        Sort::Newest => concat!(include_str!("page.sql"), include_str!("newest.sql")),
        Sort::Title => concat!(include_str!("page.sql"), include_str!("by_title.sql")),
        Sort::Price => concat!(include_str!("page.sql"), include_str!("by_price.sql")),
        Sort::Manual => concat!(include_str!("page.sql"), include_str!("manual.sql")),
    };
    let (collection, collection_handle) = filter.collection();
    let (category, category_handle) = filter.category();
    let (id, at, title, amount) =
        after.map_or((None, None, None, None), |(id, at, title, amount)| (Some(id), at, title, amount));
    let query = sql(text)
        .bind::<Nullable<Text>, _>(filter.status.map(|status| status.as_str().to_owned()))
        .bind::<Array<Text>, _>(filter.patterns())
        .bind::<Nullable<SqlUuid>, _>(collection)
        .bind::<Nullable<Text>, _>(collection_handle)
        .bind::<Nullable<Text>, _>(filter.tag.clone())
        .bind::<Nullable<SqlUuid>, _>(id)
        .bind::<Nullable<Timestamptz>, _>(at)
        .bind::<Nullable<Text>, _>(title)
        .bind::<Nullable<BigInt>, _>(amount)
        .bind::<BigInt, _>(limit)
        .bind::<Nullable<SqlUuid>, _>(category)
        .bind::<Nullable<Text>, _>(category_handle)
        .bind::<Bool, _>(viewer.is_shopper())
        .bind::<Nullable<SqlUuid>, _>(viewer.channel());
    let rows: Vec<SummaryRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(SummaryRow::summary).collect())
}

/// Shares the turn of the rules, then locks a product; gives its version.
pub async fn lock(tx: &mut WriteTx<'_>, product: ProductId) -> Result<Option<i64>, DbError> {
    let query = sql(
        "WITH turn AS MATERIALIZED (SELECT name FROM catalogue_turns WHERE name = 'rules' FOR KEY SHARE) \
         SELECT p.version FROM turn, products p WHERE p.id = $1 FOR UPDATE OF p",
    )
    .bind::<SqlUuid, _>(product);
    let row: Option<VersionRow> = tx.optional(query).await?;
    Ok(row.map(|row| row.version))
}

/// The product of a variant.
pub async fn owner(tx: &mut ReadTx<'_>, variant: VariantId) -> Result<Option<ProductId>, DbError> {
    let query = sql("SELECT product_id FROM product_variants WHERE id = $1").bind::<SqlUuid, _>(variant);
    let row: Option<OwnerRow> = tx.optional(query).await?;
    Ok(row.map(|row| row.product_id))
}

/// Counts a change of something that belongs to the product.
pub async fn touch(tx: &mut WriteTx<'_>, product: ProductId) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE products SET version = version + 1, updated_at = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(product)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(|_| ())
}

/// Writes a product's own columns, and keeps its former handle.
pub async fn edit(tx: &mut WriteTx<'_>, product: &ProductView) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(include_str!("edit_product.sql"))
        .bind::<SqlUuid, _>(product.id)
        .bind::<Text, _>(product.handle.clone())
        .bind::<Text, _>(product.title.clone())
        .bind::<Text, _>(product.description_html.clone())
        .bind::<Text, _>(product.vendor.clone())
        .bind::<Text, _>(product.product_type.clone())
        .bind::<Text, _>(product.status.as_str())
        .bind::<Array<Text>, _>(product.tags.clone())
        .bind::<Nullable<Text>, _>(product.seo_title.clone())
        .bind::<Nullable<Text>, _>(product.seo_description.clone())
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<SqlUuid>, _>(product.category);
    tx.execute(query).await.map(|_| ())
}

/// Deletes a product with all that belongs to it, and the picture bytes nobody else has.
pub async fn remove(tx: &mut WriteTx<'_>, product: ProductId) -> Result<(), DbError> {
    let blobs = sql("WITH gone AS (DELETE FROM product_images WHERE product_id = $1 RETURNING digest) \
         DELETE FROM media_blobs b USING gone WHERE b.digest = gone.digest AND NOT EXISTS \
         (SELECT 1 FROM product_images i WHERE i.digest = b.digest AND i.object_id IS NULL AND i.product_id <> $1)")
    .bind::<SqlUuid, _>(product);
    tx.execute(blobs).await?;
    tx.execute(sql("DELETE FROM products WHERE id = $1").bind::<SqlUuid, _>(product)).await.map(|_| ())
}

pub async fn edit_variant(tx: &mut WriteTx<'_>, variant: &VariantView) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(include_str!("edit_variant.sql"))
        .bind::<SqlUuid, _>(variant.id)
        .bind::<Nullable<Text>, _>(variant.sku.clone())
        .bind::<Nullable<Text>, _>(variant.barcode.clone())
        .bind::<BigInt, _>(variant.weight_grams)
        .bind::<Bool, _>(variant.requires_shipping)
        .bind::<Bool, _>(variant.taxable)
        .bind::<Text, _>(variant.inventory_policy.as_str())
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<Text>, _>(variant.tax_class.clone());
    tx.execute(query).await.map(|_| ())
}

pub async fn remove_variant(tx: &mut WriteTx<'_>, variant: VariantId) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM product_variants WHERE id = $1").bind::<SqlUuid, _>(variant))
        .await
        .map(|_| ())
}

pub async fn set_price(
    tx: &mut WriteTx<'_>,
    variant: VariantId,
    price: souk_kernel::Money,
    compare_at: Option<i64>,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(include_str!("set_price.sql"))
        .bind::<SqlUuid, _>(variant)
        .bind::<Text, _>(price.currency().code())
        .bind::<BigInt, _>(price.minor())
        .bind::<Nullable<BigInt>, _>(compare_at)
        .bind::<Timestamptz, _>(now)
        .bind::<SqlUuid, _>(PriceId::new());
    tx.execute(query).await.map(|_| ())
}

/// Variants as they can be sold, with the offers of price lists that are for whoever looks.
pub async fn sellable(
    tx: &mut ReadTx<'_>,
    variants: &[VariantId],
    currency: Currency,
    market: Option<MarketId>,
    looker: Looker,
) -> Result<Vec<Sellable>, DbError> {
    let now = tx.now();
    let variants: Vec<Uuid> = variants.iter().map(|variant| variant.uuid()).collect();
    let query = sql(include_str!("sellable.sql"))
        .bind::<Array<SqlUuid>, _>(variants)
        .bind::<Text, _>(currency.code())
        .bind::<Nullable<SqlUuid>, _>(market)
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<SqlUuid>, _>(looker.customer)
        .bind::<Bool, _>(looker.sees_all);
    let rows: Vec<SellableRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| row.sellable(currency)).collect())
}

/// The items of a product's variants.
pub fn items_of(product: &ProductView) -> Vec<InventoryItemId> {
    product.variants.iter().map(|variant| variant.inventory_item).collect()
}
