//! Products, for those who run the store.

use actix_web::{HttpResponse, delete, get, patch, post, web};
use souk_access::{Permit, Reply};
use souk_api::{
    CursorKey, ETag, FieldError, IfMatch, Json, OptionalIdempotencyKey, Page, Paging, Path, Problem, Query,
};
use souk_kernel::ProductId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{cut, keyed};
use crate::catalog::error::CatalogError;
use crate::catalog::model::{
    BatchResult, BatchView, CreateBatch, CreateProduct, EditProduct, ProductFilter, ProductRef, ProductView,
    SummaryView, Viewer,
};
use crate::catalog::queries::Place;
use crate::catalog::{actions, permissions};

/// Most products of one batch.
const BATCH: usize = 250;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(batch).service(show).service(edit).service(remove);
}

/// The products, whatever their status.
#[utoipa::path(
    tag = "Products", operation_id = "list_products", params(ProductFilter, Paging),
    responses((status = 200, description = "One page", body = Page<SummaryView>))
)]
#[get("/admin/v1/products")]
async fn list(
    permit: Permit<permissions::View>,
    filter: Query<ProductFilter>,
    paging: Paging,
    key: web::Data<CursorKey>,
) -> Result<Page<SummaryView>, Problem> {
    let scope = format!("products:{}:{:?}", permit.store(), filter.0);
    let after = paging.position::<Place>(&key, &scope)?;
    let (wanted, limit) = (&filter.0, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| actions::list(tx, wanted, Viewer::Staff, after, limit).await;
    cut(permit.read("catalog.list", load).await?, filter.order(), &paging, &key, &scope)
}

/// A product with its options, variants, prices and first stock. With an Idempotency-Key, a repeat gives the same product.
#[utoipa::path(
    tag = "Products", operation_id = "create_product", request_body = CreateProduct,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, description = "Made", body = ProductView),
        (status = 409, description = "Handle or SKU is taken, or the plan allows no more products", body = Problem),
        (status = 422, description = "The request breaks a rule", body = Problem)
    )
)]
#[post("/admin/v1/products")]
async fn create(
    permit: Permit<permissions::Edit>,
    key: OptionalIdempotencyKey,
    body: Json<CreateProduct>,
) -> Result<HttpResponse, Problem> {
    let (digest, actor, wish) = (body.digest(), permit.actor().to_string(), &body.0);
    let (actor, limit) = (actor.as_str(), permit.entry().limits.products);
    let work = async move |tx: &mut WriteTx<'_>| Ok(made(&actions::create(tx, wish, actor, limit).await?));
    keyed(&permit, "catalog.create", key, digest, work).await
}

fn made(product: &ProductView) -> Reply {
    let place = format!("/admin/v1/products/{}", product.id);
    Reply::created(product).location(&place).etag(&ETag::new(product.version))
}

/// Many products at once, each in a transaction of its own: one that is refused does not hold up the others. Repeating a batch is
/// refused item by item where handles or SKUs are given.
#[utoipa::path(
    tag = "Products", operation_id = "create_products", request_body = CreateBatch,
    responses(
        (status = 200, description = "How each of them went", body = BatchView),
        (status = 422, description = "More than 250, or none", body = Problem)
    )
)]
#[post("/admin/v1/products:batch")]
async fn batch(
    permit: Permit<permissions::Edit>,
    body: Json<CreateBatch>,
) -> Result<Json<BatchView>, Problem> {
    let wishes = body.into_inner().products;
    if wishes.is_empty() || wishes.len() > BATCH {
        let error = FieldError::new("/products", "out_of_range", "must be 1 to 250 products");
        return Err(CatalogError::Invalid(vec![error]).into());
    }
    let mut results = Vec::with_capacity(wishes.len());
    for (index, wish) in wishes.into_iter().enumerate() {
        results.push(result(index, one(&permit, wish).await));
    }
    let created = results.iter().filter(|result| result.product.is_some()).count();
    Ok(Json::new(BatchView { refused: results.len() - created, created, results }))
}

async fn one(permit: &Permit<permissions::Edit>, wish: serde_json::Value) -> Result<ProductView, Problem> {
    let unread = |error: serde_json::Error| {
        CatalogError::Invalid(vec![FieldError::new("", "invalid", error.to_string())])
    };
    let wish: CreateProduct = serde_json::from_value(wish).map_err(unread)?;
    let (wish, actor) = (&wish, permit.actor().to_string());
    let (actor, limit) = (actor.as_str(), permit.entry().limits.products);
    let work = async move |tx: &mut WriteTx<'_>| actions::create(tx, wish, actor, limit).await;
    Ok(permit.write("catalog.batch", work).await?)
}

fn result(index: usize, outcome: Result<ProductView, Problem>) -> BatchResult {
    match outcome {
        Ok(product) => BatchResult { index, status: 201, product: Some(product), problem: None },
        Err(problem) => {
            let status = problem.status().as_u16();
            BatchResult { index, status, product: None, problem: Some(problem.document()) }
        }
    }
}

/// One product, by its id or a handle.
#[utoipa::path(
    tag = "Products", operation_id = "show_product", params(("product" = String, Path)),
    responses((status = 200, description = "It; the ETag is for If-Match", body = ProductView))
)]
#[get("/admin/v1/products/{product}")]
async fn show(permit: Permit<permissions::View>, product: Path<String>) -> Result<HttpResponse, Problem> {
    let wanted = &ProductRef::of(&product);
    let find = async move |tx: &mut ReadTx<'_>| actions::show(tx, wanted, true).await;
    Ok(shown(&permit.read("catalog.show", find).await?))
}

pub fn shown(product: &ProductView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(product.version)).json(product)
}

/// Change a product's own fields. It still answers under the handle it had.
#[utoipa::path(
    tag = "Products", operation_id = "edit_product", request_body = EditProduct,
    params(("product" = ProductId, Path), ("If-Match" = String, Header)),
    responses(
        (status = 200, description = "Changed", body = ProductView),
        (status = 409, description = "The handle is taken", body = Problem),
        (status = 412, description = "It changed since you read it", body = Problem)
    )
)]
#[patch("/admin/v1/products/{product}")]
async fn edit(
    permit: Permit<permissions::Edit>,
    product: Path<ProductId>,
    seen: IfMatch,
    body: Json<EditProduct>,
) -> Result<HttpResponse, Problem> {
    let (seen, wish, product) = (seen.required()?, &body.0, *product);
    let work = async move |tx: &mut WriteTx<'_>| actions::edit(tx, product, seen, wish).await;
    Ok(shown(&permit.write("catalog.edit", work).await?))
}

/// Delete a product. Orders keep their copy; carts lose their lines.
#[utoipa::path(
    tag = "Products", operation_id = "delete_product", params(("product" = ProductId, Path)),
    responses((status = 204, description = "Gone"))
)]
#[delete("/admin/v1/products/{product}")]
async fn remove(
    permit: Permit<permissions::Edit>,
    product: Path<ProductId>,
) -> Result<HttpResponse, Problem> {
    let product = *product;
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, product).await;
    permit.write("catalog.remove", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
