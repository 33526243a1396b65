//! The days on which a store works, over HTTP.

use actix_web::{HttpResponse, get, put};
use souk_access::Permit;
use souk_api::{IfMatch, Json, Problem};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::shipping::actions;
use crate::shipping::error::ShippingError;
use crate::shipping::model::{PutShippingSettings, ShippingSettings, ShippingSettingsView};
use crate::shipping::permissions::{Edit, View};
use crate::shipping::queries::settings as queries;

/// `/admin/v1/shipping-settings`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show).service(replace);
}

fn answer(settings: ShippingSettings) -> HttpResponse {
    let etag = settings.etag();
    HttpResponse::Ok().insert_header(&etag).json(ShippingSettingsView::from(settings))
}

/// On which days the store hands over and delivers
#[utoipa::path(tag = "Shipping", operation_id = "getShippingSettings", responses(
    (status = 200, body = ShippingSettingsView, headers(("ETag" = String))), (status = 403, body = Problem)))]
#[get("/admin/v1/shipping-settings")]
async fn show(permit: Permit<View>) -> Result<HttpResponse, Problem> {
    let work = async |tx: &mut ReadTx<'_>| Ok::<_, ShippingError>(queries::settings(tx).await?);
    Ok(answer(permit.read("shipping_settings.show", work).await?))
}

/// Say on which days the store hands over and delivers
///
/// In its own time zone. Rates with `processing_days` count by them; what orders were told stays.
#[utoipa::path(tag = "Shipping", operation_id = "putShippingSettings", params(("If-Match" = String, Header)),
    request_body = PutShippingSettings, responses((status = 200, body = ShippingSettingsView, headers(("ETag" = String))),
    (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
#[put("/admin/v1/shipping-settings")]
async fn replace(
    permit: Permit<Edit>,
    seen: IfMatch,
    body: Json<PutShippingSettings>,
) -> Result<HttpResponse, Problem> {
    let (seen, wish) = (seen.required()?, body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::put_settings(tx, &seen, wish).await;
    Ok(answer(permit.write("shipping_settings.put", work).await?))
}
