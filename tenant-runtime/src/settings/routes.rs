//! Settings over HTTP.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, patch};
use souk_access::Permit;
use souk_api::{ETag, IfMatch, Json, Problem, not_modified};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::SettingsError;
use super::model::{EditSettings, IndexView, Settings, SettingsView, StoreView};
use super::{actions, permissions, queries};

/// `/`, `/admin/v1/settings`, `/store/v1/store`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(index).service(show_settings).service(edit_settings).service(show_store);
}

/// Where things are
///
/// The first address of a store: what it is called and where to go from here. Costs no statement.
#[utoipa::path(tag = "Shopping", operation_id = "getIndex", security(()), responses(
    (status = 200, body = IndexView, headers(("Link" = String))), (status = 404, body = Problem)))]
#[get("/")]
async fn index(permit: Permit<permissions::ViewStore>) -> HttpResponse {
    let links = "</openapi.json>; rel=\"service-desc\"; type=\"application/json\", </docs>; rel=\"service-doc\"; type=\"text/html\"";
    HttpResponse::Ok()
        .insert_header((header::LINK, links))
        .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
        .json(IndexView::of(permit.entry()))
}

async fn read<P: souk_access::Permission>(permit: &Permit<P>) -> Result<Settings, SettingsError> {
    permit.read("settings.show", async |tx: &mut ReadTx<'_>| queries::current(tx).await).await
}

fn answer(etag: &ETag, body: impl serde::Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(etag).json(body)
}

/// How the store counts
#[utoipa::path(tag = "Settings", operation_id = "getSettings", responses(
    (status = 200, body = SettingsView, headers(("ETag" = String))), (status = 304, description = "Not modified"),
    (status = 403, body = Problem)))]
#[get("/admin/v1/settings")]
async fn show_settings(
    permit: Permit<permissions::View>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let settings = read(&permit).await?;
    let etag = settings.etag();
    Ok(not_modified(&request, &etag).unwrap_or_else(|| answer(&etag, SettingsView::from(settings))))
}

/// Change how the store counts
///
/// Orders that were placed keep what they were counted with.
#[utoipa::path(tag = "Settings", operation_id = "editSettings", params(("If-Match" = String, Header)),
    request_body = EditSettings, responses((status = 200, body = SettingsView, headers(("ETag" = String))),
    (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
#[patch("/admin/v1/settings")]
async fn edit_settings(
    permit: Permit<permissions::Edit>,
    seen: IfMatch,
    body: Json<EditSettings>,
) -> Result<HttpResponse, Problem> {
    let (seen, wish) = (seen.required()?, body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::edit(tx, &seen, &wish).await;
    let settings = permit.write("settings.edit", work).await?;
    let etag = settings.etag();
    Ok(answer(&etag, SettingsView::from(settings)))
}

/// The store's public facts
#[utoipa::path(tag = "Shopping", operation_id = "getStore", security(()), responses(
    (status = 200, body = StoreView, headers(("ETag" = String))), (status = 304, description = "Not modified")))]
#[get("/store/v1/store")]
async fn show_store(
    permit: Permit<permissions::ViewStore>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let settings = read(&permit).await?;
    let etag = settings.etag();
    Ok(not_modified(&request, &etag).unwrap_or_else(|| answer(&etag, StoreView::from(settings))))
}
