//! Whom a store lets vouch for its people.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use souk_access::Permit;
use souk_api::{ETag, IfMatch, Json, Page, Path, Problem, not_modified};
use souk_tenancy::{ReadTx, StoreEntry, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit::{By, Cause};
use crate::identities::error::IdentityError;
use crate::identities::model::{
    EditIdentityProvider, Embassy, IdentityProviderView, NewIdentityProvider, ProviderRow,
};
use crate::identities::permissions::{Edit, View};
use crate::identities::{actions, queries};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(make).service(show).service(edit).service(remove);
}

fn view(
    embassy: &Embassy,
    store: &StoreEntry,
    row: ProviderRow,
) -> Result<IdentityProviderView, IdentityError> {
    let audience = row.audience();
    Ok(IdentityProviderView {
        callback_url: embassy.callback(store, audience, &row.id)?.to_string(),
        audience,
        has_secret: row.secret.is_some(),
        id: row.id,
        name: row.name,
        issuer: row.issuer,
        client_id: row.client_id,
        scopes: row.scopes,
        require_multi_factor: row.require_multi_factor,
        acr_values: row.acr_values,
        enabled: row.enabled,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

async fn found<P: souk_access::Permission>(
    permit: &Permit<P>,
    id: &str,
) -> Result<ProviderRow, IdentityError> {
    let look = async move |tx: &mut ReadTx<'_>| {
        queries::providers::find(tx, id).await?.ok_or(IdentityError::UnknownProvider)
    };
    permit.read("identities.provider", look).await
}

/// Identity providers of the store
#[utoipa::path(tag = "Identity providers", operation_id = "identity_providers_list", responses(
    (status = 200, body = Page<IdentityProviderView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
#[get("/admin/v1/identity-providers")]
async fn list(
    permit: Permit<View>,
    embassy: web::Data<Embassy>,
) -> Result<Page<IdentityProviderView>, Problem> {
    let look = async move |tx: &mut ReadTx<'_>| Ok::<_, IdentityError>(queries::providers::list(tx).await?);
    let rows = permit.read("identities.providers", look).await?;
    let views = rows.into_iter().map(|row| view(&embassy, permit.entry(), row));
    Ok(Page::whole(views.collect::<Result<Vec<_>, IdentityError>>()?))
}

/// Name an identity provider
///
/// Any that speaks OpenID Connect. If it is enabled it is asked at once; what does not answer as a provider is refused. The secret is sealed
/// with the store's own key and never shown. Register `callback_url` at the provider. Needs a proof of who you are from the last 15 minutes.
#[utoipa::path(tag = "Identity providers", operation_id = "identity_providers_create", request_body = NewIdentityProvider, responses(
    (status = 201, body = IdentityProviderView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/identity-providers")]
async fn make(
    permit: Permit<Edit>,
    embassy: web::Data<Embassy>,
    cause: Cause,
    body: Json<NewIdentityProvider>,
) -> Result<HttpResponse, Problem> {
    let row = actions::wished(&embassy, permit.store(), &body, permit.clock().now())?;
    let (row, by) = (actions::check(&embassy, row).await?, By::of(permit.actor(), cause));
    let work = async move |tx: &mut WriteTx<'_>| actions::make(tx, &by, row).await;
    let row = permit.write("identities.make_provider", work).await?;
    let etag = ETag::new(row.version);
    Ok(HttpResponse::Created().insert_header(etag).json(view(&embassy, permit.entry(), row)?))
}

/// An identity provider
#[utoipa::path(tag = "Identity providers", operation_id = "identity_providers_get",
    params(("provider" = String, Path, example = "google")), responses(
    (status = 200, body = IdentityProviderView), (status = 304, description = "Not modified"), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
#[get("/admin/v1/identity-providers/{provider}")]
async fn show(
    permit: Permit<View>,
    embassy: web::Data<Embassy>,
    provider: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let row = found(&permit, &provider).await?;
    let etag = ETag::new(row.version);
    if let Some(unchanged) = not_modified(&request, &etag) {
        return Ok(unchanged);
    }
    Ok(HttpResponse::Ok().insert_header(etag).json(view(&embassy, permit.entry(), row)?))
}

/// Change an identity provider
///
/// Only what is given changes. Another issuer needs another secret. People who work here and came in by a provider that is disabled, by
/// another issuer, or before a second factor was required, are out within a second. Needs a proof of who you are from the last 15 minutes.
#[utoipa::path(tag = "Identity providers", operation_id = "identity_providers_edit",
    params(("provider" = String, Path, example = "google"), ("If-Match" = Option<String>, Header)), request_body = EditIdentityProvider,
    responses((status = 200, body = IdentityProviderView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
#[patch("/admin/v1/identity-providers/{provider}")]
async fn edit(
    permit: Permit<Edit>,
    embassy: web::Data<Embassy>,
    provider: Path<String>,
    seen: IfMatch,
    cause: Cause,
    body: Json<EditIdentityProvider>,
) -> Result<HttpResponse, Problem> {
    let old = found(&permit, &provider).await?;
    seen.check(&ETag::new(old.version))?;
    let was = old.version;
    let row = actions::edited(&embassy, permit.store(), old, &body)?;
    let (row, by) = (actions::check(&embassy, row).await?, By::of(permit.actor(), cause));
    let work = async move |tx: &mut WriteTx<'_>| actions::put(tx, &by, &seen, was, row).await;
    let row = permit.write("identities.edit_provider", work).await?;
    let etag = ETag::new(row.version);
    Ok(HttpResponse::Ok().insert_header(etag).json(view(&embassy, permit.entry(), row)?))
}

/// Take an identity provider away
///
/// Nobody signs in with it any more. Identities that people linked stay with them, and work again if it comes back. Needs a proof of who you
/// are from the last 15 minutes.
#[utoipa::path(tag = "Identity providers", operation_id = "identity_providers_remove",
    params(("provider" = String, Path, example = "google")), responses(
    (status = 204, description = "Taken away"), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
#[delete("/admin/v1/identity-providers/{provider}")]
async fn remove(permit: Permit<Edit>, provider: Path<String>, cause: Cause) -> Result<HttpResponse, Problem> {
    let (id, by) = (provider.into_inner(), By::of(permit.actor(), cause));
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, &by, &id).await;
    permit.write("identities.remove_provider", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
