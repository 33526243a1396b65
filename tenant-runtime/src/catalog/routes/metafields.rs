//! Metafields, for those who run the store.

use actix_web::{HttpResponse, delete, get, patch, post, put};
use souk_access::{Permit, Reply};
use souk_api::{ETag, IfMatch, Json, OptionalIdempotencyKey, Page, Path, Problem, Query};
use souk_kernel::{CollectionId, MetafieldDefinitionId, ProductId, VariantId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::keyed;
use crate::catalog::actions::metafields as actions;
use crate::catalog::error::CatalogError;
use crate::catalog::model::{
    CollectionView, CreateDefinition, DefinitionFilter, DefinitionView, EditDefinition, ProductView,
    SetMetafields, VariantView,
};
use crate::catalog::permissions;
use crate::catalog::queries::metafields as queries;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(edit).service(remove);
    config.service(of_product).service(of_variant).service(of_collection);
}

/// What may be said of products, variants and collections beyond what everybody says.
#[utoipa::path(
    tag = "Metafields", operation_id = "list_metafield_definitions", params(DefinitionFilter),
    responses((status = 200, description = "All of them", body = Page<DefinitionView>))
)]
#[get("/admin/v1/metafield-definitions")]
async fn list(
    permit: Permit<permissions::View>,
    filter: Query<DefinitionFilter>,
) -> Result<Page<DefinitionView>, Problem> {
    let owner = filter.owner;
    let load =
        async move |tx: &mut ReadTx<'_>| Ok::<_, CatalogError>(queries::definitions(tx, owner, None).await?);
    Ok(Page::whole(permit.read("catalog.metafield_definitions", load).await?))
}

/// Say what may be said: a definition. There are at most 250 of one owner.
#[utoipa::path(
    tag = "Metafields", operation_id = "create_metafield_definition", request_body = CreateDefinition,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, description = "Made", body = DefinitionView),
        (status = 409, description = "There is one of this key", body = Problem),
        (status = 422, description = "Limits that do not go with the kind", body = Problem)
    )
)]
#[post("/admin/v1/metafield-definitions")]
async fn create(
    permit: Permit<permissions::Edit>,
    key: OptionalIdempotencyKey,
    body: Json<CreateDefinition>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish) = (body.digest(), &body.0);
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::create_definition(tx, wish).await?;
        let place = format!("/admin/v1/metafield-definitions/{}", view.id);
        Ok(Reply::created(&view).location(&place).etag(&ETag::new(view.version)))
    };
    keyed(&permit, "catalog.create_metafield_definition", key, digest, work).await
}

fn shown(definition: &DefinitionView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(definition.version)).json(definition)
}

/// One definition.
#[utoipa::path(
    tag = "Metafields", operation_id = "show_metafield_definition", params(("definition" = MetafieldDefinitionId, Path)),
    responses((status = 200, description = "It", body = DefinitionView), (status = 404, body = Problem))
)]
#[get("/admin/v1/metafield-definitions/{definition}")]
async fn show(
    permit: Permit<permissions::View>,
    id: Path<MetafieldDefinitionId>,
) -> Result<HttpResponse, Problem> {
    let id = *id;
    let find = async move |tx: &mut ReadTx<'_>| actions::definition(tx, id).await;
    Ok(shown(&permit.read("catalog.metafield_definition", find).await?))
}

/// Change a definition's name, limits, or whether shoppers see it. Owner, key and kind stay, and so do values that there are.
#[utoipa::path(
    tag = "Metafields", operation_id = "edit_metafield_definition", request_body = EditDefinition,
    params(("definition" = MetafieldDefinitionId, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Changed", body = DefinitionView), (status = 404, body = Problem),
        (status = 412, description = "It changed since you read it", body = Problem)
    )
)]
#[patch("/admin/v1/metafield-definitions/{definition}")]
async fn edit(
    permit: Permit<permissions::Edit>,
    id: Path<MetafieldDefinitionId>,
    seen: IfMatch,
    body: Json<EditDefinition>,
) -> Result<HttpResponse, Problem> {
    let (id, wish) = (*id, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::edit_definition(tx, id, seen, wish).await;
    Ok(shown(&permit.write("catalog.edit_metafield_definition", work).await?))
}

/// Delete a definition and all values of it.
#[utoipa::path(
    tag = "Metafields", operation_id = "delete_metafield_definition", params(("definition" = MetafieldDefinitionId, Path)),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem))
)]
#[delete("/admin/v1/metafield-definitions/{definition}")]
async fn remove(
    permit: Permit<permissions::Edit>,
    id: Path<MetafieldDefinitionId>,
) -> Result<HttpResponse, Problem> {
    let id = *id;
    let work = async move |tx: &mut WriteTx<'_>| actions::remove_definition(tx, id).await;
    permit.write("catalog.remove_metafield_definition", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Say more of a product. What is not named stays; null takes away.
#[utoipa::path(
    tag = "Metafields", operation_id = "set_product_metafields", request_body = SetMetafields,
    params(("product" = ProductId, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "The product", body = ProductView), (status = 404, body = Problem),
        (status = 412, description = "It changed since you read it", body = Problem),
        (status = 422, description = "Not defined, or not as the definition says", body = Problem)
    )
)]
#[put("/admin/v1/products/{product}/metafields")]
async fn of_product(
    permit: Permit<permissions::Edit>,
    product: Path<ProductId>,
    seen: IfMatch,
    body: Json<SetMetafields>,
) -> Result<HttpResponse, Problem> {
    let (product, wish) = (*product, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::set_of_product(tx, product, Some(seen), wish).await;
    Ok(super::products::shown(&permit.write("catalog.set_product_metafields", work).await?))
}

/// Say more of a variant. What is not named stays; null takes away.
#[utoipa::path(
    tag = "Metafields", operation_id = "set_variant_metafields", request_body = SetMetafields,
    params(("variant" = VariantId, Path)),
    responses(
        (status = 200, description = "The variant", body = VariantView), (status = 404, body = Problem),
        (status = 422, description = "Not defined, or not as the definition says", body = Problem)
    )
)]
#[put("/admin/v1/variants/{variant}/metafields")]
async fn of_variant(
    permit: Permit<permissions::Edit>,
    variant: Path<VariantId>,
    body: Json<SetMetafields>,
) -> Result<HttpResponse, Problem> {
    let (variant, wish) = (*variant, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::set_of_variant(tx, variant, wish).await;
    Ok(HttpResponse::Ok().json(permit.write("catalog.set_variant_metafields", work).await?))
}

/// Say more of a collection. What is not named stays; null takes away.
#[utoipa::path(
    tag = "Metafields", operation_id = "set_collection_metafields", request_body = SetMetafields,
    params(("collection" = CollectionId, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "The collection", body = CollectionView), (status = 404, body = Problem),
        (status = 412, description = "It changed since you read it", body = Problem),
        (status = 422, description = "Not defined, or not as the definition says", body = Problem)
    )
)]
#[put("/admin/v1/collections/{collection}/metafields")]
async fn of_collection(
    permit: Permit<permissions::EditCollections>,
    collection: Path<CollectionId>,
    seen: IfMatch,
    body: Json<SetMetafields>,
) -> Result<HttpResponse, Problem> {
    let (collection, wish) = (*collection, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::set_of_collection(tx, collection, seen, wish).await;
    let view = permit.write("catalog.set_collection_metafields", work).await?;
    Ok(HttpResponse::Ok().insert_header(ETag::new(view.version)).json(view))
}
