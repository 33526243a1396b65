//! Variants and prices, for those who run the store.

use actix_web::{HttpResponse, delete, patch, post, put};
use souk_access::{Permit, Reply};
use souk_api::{DryRun, ETag, IfMatch, Json, OptionalIdempotencyKey, Path, Previewed, Problem, Query};
use souk_kernel::{ProductId, VariantId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::keyed;
use super::prices::shown as previewed;
use super::products::shown;
use crate::catalog::model::{
    EditVariant, NewVariant, PriceChange, ProductView, SetComponents, SetPrice, VariantView,
};
use crate::catalog::{actions, permissions};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(add).service(edit).service(remove).service(price).service(set_components);
}

/// One more variant. A value its options do not have yet becomes their last.
#[utoipa::path(
    tag = "Products", operation_id = "create_variant", request_body = NewVariant,
    params(("product" = ProductId, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, description = "The product with it", body = ProductView),
        (status = 409, description = "The SKU is taken, or the combination is there", body = Problem)
    )
)]
#[post("/admin/v1/products/{product}/variants")]
async fn add(
    permit: Permit<permissions::Edit>,
    product: Path<ProductId>,
    key: OptionalIdempotencyKey,
    body: Json<NewVariant>,
) -> Result<HttpResponse, Problem> {
    let (digest, actor, wish, product) = (body.digest(), permit.actor().to_string(), &body.0, *product);
    let actor = actor.as_str();
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::add_variant(tx, product, wish, actor).await?;
        Ok(Reply::created(&view).etag(&ETag::new(view.version)))
    };
    keyed(&permit, "catalog.add_variant", key, digest, work).await
}

/// Change a variant's own fields. If-Match is its `version` in quotes, if given.
#[utoipa::path(
    tag = "Products", operation_id = "edit_variant", request_body = EditVariant,
    params(("product" = ProductId, Path), ("variant" = VariantId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "The product with it", body = ProductView))
)]
#[patch("/admin/v1/products/{product}/variants/{variant}")]
async fn edit(
    permit: Permit<permissions::Edit>,
    path: Path<(ProductId, VariantId)>,
    seen: IfMatch,
    body: Json<EditVariant>,
) -> Result<HttpResponse, Problem> {
    let ((product, variant), wish) = (*path, &body.0);
    let work =
        async move |tx: &mut WriteTx<'_>| actions::edit_variant(tx, product, variant, seen, wish).await;
    Ok(shown(&permit.write("catalog.edit_variant", work).await?))
}

/// Delete a variant; the last one stays.
#[utoipa::path(
    tag = "Products", operation_id = "delete_variant",
    params(("product" = ProductId, Path), ("variant" = VariantId, Path)),
    responses((status = 204, description = "Gone"), (status = 409, description = "It is the last", body = Problem))
)]
#[delete("/admin/v1/products/{product}/variants/{variant}")]
async fn remove(
    permit: Permit<permissions::Edit>,
    path: Path<(ProductId, VariantId)>,
) -> Result<HttpResponse, Problem> {
    let (product, variant) = *path;
    let work = async move |tx: &mut WriteTx<'_>| actions::remove_variant(tx, product, variant).await;
    permit.write("catalog.remove_variant", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What a variant costs from now on. If-Match is its `version` in quotes. With `dry_run=true` answers with what would change, and a token.
#[utoipa::path(
    tag = "Products", operation_id = "set_price", request_body = SetPrice,
    params(DryRun, ("variant" = VariantId, Path), ("If-Match" = String, Header)),
    responses(
        (status = 200, description = "The variant, or what would change", body = Previewed<VariantView, PriceChange>),
        (status = 409, description = "The preview is stale", body = Problem),
        (status = 412, description = "It changed since you read it", body = Problem),
        (status = 422, description = "Not the store's currency, or out of range", body = Problem)
    )
)]
#[put("/admin/v1/variants/{variant}/price")]
async fn price(
    permit: Permit<permissions::Edit>,
    variant: Path<VariantId>,
    seen: IfMatch,
    dry: Query<DryRun>,
    body: Json<SetPrice>,
) -> Result<HttpResponse, Problem> {
    let (seen, wish, variant, dry) = (seen.required()?, &body.0, *variant, &dry.0);
    if dry.only() {
        let look = async move |tx: &mut ReadTx<'_>| {
            actions::prices::preview_set_price(tx, variant, seen, wish).await
        };
        return Ok(previewed::<VariantView>(permit.read("catalog.preview_set_price", look).await?));
    }
    let work =
        async move |tx: &mut WriteTx<'_>| actions::prices::set_price(tx, variant, seen, wish, dry).await;
    let view = permit.write("catalog.set_price", work).await?;
    Ok(HttpResponse::Ok()
        .insert_header(ETag::new(view.version))
        .json(Previewed::<VariantView, PriceChange>::Done(view)))
}

/// What a variant is made of from now on: so many pieces of other variants. It has a price of its own, and is there while all of them are;
/// selling one takes its components from the stock, and giving one back puts them back. None: it is sold from its own stock again.
#[utoipa::path(
    tag = "Products", operation_id = "set_components", request_body = SetComponents,
    params(("variant" = VariantId, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "The variant", body = VariantView), (status = 404, body = Problem),
        (status = 412, description = "It changed since you read it", body = Problem),
        (status = 422, description = "A bundle of bundles, itself, or no variant of this store", body = Problem)
    )
)]
#[put("/admin/v1/variants/{variant}/components")]
async fn set_components(
    permit: Permit<permissions::Edit>,
    variant: Path<VariantId>,
    seen: IfMatch,
    body: Json<SetComponents>,
) -> Result<HttpResponse, Problem> {
    let (wish, variant) = (&body.0, *variant);
    let work =
        async move |tx: &mut WriteTx<'_>| actions::bundles::set_components(tx, variant, seen, wish).await;
    let view = permit.write("catalog.set_components", work).await?;
    Ok(HttpResponse::Ok().insert_header(ETag::new(view.version)).json(view))
}
