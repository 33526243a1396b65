//! The tree of categories, for those who run the store.

use actix_web::{HttpResponse, delete, get, patch, post};
use souk_access::{Permit, Reply};
use souk_api::{ETag, IfMatch, Json, OptionalIdempotencyKey, Page, Path, Problem};
use souk_kernel::CategoryId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::keyed;
use crate::catalog::actions::categories as actions;
use crate::catalog::model::{CategoryView, CreateCategory, EditCategory, Viewer};
use crate::catalog::permissions;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(edit).service(remove);
}

/// All categories: parents before their children, siblings in their order.
#[utoipa::path(
    tag = "Categories", operation_id = "list_categories",
    responses((status = 200, description = "The whole tree", body = Page<CategoryView>))
)]
#[get("/admin/v1/categories")]
async fn list(permit: Permit<permissions::ViewCollections>) -> Result<Page<CategoryView>, Problem> {
    let load = async move |tx: &mut ReadTx<'_>| actions::tree(tx, Viewer::Staff).await;
    Ok(Page::whole(permit.read("catalog.categories", load).await?))
}

/// A category. There are at most 2,000, on at most 8 levels.
#[utoipa::path(
    tag = "Categories", operation_id = "create_category", request_body = CreateCategory,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, description = "Made", body = CategoryView),
        (status = 409, description = "The handle is taken", body = Problem),
        (status = 422, description = "No such parent, or too many levels", body = Problem)
    )
)]
#[post("/admin/v1/categories")]
async fn create(
    permit: Permit<permissions::EditCollections>,
    key: OptionalIdempotencyKey,
    body: Json<CreateCategory>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish) = (body.digest(), &body.0);
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::create_category(tx, wish).await?;
        let place = format!("/admin/v1/categories/{}", view.id);
        Ok(Reply::created(&view).location(&place).etag(&ETag::new(view.version)))
    };
    keyed(&permit, "catalog.create_category", key, digest, work).await
}

fn shown(category: &CategoryView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(category.version)).json(category)
}

/// One category. Its products: `GET /admin/v1/products?category=`.
#[utoipa::path(
    tag = "Categories", operation_id = "show_category", params(("category" = CategoryId, Path)),
    responses((status = 200, description = "It", body = CategoryView), (status = 404, body = Problem))
)]
#[get("/admin/v1/categories/{category}")]
async fn show(
    permit: Permit<permissions::ViewCollections>,
    id: Path<CategoryId>,
) -> Result<HttpResponse, Problem> {
    let id = id.to_string();
    let find = async move |tx: &mut ReadTx<'_>| actions::category(tx, &id, Viewer::Staff).await;
    Ok(shown(&permit.read("catalog.category", find).await?))
}

/// Change a category's own fields, or move it. Everything below it comes along.
#[utoipa::path(
    tag = "Categories", operation_id = "edit_category", request_body = EditCategory,
    params(("category" = CategoryId, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Changed", body = CategoryView), (status = 404, body = Problem),
        (status = 409, description = "The handle is taken", body = Problem),
        (status = 412, description = "It changed since you read it", body = Problem),
        (status = 422, description = "No such parent, a circle, or too many levels", body = Problem)
    )
)]
#[patch("/admin/v1/categories/{category}")]
async fn edit(
    permit: Permit<permissions::EditCollections>,
    id: Path<CategoryId>,
    seen: IfMatch,
    body: Json<EditCategory>,
) -> Result<HttpResponse, Problem> {
    let (id, wish) = (*id, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::edit_category(tx, id, seen, wish).await;
    Ok(shown(&permit.write("catalog.edit_category", work).await?))
}

/// Delete a category that has none below it. Its products go to its parent; those of one at the top belong nowhere.
#[utoipa::path(
    tag = "Categories", operation_id = "delete_category", params(("category" = CategoryId, Path)),
    responses(
        (status = 204, description = "Gone"), (status = 404, body = Problem),
        (status = 409, description = "There are categories below it", body = Problem)
    )
)]
#[delete("/admin/v1/categories/{category}")]
async fn remove(
    permit: Permit<permissions::EditCollections>,
    id: Path<CategoryId>,
) -> Result<HttpResponse, Problem> {
    let id = *id;
    let work = async move |tx: &mut WriteTx<'_>| actions::remove_category(tx, id).await;
    permit.write("catalog.remove_category", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
