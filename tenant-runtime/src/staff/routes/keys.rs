//! Keys of the store's machines.

use actix_web::{HttpResponse, delete, get, post, web};
use chrono::TimeDelta;
use souk_access::{ApiKey, Gate, KeyKind, KeyMode, Permit};
use souk_api::{Json, Page, Path, Problem};
use souk_kernel::ApiKeyId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit::{By, Cause};
use crate::staff::error::StaffError;
use crate::staff::model::{
    ApiKeyView, NewApiKey, NewApiKeyView, RotateApiKey, WishedKind, WishedMode, check_limits, check_scopes,
};
use crate::staff::permissions::{EditKeys, ViewKeys};
use crate::staff::queries::KeyRow;
use crate::staff::{actions, queries};

/// A day beside the old key, unless wished otherwise; at most 30.
const OVERLAP: u32 = 86_400;
const LONGEST_OVERLAP: u32 = 2_592_000;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(keys).service(make_key).service(rotate_key).service(revoke_key);
}

/// Keys of the store, revoked ones included, newest first.
#[utoipa::path(tag = "Staff", operation_id = "api_keys_list", responses((status = 200, body = Page<ApiKeyView>)))]
#[get("/admin/v1/api-keys")]
async fn keys(permit: Permit<ViewKeys>) -> Result<Page<ApiKeyView>, Problem> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, StaffError>(queries::keys(tx).await?);
    Ok(Page::whole(permit.read("staff.keys", look).await?))
}

fn once(key: ApiKeyView, secret: &ApiKey) -> HttpResponse {
    let secret = secret.expose().to_owned();
    HttpResponse::Created().insert_header(("cache-control", "no-store")).json(NewApiKeyView { key, secret })
}

/// Makes a key. The answer is the only place where it is ever shown, so this is not repeatable by an Idempotency-Key.
#[utoipa::path(tag = "Staff", operation_id = "api_keys_create", request_body = NewApiKey, responses(
    (status = 201, body = NewApiKeyView), (status = 403, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/api-keys")]
async fn make_key(
    permit: Permit<EditKeys>,
    gate: web::Data<Gate>,
    cause: Cause,
    body: Json<NewApiKey>,
) -> Result<HttpResponse, Problem> {
    let wish = body.0;
    check_limits(&wish.allowed_origins, &wish.allowed_networks)?;
    let scopes: Vec<String> = wish.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    check_scopes(&scopes, gate.policy().catalogue().keys(), |key| permit.holds(key))?;
    if wish.expires_at.is_some_and(|at| at <= permit.clock().now()) {
        return Err(StaffError::Limit("/expires_at", "must be in the future").into());
    }
    if wish.channel.is_some() && matches!(wish.kind, WishedKind::Secret) {
        return Err(StaffError::Limit("/channel", "must be left out for a secret key").into());
    }
    let kind = match wish.kind {
        WishedKind::Publishable => KeyKind::Publishable,
        WishedKind::Secret => KeyKind::Secret,
    };
    let mode = match wish.mode {
        WishedMode::Test => KeyMode::Test,
        WishedMode::Live => KeyMode::Live,
    };
    let key = ApiKey::mint(kind, mode).map_err(StaffError::from)?;
    let by = By::of(permit.actor(), cause);
    let row = KeyRow {
        name: wish.name.into_string(),
        scopes,
        expires_at: wish.expires_at,
        allowed_origins: wish.allowed_origins.iter().map(|text| text.as_str().to_owned()).collect(),
        allowed_networks: wish.allowed_networks.iter().map(|text| text.as_str().to_owned()).collect(),
        created_by: by.actor.clone(),
        rotated_from: None,
        channel: wish.channel,
    };
    let made = key.clone();
    let make = async move |tx: &mut WriteTx<'_>| actions::make_key(tx, &by, &made, row).await;
    Ok(once(permit.write("staff.make_key", make).await?, &key))
}

/// Make the successor of a key
///
/// It may do the same from the same places. The old one works `overlap_seconds` longer, so that both may be in use while you change over.
#[utoipa::path(tag = "Staff", operation_id = "api_keys_rotate", params(("key" = ApiKeyId, Path)), request_body = RotateApiKey,
    responses((status = 201, body = NewApiKeyView), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 422, body = Problem)))]
#[post("/admin/v1/api-keys/{key}/rotate")]
async fn rotate_key(
    permit: Permit<EditKeys>,
    key: Path<ApiKeyId>,
    cause: Cause,
    body: Json<RotateApiKey>,
) -> Result<HttpResponse, Problem> {
    let overlap = body.overlap_seconds.unwrap_or(OVERLAP);
    if overlap > LONGEST_OVERLAP {
        return Err(StaffError::Limit("/overlap_seconds", "must be at most 2592000, 30 days").into());
    }
    let (id, by, giver) = (key.0, By::of(permit.actor(), cause), permit.clone());
    let overlap = TimeDelta::seconds(i64::from(overlap));
    let work = async move |tx: &mut WriteTx<'_>| actions::rotate_key(tx, &giver, &by, id, overlap).await;
    let (made, secret) = permit.write("staff.rotate_key", work).await?;
    Ok(once(made, &secret))
}

/// Revokes a key: refused from the next second on.
#[utoipa::path(tag = "Staff", operation_id = "api_keys_revoke", params(("key" = ApiKeyId, Path,)), responses((status = 204)))]
#[delete("/admin/v1/api-keys/{key}")]
async fn revoke_key(
    permit: Permit<EditKeys>,
    key: Path<ApiKeyId>,
    cause: Cause,
) -> Result<HttpResponse, Problem> {
    let (id, by) = (key.0, By::of(permit.actor(), cause));
    let end = async move |tx: &mut WriteTx<'_>| actions::revoke_key(tx, &by, id).await;
    permit.write("staff.revoke_key", end).await?;
    Ok(HttpResponse::NoContent().finish())
}
