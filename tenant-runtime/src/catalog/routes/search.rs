//! Searching, for shoppers.

use actix_web::{HttpRequest, HttpResponse, get, web};
use souk_access::Permit;
use souk_api::{CursorKey, Page, Paging, Problem, Query, ReadCache};
use souk_kernel::ProductId;
use souk_tenancy::ReadTx;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::catalog::actions::search as actions;
use crate::catalog::model::{SearchQuery, SearchResult, SuggestionQuery, Suggestions};
use crate::catalog::permissions::Browse;
use crate::catalog::routes::shop::edition;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(search).service(suggestions);
}

/// Search what is for sale.
///
/// Every word must be found, as written or begun; where nothing fits, what comes close is shown and `corrected` is true.
#[utoipa::path(tag = "Shop", operation_id = "searchProducts", params(SearchQuery, Paging), responses(
    (status = 200, body = SearchResult), (status = 422, body = Problem)))]
#[get("/store/v1/search")]
async fn search(
    permit: Permit<Browse>,
    wanted: Query<SearchQuery>,
    paging: Paging,
    (cache, request): (web::Data<ReadCache>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let make = async {
        let (key, scope) = (CursorKey::of(&request)?, format!("search:{}:{:?}", permit.store(), wanted.0));
        let after = paging.position::<(bool, i64, ProductId)>(key, &scope)?;
        let (wanted, channel, fetch) = (&wanted.0, permit.channel(), paging.fetch());
        let load = async move |tx: &mut ReadTx<'_>| actions::search(tx, wanted, channel, after, fetch).await;
        let found = permit.read("shop.search", load).await?;
        let place = |hit: &crate::catalog::model::SearchHit| (found.corrected, hit.place, hit.product);
        let Page { data, page } = Page::cut(found.hits, &paging, key, &scope, place)?;
        let (total, corrected, facets) = (found.total, found.corrected, found.facets);
        Ok(HttpResponse::Ok().json(SearchResult { data, page, total, corrected, facets }))
    };
    cache.serve(&request, edition(&permit), make).await
}

/// What the shopper may be about to type.
#[utoipa::path(tag = "Shop", operation_id = "suggestProducts", params(SuggestionQuery), responses(
    (status = 200, body = Suggestions), (status = 422, body = Problem)))]
#[get("/store/v1/search/suggestions")]
async fn suggestions(
    permit: Permit<Browse>,
    wanted: Query<SuggestionQuery>,
    (cache, request): (web::Data<ReadCache>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let make = async {
        let (typed, channel) = (&wanted.0.q, permit.channel());
        let load = async move |tx: &mut ReadTx<'_>| actions::suggest(tx, typed, channel).await;
        Ok(HttpResponse::Ok().json(permit.read("shop.suggestions", load).await?))
    };
    cache.serve(&request, edition(&permit), make).await
}
