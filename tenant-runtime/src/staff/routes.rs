//! People, roles and keys over HTTP.

use actix_web::{HttpResponse, delete, get, post};
use souk_access::{ApiKey, Gate, KeyKind, KeyMode, Permit};
use souk_api::{Json, Page, Path, Problem};
use souk_kernel::ApiKeyId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::StaffError;
use super::model::{ApiKeyView, NewApiKey, NewApiKeyView, RoleView, StaffView, WishedKind, check_scopes};
use super::{permissions, queries};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(people).service(roles).service(keys).service(make_key).service(revoke_key);
}

/// Who works in the store.
#[utoipa::path(tag = "Staff", operation_id = "staff_list", responses((status = 200, body = Page<StaffView>)))]
#[get("/admin/v1/staff")]
async fn people(permit: Permit<permissions::View>) -> Result<Page<StaffView>, Problem> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, StaffError>(queries::people(tx).await?);
    Ok(Page::whole(permit.read("staff.people", look).await?))
}

/// Roles, and what each holds.
#[utoipa::path(tag = "Staff", operation_id = "roles_list", responses((status = 200, body = Page<RoleView>)))]
#[get("/admin/v1/roles")]
async fn roles(permit: Permit<permissions::View>) -> Result<Page<RoleView>, Problem> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, StaffError>(queries::grants(tx).await?);
    let mut roles: Vec<RoleView> = Vec::new();
    for (id, name, built_in, object, action) in permit.read("staff.roles", look).await? {
        if roles.last().is_none_or(|role| role.id != id) {
            roles.push(RoleView { id, name, built_in, permissions: Vec::new() });
        }
        if let (Some(role), Some(object), Some(action)) = (roles.last_mut(), object, action) {
            role.permissions.push(format!("{object}:{action}"));
        }
    }
    Ok(Page::whole(roles))
}

/// Keys of the store, revoked ones included, newest first.
#[utoipa::path(tag = "Staff", operation_id = "api_keys_list", responses((status = 200, body = Page<ApiKeyView>)))]
#[get("/admin/v1/api-keys")]
async fn keys(permit: Permit<permissions::ViewKeys>) -> Result<Page<ApiKeyView>, Problem> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, StaffError>(queries::keys(tx).await?);
    Ok(Page::whole(permit.read("staff.keys", look).await?))
}

/// Makes a key. The answer is the only place where it is ever shown, so this is not repeatable by an Idempotency-Key.
#[utoipa::path(tag = "Staff", operation_id = "api_keys_create", request_body = NewApiKey, responses((status = 201, body = NewApiKeyView)))]
#[post("/admin/v1/api-keys")]
async fn make_key(
    permit: Permit<permissions::EditKeys>,
    gate: actix_web::web::Data<Gate>,
    body: Json<NewApiKey>,
) -> Result<HttpResponse, Problem> {
    let NewApiKey { name, kind, scopes, expires_at } = body.0;
    let scopes: Vec<String> = scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    check_scopes(&scopes, gate.policy().catalogue().keys(), |key| permit.holds(key))?;
    let kind = match kind {
        WishedKind::Publishable => KeyKind::Publishable,
        WishedKind::Secret => KeyKind::Secret,
    };
    let key = ApiKey::mint(kind, KeyMode::Test).map_err(StaffError::from)?;
    let secret = key.expose().to_owned();
    let make = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, StaffError>(queries::insert_key(tx, &key, name.as_str(), scopes, expires_at).await?)
    };
    let key = permit.write("staff.make_key", make).await?;
    Ok(HttpResponse::Created().json(NewApiKeyView { key, secret }))
}

/// Revokes a key: refused from the next second on.
#[utoipa::path(tag = "Staff", operation_id = "api_keys_revoke", params(("key" = ApiKeyId, Path,)), responses((status = 204)))]
#[delete("/admin/v1/api-keys/{key}")]
async fn revoke_key(
    permit: Permit<permissions::EditKeys>,
    key: Path<ApiKeyId>,
) -> Result<HttpResponse, Problem> {
    let id = key.0;
    let end = async move |tx: &mut WriteTx<'_>| match queries::revoke(tx, id).await? {
        true => Ok(()),
        false => Err(StaffError::Unknown),
    };
    permit.write("staff.revoke_key", end).await?;
    Ok(HttpResponse::NoContent().finish())
}
