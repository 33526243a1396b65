//! What shoppers see.

use actix_web::{HttpRequest, HttpResponse, Responder as _, get, web};
use souk_access::Permit;
use souk_api::{CursorKey, Edition, Json, Page, Paging, PagingOnly, Path, Problem, Query, ReadCache};
use souk_kernel::CollectionId;
use souk_tenancy::ReadTx;
use utoipa_actix_web::service_config::ServiceConfig;

use super::cut;
use crate::catalog::error::CatalogError;
use crate::catalog::model::{
    AvailabilityView, CategoryView, CollectionView, Explain, ProductFilter, ProductRef, ProductView,
    ShopFilter, SummaryView, Viewer, availability,
};
use crate::catalog::queries::Place;
use crate::catalog::queries::collections::{self as collected, Wanted};
use crate::catalog::{actions, permissions};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(all_products).service(one_product).service(available).service(collections);
    config.service(one_collection).service(categories).service(one_category);
}

/// Which state of the catalogue an answer is made from. Taken before it is read. What is kept by it must depend on nothing but the
/// catalogue, the address and the sales channel of the key that was shown: not on who asks, no other header, no time.
pub fn edition(permit: &Permit<permissions::Browse>) -> Option<Edition> {
    let version = permit.catalogue_version()?;
    let readers = permit.channel().map_or(0, |channel| channel.uuid().as_u128());
    Some(Edition { owner: permit.store().uuid().as_u128(), version, readers })
}

/// What is for sale.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_products", params(ShopFilter, Paging),
    responses((status = 200, description = "One page", body = Page<SummaryView>))
)]
#[get("/store/v1/products")]
async fn all_products(
    permit: Permit<permissions::Browse>,
    filter: Query<ShopFilter>,
    paging: Paging,
    key: web::Data<CursorKey>,
    (cache, req): (web::Data<ReadCache>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let make = async {
        let filter = ProductFilter::from(filter.into_inner());
        let scope = format!("shop:{}:{filter:?}", permit.store());
        let after = paging.position::<Place>(&key, &scope)?;
        let (wanted, viewer, limit) = (&filter, Viewer::Shopper(permit.channel()), paging.fetch());
        let load = async move |tx: &mut ReadTx<'_>| actions::list(tx, wanted, viewer, after, limit).await;
        let found = if filter.is_plain() && paging.after.is_none() {
            permit.look_up("shop.products", load).await?
        } else {
            permit.read("shop.products", load).await?
        };
        let page = cut(found, filter.order(), &paging, &key, &scope)?;
        Ok(page.respond_to(&req))
    };
    cache.serve(&req, edition(&permit), make).await
}

/// One product, by its id or its handle, also one it had before.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_product", params(("product" = String, Path)),
    responses((status = 200, description = "It", body = ProductView), (status = 404, body = Problem))
)]
#[get("/store/v1/products/{product}")]
async fn one_product(
    permit: Permit<permissions::Browse>,
    product: Path<String>,
    (cache, req): (web::Data<ReadCache>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let make = async {
        let (wanted, channel) = (&ProductRef::of(&product), permit.channel());
        let find = async move |tx: &mut ReadTx<'_>| actions::show_live(tx, wanted, channel).await;
        Ok(HttpResponse::Ok().json(permit.look_up("shop.product", find).await?))
    };
    cache.serve(&req, edition(&permit), make).await
}

/// Whether a product can be bought now; with `explain=1`, what is missing. A product that is not for sale is explained only to those
/// who run the store.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_availability", params(("product" = String, Path), Explain),
    responses((status = 200, description = "Yes or no, and why", body = AvailabilityView), (status = 404, body = Problem))
)]
#[get("/store/v1/products/{product}/availability")]
async fn available(
    permit: Permit<permissions::Browse>,
    product: Path<String>,
    explain: Query<Explain>,
) -> Result<Json<AvailabilityView>, Problem> {
    let wanted = &ProductRef::of(&product);
    let viewer = if permit.reach().is_any() { Viewer::Staff } else { Viewer::Shopper(permit.channel()) };
    let find = async move |tx: &mut ReadTx<'_>| actions::show_for(tx, wanted, viewer, true).await;
    let view = permit.look_up("shop.availability", find).await?;
    Ok(Json::new(availability(&view, explain.explain == Some(1))))
}

/// The published collections, latest first.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_collections", params(Paging),
    responses((status = 200, description = "One page", body = Page<CollectionView>))
)]
#[get("/store/v1/collections")]
async fn collections(
    permit: Permit<permissions::Browse>,
    paging: PagingOnly,
    key: web::Data<CursorKey>,
    (cache, req): (web::Data<ReadCache>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let make = async {
        let scope = format!("shop-collections:{}", permit.store());
        let before = paging.position::<CollectionId>(&key, &scope)?;
        let (published, channel) = (Some(true), permit.channel());
        let wanted = Wanted { published, only_for_sale: true, channel, before, ..Wanted::default() };
        let limit = paging.fetch();
        let load = async move |tx: &mut ReadTx<'_>| {
            Ok::<_, CatalogError>(collected::collections(tx, wanted, limit).await?)
        };
        let found = permit.read("shop.collections", load).await?;
        Ok(Page::cut(found, &paging, &key, &scope, |collection| collection.id)?.respond_to(&req))
    };
    cache.serve(&req, edition(&permit), make).await
}

/// One published collection, by its id or its handle, also one it had before. Its products: `GET /store/v1/products?collection=`, in the merchant's order.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_collection", params(("collection" = String, Path)),
    responses((status = 200, description = "It", body = CollectionView), (status = 404, body = Problem))
)]
#[get("/store/v1/collections/{collection}")]
async fn one_collection(
    permit: Permit<permissions::Browse>,
    collection: Path<String>,
    (cache, req): (web::Data<ReadCache>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let make = async {
        let (wanted, channel) = (collection.as_str(), permit.channel());
        let find =
            async move |tx: &mut ReadTx<'_>| actions::collections::published(tx, wanted, channel).await;
        Ok(HttpResponse::Ok().json(permit.look_up("shop.collection", find).await?))
    };
    cache.serve(&req, edition(&permit), make).await
}

/// All categories: parents before their children, siblings in their order.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_categories",
    responses((status = 200, description = "The whole tree", body = Page<CategoryView>))
)]
#[get("/store/v1/categories")]
async fn categories(
    permit: Permit<permissions::Browse>,
    (cache, req): (web::Data<ReadCache>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let make = async {
        let viewer = Viewer::Shopper(permit.channel());
        let load = async move |tx: &mut ReadTx<'_>| actions::categories::tree(tx, viewer).await;
        Ok(Page::whole(permit.look_up("shop.categories", load).await?).respond_to(&req))
    };
    cache.serve(&req, edition(&permit), make).await
}

/// One category, by its id or handle, and the way to it. Its products and those below it: `GET /store/v1/products?category=`.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_category", params(("category" = String, Path)),
    responses((status = 200, description = "It", body = CategoryView), (status = 404, body = Problem))
)]
#[get("/store/v1/categories/{category}")]
async fn one_category(
    permit: Permit<permissions::Browse>,
    category: Path<String>,
    (cache, req): (web::Data<ReadCache>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let make = async {
        let (wanted, viewer) = (category.as_str(), Viewer::Shopper(permit.channel()));
        let find = async move |tx: &mut ReadTx<'_>| actions::categories::category(tx, wanted, viewer).await;
        Ok(HttpResponse::Ok().json(permit.look_up("shop.category", find).await?))
    };
    cache.serve(&req, edition(&permit), make).await
}
