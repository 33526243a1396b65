//! What shoppers see.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use souk_access::{Permit, Reach};
use souk_api::{CursorKey, ETag, Json, Page, Paging, Path, Problem, Query, not_modified};
use souk_kernel::{CollectionId, ImageId};
use souk_tenancy::ReadTx;
use utoipa_actix_web::service_config::ServiceConfig;

use super::cut;
use super::products::cached;
use crate::catalog::error::CatalogError;
use crate::catalog::model::{
    AvailabilityView, CollectionView, Explain, ProductFilter, ProductRef, ProductView, ShopFilter, Status,
    SummaryView, availability,
};
use crate::catalog::queries::{self, Place, Wanted};
use crate::catalog::{actions, permissions};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(all_products).service(one_product).service(available).service(collections);
    config.service(one_collection).service(image);
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
) -> Result<Page<SummaryView>, Problem> {
    let filter = ProductFilter::from(filter.into_inner());
    let scope = format!("shop:{}:{filter:?}", permit.store());
    let after = paging.position::<Place>(&key, &scope)?;
    let (wanted, limit) = (&filter, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| actions::list(tx, wanted, after, limit, false).await;
    cut(permit.read("shop.products", load).await?, filter.order(), &paging, &key, &scope)
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
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let wanted = &ProductRef::of(&product);
    let find = async move |tx: &mut ReadTx<'_>| actions::show_live(tx, wanted).await;
    cached(&req, &permit.read("shop.product", find).await?)
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
    let find = async move |tx: &mut ReadTx<'_>| actions::show(tx, wanted, true).await;
    let view = permit.read("shop.availability", find).await?;
    if view.status != Status::Active && permit.reach() != Reach::Any {
        return Err(CatalogError::Unknown.into());
    }
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
    paging: Paging,
    key: web::Data<CursorKey>,
) -> Result<Page<CollectionView>, Problem> {
    let scope = format!("shop-collections:{}", permit.store());
    let before = paging.position::<CollectionId>(&key, &scope)?;
    let wanted = Wanted { published: Some(true), only_for_sale: true, before, ..Wanted::default() };
    let limit = paging.fetch();
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, CatalogError>(queries::collections(tx, wanted, limit).await?)
    };
    Page::cut(permit.read("shop.collections", load).await?, &paging, &key, &scope, |collection| collection.id)
}

/// One published collection, by its id or handle. Its products: `GET /store/v1/products?collection=`, in the merchant's order.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_collection", params(("collection" = String, Path)),
    responses((status = 200, description = "It", body = CollectionView), (status = 404, body = Problem))
)]
#[get("/store/v1/collections/{collection}")]
async fn one_collection(
    permit: Permit<permissions::Browse>,
    collection: Path<String>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let wanted = collection.as_str();
    let find = async move |tx: &mut ReadTx<'_>| actions::published(tx, wanted).await;
    let view = permit.read("shop.collection", find).await?;
    let body = serde_json::to_vec(&view)
        .map_err(|error| Problem::new(&souk_api::problem::INTERNAL).source(error))?;
    let etag = ETag::of(&body);
    let fresh = || HttpResponse::Ok().insert_header(&etag).content_type("application/json").body(body);
    Ok(not_modified(&req, &etag).unwrap_or_else(fresh))
}

/// The bytes of a picture. They never change under the same id.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_image", params(("image" = ImageId, Path)),
    responses((status = 200, description = "The picture", body = Vec<u8>, content_type = "image/*"), (status = 304))
)]
#[get("/store/v1/images/{image}")]
async fn image(
    permit: Permit<permissions::Browse>,
    image: Path<ImageId>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = *image;
    let find = async move |tx: &mut ReadTx<'_>| Ok::<_, CatalogError>(queries::blob(tx, id).await?);
    let blob = permit.read("shop.image", find).await?.ok_or(CatalogError::Unknown)?;
    Ok(sent(&req, blob))
}

fn sent(req: &HttpRequest, blob: queries::Blob) -> HttpResponse {
    let etag = ETag::of(&blob.bytes);
    let fresh = || {
        HttpResponse::Ok()
            .insert_header(&etag)
            .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .content_type(blob.content_type)
            .body(blob.bytes)
    };
    not_modified(req, &etag).unwrap_or_else(fresh)
}
