//! Files of products over HTTP.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use souk_access::Permit;
use souk_api::{CursorKey, OptionalIdempotencyKey, Page, Paging, PagingOnly, Path, Problem, Query};
use souk_kernel::ImportId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::ImportError;
use super::model::{EntryView, ExportWish, Format, ImportView, Upload};
use super::{actions, queries};
use crate::catalog::permissions::{Edit, View};
use crate::storefront::PublicAddress;

/// `/admin/v1/imports`, `/admin/v1/exports/products`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(create).service(list).service(show).service(entries).service(cancel).service(export);
}

/// Import products
///
/// The file is the body: a table with Shopify's columns for products (CSV in UTF-8), or a body of `POST /admin/v1/products` on each line
/// (JSONL); the Content-Type says which, or `format`. At most 100 MiB and 100,000 rows. A product that is there already is changed, any
/// other is made; what the file does not say stays. Where products are sold changes only for those who may edit sales channels. The work goes on by itself: ask for the import to see how far it is. With an Idempotency-Key, the same file is imported once.
#[utoipa::path(
    tag = "Imports", operation_id = "createImport", params(Upload, ("Idempotency-Key" = Option<String>, Header)),
    request_body(content = String, content_type = "text/csv", example = "Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty\nlinen-apron,Linen apron,APRON-1,39.00,12\n"),
    responses(
        (status = 202, description = "It waits for a worker", body = ImportView, headers(("Location" = String))),
        (status = 409, description = "Five imports are not finished yet", body = Problem),
        (status = 413, description = "More than 100 MiB", body = Problem),
        (status = 422, description = "The file as a whole is refused, with `row` and `field`, or nothing says what it is", body = Problem)
    )
)]
#[post("/admin/v1/imports")]
async fn create(
    permit: Permit<Edit>,
    upload: Query<Upload>,
    key: OptionalIdempotencyKey,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    actions::receive(&permit, upload.0, kind, key.0.as_ref(), payload).await
}

/// List imports
///
/// Newest first, for 30 days after their end.
#[utoipa::path(tag = "Imports", operation_id = "listImports", params(Paging), responses((status = 200, body = Page<ImportView>)))]
#[get("/admin/v1/imports")]
async fn list(
    permit: Permit<View>,
    paging: PagingOnly,
    key: web::Data<CursorKey>,
) -> Result<Page<ImportView>, Problem> {
    let scope = format!("imports:{}", permit.store());
    let (before, limit) = (paging.position::<ImportId>(&key, &scope)?, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| Ok::<_, ImportError>(queries::page(tx, before, limit).await?);
    Page::cut(permit.read("imports.list", load).await?, &paging, &key, &scope, |row| row.id)
}

/// Get an import
///
/// How far it is, and what it came to.
#[utoipa::path(tag = "Imports", operation_id = "getImport", params(("import" = ImportId, Path)), responses(
    (status = 200, body = ImportView), (status = 404, body = Problem)))]
#[get("/admin/v1/imports/{import}")]
async fn show(permit: Permit<View>, import: Path<ImportId>) -> Result<HttpResponse, Problem> {
    let find = async move |tx: &mut ReadTx<'_>| queries::find(tx, *import).await?.ok_or(ImportError::Unknown);
    Ok(HttpResponse::Ok().json(permit.read("imports.show", find).await?))
}

/// List what is wrong with an import's rows
///
/// In the order of the file; the first 1,000 entries are kept.
#[utoipa::path(tag = "Imports", operation_id = "listImportErrors", params(("import" = ImportId, Path), Paging), responses(
    (status = 200, body = Page<EntryView>), (status = 404, body = Problem)))]
#[get("/admin/v1/imports/{import}/errors")]
async fn entries(
    permit: Permit<View>,
    import: Path<ImportId>,
    paging: PagingOnly,
    key: web::Data<CursorKey>,
) -> Result<Page<EntryView>, Problem> {
    let scope = format!("import errors:{}:{}", permit.store(), *import);
    let (after, limit) = (paging.position::<i64>(&key, &scope)?, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| {
        queries::find(tx, *import).await?.ok_or(ImportError::Unknown)?;
        Ok::<_, ImportError>(queries::entries(tx, *import, after, limit).await?)
    };
    Page::cut(permit.read("imports.errors", load).await?, &paging, &key, &scope, |row| row.number)
}

/// Stop an import
///
/// What was applied stays. An import that is over is refused (409), but for one that was stopped.
#[utoipa::path(tag = "Imports", operation_id = "cancelImport", params(("import" = ImportId, Path)), responses(
    (status = 200, body = ImportView), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[post("/admin/v1/imports/{import}/cancel")]
async fn cancel(permit: Permit<Edit>, import: Path<ImportId>) -> Result<HttpResponse, Problem> {
    let stop = async move |tx: &mut WriteTx<'_>| actions::cancel(tx, *import).await;
    Ok(HttpResponse::Ok().json(permit.write("imports.cancel", stop).await?))
}

/// Export all products
///
/// Oldest first, those that have bundles after what these are made of, in the form that an import reads: imported again, it changes nothing.
/// With metafields and with every sales channel. Cells that a spreadsheet would calculate are written
/// with an apostrophe in front.
#[utoipa::path(tag = "Imports", operation_id = "exportProducts", params(ExportWish), responses(
    (status = 200, content((String = "text/csv"), (String = "application/x-ndjson")))))]
#[get("/admin/v1/exports/products")]
async fn export(
    permit: Permit<View>,
    wish: Query<ExportWish>,
    address: web::Data<PublicAddress>,
) -> Result<HttpResponse, Problem> {
    let (kind, name) = match wish.format {
        Format::Csv => ("text/csv; charset=utf-8", "products.csv"),
        Format::Jsonl => ("application/x-ndjson", "products.jsonl"),
    };
    let begins = address.of(permit.entry());
    let body = actions::written(permit, wish.format, begins).await?;
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .streaming(Box::pin(body)))
}
