//! Many prices at once, for those who run the store.

use actix_web::{HttpResponse, post};
use souk_access::{Permit, Reply};
use souk_api::{DryRun, IdempotencyKey, Json, Preview, Previewed, Problem, Query};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::catalog::actions::prices as actions;
use crate::catalog::error::CatalogError;
use crate::catalog::model::{AdjustPrices, PriceChange, PricesAdjusted};
use crate::catalog::permissions::Edit;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(adjust);
}

/// Nothing was done.
pub fn shown<D: serde::Serialize>(preview: Preview<PriceChange>) -> HttpResponse {
    HttpResponse::Ok().json(Previewed::<D, PriceChange>::Preview(preview))
}

/// Change many base prices at once
///
/// Of a collection, of products, by tag, vendor or product type: by a percentage, by an amount or to one. All of them or none, at most 1000. Orders
/// keep theirs. With `dry_run=true` answers with what would change, and a token; sent as `preview`, it is done only if exactly that would change.
#[utoipa::path(
    tag = "Prices", operation_id = "adjustPrices", request_body = AdjustPrices,
    params(DryRun, ("Idempotency-Key" = String, Header)),
    responses(
        (status = 200, description = "Changed, or previewed", body = Previewed<PricesAdjusted, PriceChange>),
        (status = 409, description = "The preview is stale", body = Problem),
        (status = 422, description = "The request breaks a rule", body = Problem)
    )
)]
#[post("/admin/v1/prices:adjust")]
async fn adjust(
    permit: Permit<Edit>,
    key: IdempotencyKey,
    dry: Query<DryRun>,
    body: Json<AdjustPrices>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish, dry) = (body.digest(), &body.0, &dry.0);
    if dry.only() {
        let look = async move |tx: &mut ReadTx<'_>| actions::preview_adjust(tx, wish).await;
        return Ok(shown::<PricesAdjusted>(permit.read("prices.preview_adjust", look).await?));
    }
    let work = async move |tx: &mut WriteTx<'_>| {
        let done = Previewed::<PricesAdjusted, PriceChange>::Done(actions::adjust(tx, wish, dry).await?);
        Ok::<_, CatalogError>(Reply::ok(&done))
    };
    permit.write_once("prices.adjust", &key, digest, work).await
}
