//! Searching: as typed, and where that finds nothing, what comes close.

use souk_api::FieldError;
use souk_kernel::{ProductId, SalesChannelId};
use souk_tenancy::ReadTx;

use crate::catalog::error::CatalogError;
use crate::catalog::model::{Facets, SearchHit, SearchQuery, Suggestion, Suggestions};
use crate::catalog::queries::search::{self as queries, Compare};

/// Most suggestions.
const SUGGESTIONS: i64 = 8;

/// What a search found.
pub struct Found {
    pub total: i64,
    pub corrected: bool,
    pub facets: Facets,
    pub hits: Vec<SearchHit>,
}

/// One page of what fits. `after` names the last row of the page before, and whether that page showed what comes close. One statement;
/// two when nothing fits exactly.
pub async fn search(
    tx: &mut ReadTx<'_>,
    wanted: &SearchQuery,
    channel: Option<SalesChannelId>,
    after: Option<(bool, i64, ProductId)>,
    fetch: i64,
) -> Result<Found, CatalogError> {
    wanted.check()?;
    let place = after.map(|(_, place, id)| (place, id));
    if !after.is_some_and(|(corrected, _, _)| corrected) {
        let (total, facets, hits) =
            queries::search(tx, wanted, Compare::Exact, channel, place, fetch).await?;
        if total > 0 || wanted.words().is_empty() || after.is_some() {
            return Ok(Found { total, corrected: false, facets, hits });
        }
    }
    let (total, facets, hits) = queries::search(tx, wanted, Compare::Fuzzy, channel, place, fetch).await?;
    Ok(Found { total, corrected: total > 0, facets, hits })
}

/// Products whose words begin as typed, or come close. One statement; two when none begins so.
pub async fn suggest(
    tx: &mut ReadTx<'_>,
    typed: &str,
    channel: Option<SalesChannelId>,
) -> Result<Suggestions, CatalogError> {
    let wanted = SearchQuery { q: Some(typed.to_owned()), ..SearchQuery::default() };
    if wanted.words().is_empty() {
        let error = FieldError::new("?q", "out_of_range", "must have a letter or a digit");
        return Err(CatalogError::Invalid(vec![error]));
    }
    let found = search(tx, &wanted, channel, None, SUGGESTIONS).await?;
    let products = found.hits.into_iter().map(|hit| Suggestion {
        product: hit.product,
        handle: hit.handle,
        title: hit.title,
        image_url: hit.image_url,
    });
    Ok(Suggestions { products: products.collect() })
}
