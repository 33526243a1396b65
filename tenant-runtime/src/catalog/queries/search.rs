//! The statements of the search.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Uuid as SqlUuid};
use serde::Deserialize;
use souk_kernel::{Currency, ImageId, Money, ProductId, SalesChannelId};
use souk_tenancy::{DbError, ReadTx, sql};
use uuid::Uuid;

use crate::catalog::model::{Facet, Facets, SearchHit, SearchQuery, image_url};

/// How words are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Every word, as written or begun.
    Exact,
    /// Something like it.
    Fuzzy,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    total: i64,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Jsonb)]
    facets: serde_json::Value,
    #[diesel(sql_type = Jsonb)]
    rows: serde_json::Value,
}

#[derive(Deserialize)]
struct FacetsJson {
    vendors: Vec<Facet>,
    product_types: Vec<Facet>,
    tags: Vec<Facet>,
    lowest_minor: Option<i64>,
    highest_minor: Option<i64>,
}

#[derive(Deserialize)]
struct HitJson {
    id: Uuid,
    handle: String,
    title: String,
    vendor: String,
    product_type: String,
    tags: Vec<String>,
    price_minor: Option<i64>,
    place: i64,
    image_id: Option<Uuid>,
}

impl HitJson {
    fn hit(self, currency: Currency) -> SearchHit {
        let image = self.image_id.map(ImageId::from_uuid);
        SearchHit {
            product: ProductId::from_uuid(self.id),
            handle: self.handle,
            title: self.title,
            vendor: self.vendor,
            product_type: self.product_type,
            tags: self.tags,
            price_from: self.price_minor.map(|minor| Money::new(minor, currency)),
            image,
            image_url: image.map(image_url),
            place: self.place,
        }
    }
}

/// How many there are, what they can be narrowed down to, and one page of them.
pub async fn search(
    tx: &mut ReadTx<'_>,
    wanted: &SearchQuery,
    compare: Compare,
    channel: Option<SalesChannelId>,
    after: Option<(i64, ProductId)>,
    fetch: i64,
) -> Result<(i64, Facets, Vec<SearchHit>), DbError> {
    let (words, typed) = (wanted.words(), wanted.typed());
    let text = match compare {
        Compare::Exact if typed.is_empty() => {
            concat!(
                include_str!("search/head.sql"),
                include_str!("search/all.sql"),
                include_str!("search/tail.sql")
            )
        }
        Compare::Exact => concat!(
            include_str!("search/head.sql"),
            include_str!("search/exact.sql"),
            include_str!("search/tail.sql")
        ),
        Compare::Fuzzy => concat!(
            include_str!("search/head.sql"),
            include_str!("search/fuzzy.sql"),
            include_str!("search/tail.sql")
        ),
    };
    let statement = sql(text)
        .bind::<Text, _>(words)
        .bind::<Text, _>(typed)
        .bind::<Array<Text>, _>(&wanted.vendor)
        .bind::<Array<Text>, _>(&wanted.product_type)
        .bind::<Array<Text>, _>(&wanted.tag)
        .bind::<Nullable<BigInt>, _>(wanted.min_price)
        .bind::<Nullable<BigInt>, _>(wanted.max_price)
        .bind::<Text, _>(wanted.sort.as_str())
        .bind::<Nullable<BigInt>, _>(after.map(|(place, _)| place))
        .bind::<Nullable<SqlUuid>, _>(after.map(|(_, id)| id))
        .bind::<BigInt, _>(fetch)
        .bind::<Nullable<SqlUuid>, _>(channel);
    let row: Row = tx.one(statement).await?;
    let unreadable = |error: serde_json::Error| DbError::Other(Box::new(error));
    let facets: FacetsJson = serde_json::from_value(row.facets).map_err(unreadable)?;
    let hits: Vec<HitJson> = serde_json::from_value(row.rows).map_err(unreadable)?;
    let money = |minor| Money::new(minor, row.currency);
    let facets = Facets {
        vendors: facets.vendors,
        product_types: facets.product_types,
        tags: facets.tags,
        lowest_price: facets.lowest_minor.map(money),
        highest_price: facets.highest_minor.map(money),
    };
    Ok((row.total, facets, hits.into_iter().map(|hit| hit.hit(row.currency)).collect()))
}
