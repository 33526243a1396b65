//! Where the store's pages live, over HTTP.

use actix_web::{HttpResponse, get, put};
use souk_access::Permit;
use souk_api::{ETag, IfMatch, Json, Problem};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::StorefrontError;
use super::model::{PutStorefront, Storefront, StorefrontView};
use super::{actions, queries};
use crate::audit::{By, Cause};
use crate::settings::permissions::{Edit, View};

/// `/admin/v1/storefront`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show).service(replace);
}

fn shown(row: Storefront) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(row.version)).json(StorefrontView::from(row))
}

/// Where the store's pages live
#[utoipa::path(tag = "Settings", operation_id = "getStorefront", responses(
    (status = 200, body = StorefrontView), (status = 401, body = Problem), (status = 403, body = Problem)))]
#[get("/admin/v1/storefront")]
async fn show(permit: Permit<View>) -> Result<HttpResponse, Problem> {
    let work = async |tx: &mut ReadTx<'_>| Ok::<_, StorefrontError>(queries::current(tx).await?);
    Ok(shown(permit.read("storefront.show", work).await?))
}

/// Say where the store's pages live
///
/// Mails to customers link to `account_url`; browsers let pages of `allowed_origins` call the store. In force within seconds.
#[utoipa::path(tag = "Settings", operation_id = "putStorefront", params(("If-Match" = String, Header)),
    request_body = PutStorefront, responses((status = 200, body = StorefrontView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
#[put("/admin/v1/storefront")]
async fn replace(
    permit: Permit<Edit>,
    seen: IfMatch,
    cause: Cause,
    body: Json<PutStorefront>,
) -> Result<HttpResponse, Problem> {
    let (seen, by, wish) = (seen.required()?, By::of(permit.actor(), cause), body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::put(tx, &by, &seen, &wish).await;
    Ok(shown(permit.write("storefront.put", work).await?))
}
