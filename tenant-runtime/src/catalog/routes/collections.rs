//! Collections, for those who run the store.

use actix_web::{HttpResponse, delete, get, patch, post, put, web};
use souk_access::{Permit, Reply};
use souk_api::{CursorKey, ETag, IfMatch, Json, OptionalIdempotencyKey, Page, Paging, Path, Problem, Query};
use souk_kernel::{CollectionId, ProductId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::keyed;
use crate::catalog::actions::collections as actions;
use crate::catalog::error::CatalogError;
use crate::catalog::model::{
    ArrangeCollection, CollectionFilter, CollectionView, CreateCollection, EditCollection,
};
use crate::catalog::permissions;
use crate::catalog::queries::collections::{self as queries, Wanted};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(edit).service(remove);
    config.service(arrange).service(put_in).service(take_out);
}

/// The collections, latest first.
#[utoipa::path(
    tag = "Collections", operation_id = "list_collections", params(CollectionFilter, Paging),
    responses((status = 200, description = "One page", body = Page<CollectionView>))
)]
#[get("/admin/v1/collections")]
async fn list(
    permit: Permit<permissions::ViewCollections>,
    filter: Query<CollectionFilter>,
    paging: Paging,
    key: web::Data<CursorKey>,
) -> Result<Page<CollectionView>, Problem> {
    let scope = format!("collections:{}:{:?}", permit.store(), filter.0);
    let before = paging.position::<CollectionId>(&key, &scope)?;
    let wanted = Wanted { published: filter.published, before, ..Wanted::default() };
    let limit = paging.fetch();
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, CatalogError>(queries::collections(tx, wanted, limit).await?)
    };
    Page::cut(permit.read("catalog.collections", load).await?, &paging, &key, &scope, |collection| {
        collection.id
    })
}

/// A collection: empty so far, or with the products that its rules say.
#[utoipa::path(
    tag = "Collections", operation_id = "create_collection", request_body = CreateCollection,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, description = "Made", body = CollectionView),
        (status = 409, description = "The handle is taken", body = Problem),
        (status = 422, description = "A rule that cannot be", body = Problem)
    )
)]
#[post("/admin/v1/collections")]
async fn create(
    permit: Permit<permissions::EditCollections>,
    key: OptionalIdempotencyKey,
    body: Json<CreateCollection>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish) = (body.digest(), &body.0);
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::create_collection(tx, wish).await?;
        let place = format!("/admin/v1/collections/{}", view.id);
        Ok(Reply::created(&view).location(&place).etag(&ETag::new(view.version)))
    };
    keyed(&permit, "catalog.create_collection", key, digest, work).await
}

fn shown(collection: &CollectionView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(collection.version)).json(collection)
}

/// One collection. Its products: `GET /admin/v1/products?collection=`.
#[utoipa::path(
    tag = "Collections", operation_id = "show_collection", params(("collection" = CollectionId, Path)),
    responses((status = 200, description = "It", body = CollectionView))
)]
#[get("/admin/v1/collections/{collection}")]
async fn show(
    permit: Permit<permissions::ViewCollections>,
    id: Path<CollectionId>,
) -> Result<HttpResponse, Problem> {
    let id = *id;
    let find = async move |tx: &mut ReadTx<'_>| actions::collection(tx, id).await;
    Ok(shown(&permit.read("catalog.collection", find).await?))
}

/// Change a collection's own fields. It still answers under the handle it had; with other rules it has other products at once.
#[utoipa::path(
    tag = "Collections", operation_id = "edit_collection", request_body = EditCollection,
    params(("collection" = CollectionId, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Changed", body = CollectionView),
        (status = 409, description = "The handle is taken, or people pick what is in it", body = Problem),
        (status = 412, description = "It changed since you read it", body = Problem),
        (status = 422, description = "A rule that cannot be", body = Problem)
    )
)]
#[patch("/admin/v1/collections/{collection}")]
async fn edit(
    permit: Permit<permissions::EditCollections>,
    id: Path<CollectionId>,
    seen: IfMatch,
    body: Json<EditCollection>,
) -> Result<HttpResponse, Problem> {
    let (id, wish) = (*id, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::edit_collection(tx, id, seen, wish).await;
    Ok(shown(&permit.write("catalog.edit_collection", work).await?))
}

/// Delete a collection; its products stay.
#[utoipa::path(
    tag = "Collections", operation_id = "delete_collection", params(("collection" = CollectionId, Path)),
    responses((status = 204, description = "Gone"))
)]
#[delete("/admin/v1/collections/{collection}")]
async fn remove(
    permit: Permit<permissions::EditCollections>,
    id: Path<CollectionId>,
) -> Result<HttpResponse, Problem> {
    let id = *id;
    let work = async move |tx: &mut WriteTx<'_>| actions::remove_collection(tx, id).await;
    permit.write("catalog.remove_collection", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Say which products a collection has, all of them, in their order.
#[utoipa::path(
    tag = "Collections", operation_id = "arrange_collection", request_body = ArrangeCollection,
    params(("collection" = CollectionId, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Arranged", body = CollectionView),
        (status = 409, description = "Its rules say what is in it", body = Problem),
        (status = 412, description = "It changed since you read it", body = Problem),
        (status = 422, description = "Not a product of this store, or one named twice", body = Problem)
    )
)]
#[put("/admin/v1/collections/{collection}/products")]
async fn arrange(
    permit: Permit<permissions::EditCollections>,
    id: Path<CollectionId>,
    seen: IfMatch,
    body: Json<ArrangeCollection>,
) -> Result<HttpResponse, Problem> {
    let (id, products) = (*id, &body.0.products);
    let work = async move |tx: &mut WriteTx<'_>| actions::arrange(tx, id, seen, products).await;
    Ok(shown(&permit.write("catalog.arrange_collection", work).await?))
}

/// Put a product into a collection, at the end. There already is fine.
#[utoipa::path(
    tag = "Collections", operation_id = "add_to_collection",
    params(("collection" = CollectionId, Path), ("product" = ProductId, Path)),
    responses((status = 204, description = "It is in"), (status = 409, description = "Its rules say what is in it", body = Problem))
)]
#[put("/admin/v1/collections/{collection}/products/{product}")]
async fn put_in(
    permit: Permit<permissions::EditCollections>,
    path: Path<(CollectionId, ProductId)>,
) -> Result<HttpResponse, Problem> {
    let (id, product) = *path;
    let work = async move |tx: &mut WriteTx<'_>| actions::collect(tx, id, product).await;
    permit.write("catalog.collect", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take a product out of a collection. Not in it is fine.
#[utoipa::path(
    tag = "Collections", operation_id = "remove_from_collection",
    params(("collection" = CollectionId, Path), ("product" = ProductId, Path)),
    responses((status = 204, description = "It is out"), (status = 409, description = "Its rules say what is in it", body = Problem))
)]
#[delete("/admin/v1/collections/{collection}/products/{product}")]
async fn take_out(
    permit: Permit<permissions::EditCollections>,
    path: Path<(CollectionId, ProductId)>,
) -> Result<HttpResponse, Problem> {
    let (id, product) = *path;
    let work = async move |tx: &mut WriteTx<'_>| actions::uncollect(tx, id, product).await;
    permit.write("catalog.uncollect", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
