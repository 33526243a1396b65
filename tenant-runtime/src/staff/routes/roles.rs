//! Roles and the matrix of what they hold.

use actix_web::{HttpResponse, delete, get, patch, post, web};
use souk_access::{Gate, Grant, Permit};
use souk_api::{ETag, IfMatch, Json, Page, Path, Problem};
use souk_kernel::{RoleId, Text};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit::{By, Cause};
use crate::staff::error::StaffError;
use crate::staff::model::{
    EditRole, MatrixRow, NewRole, PermissionMatrix, Role, RoleView, check_scopes, stands_for,
};
use crate::staff::permissions::{EditRoles, View};
use crate::staff::{actions, queries};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(matrix).service(make).service(edit).service(remove);
}

async fn load(permit: &Permit<View>) -> Result<Vec<RoleView>, Problem> {
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
    Ok(roles)
}

/// Roles, and what each holds.
#[utoipa::path(tag = "Staff", operation_id = "roles_list", responses((status = 200, body = Page<RoleView>)))]
#[get("/admin/v1/roles")]
async fn list(permit: Permit<View>) -> Result<Page<RoleView>, Problem> {
    Ok(Page::whole(load(&permit).await?))
}

/// Every permission, and which role holds it
#[utoipa::path(tag = "Staff", operation_id = "permissions_matrix", responses((status = 200, body = PermissionMatrix)))]
#[get("/admin/v1/permissions")]
async fn matrix(permit: Permit<View>, gate: web::Data<Gate>) -> Result<Json<PermissionMatrix>, Problem> {
    let keys = gate.policy().catalogue().keys();
    let row = |role: RoleView| {
        let holds =
            keys.iter().map(|key| role.permissions.iter().any(|grant| stands_for(grant, *key))).collect();
        MatrixRow { role: role.name, holds }
    };
    let roles = load(&permit).await?.into_iter().map(row).collect();
    Ok(Json::new(PermissionMatrix { permissions: keys.iter().map(ToString::to_string).collect(), roles }))
}

/// Every grant names something, and only what the giver holds.
fn checked(permit: &Permit<EditRoles>, gate: &Gate, wish: &[Text<80>]) -> Result<Vec<Grant>, Problem> {
    let texts: Vec<String> = wish.iter().map(|text| text.as_str().to_owned()).collect();
    check_scopes(&texts, gate.policy().catalogue().keys(), |key| permit.holds(key))?;
    let read =
        |text: &String| text.parse::<Grant>().map_err(|_| StaffError::ScopeUnknown(text.clone()).into());
    texts.iter().map(read).collect()
}

fn named(name: &str) -> Result<(), Problem> {
    let fits = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if fits { Ok(()) } else { Err(StaffError::Limit("/name", "must be lower-case letters and _").into()) }
}

fn view(role: Role) -> RoleView {
    RoleView { id: role.id, name: role.name, built_in: role.built_in, permissions: role.grants }
}

/// Make a role
///
/// It may hold no more than you do.
#[utoipa::path(tag = "Staff", operation_id = "roles_make", request_body = NewRole, responses(
    (status = 201, body = RoleView), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/roles")]
async fn make(
    permit: Permit<EditRoles>,
    gate: web::Data<Gate>,
    cause: Cause,
    body: Json<NewRole>,
) -> Result<HttpResponse, Problem> {
    named(body.name.as_str())?;
    let grants = checked(&permit, &gate, &body.permissions)?;
    let by = By::of(permit.actor(), cause);
    let work =
        async move |tx: &mut WriteTx<'_>| actions::make_role(tx, &by, body.name.as_str(), &grants).await;
    let role = permit.write("staff.make_role", work).await?;
    Ok(HttpResponse::Created().insert_header(ETag::new(role.version)).json(view(role)))
}

/// Change a role
///
/// Neither before nor after may it hold more than you do. The owner's role stays as it is. It holds everywhere within a second.
#[utoipa::path(tag = "Staff", operation_id = "roles_edit",
    params(("id" = RoleId, Path), ("If-Match" = Option<String>, Header)), request_body = EditRole, responses(
    (status = 200, body = RoleView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 412, body = Problem), (status = 422, body = Problem)))]
#[patch("/admin/v1/roles/{id}")]
async fn edit(
    permit: Permit<EditRoles>,
    gate: web::Data<Gate>,
    id: Path<RoleId>,
    seen: IfMatch,
    cause: Cause,
    body: Json<EditRole>,
) -> Result<HttpResponse, Problem> {
    let name = body.name.as_ref().map(|name| name.as_str().to_owned());
    name.as_deref().map_or(Ok(()), named)?;
    let grants = body.permissions.as_deref().map(|wish| checked(&permit, &gate, wish)).transpose()?;
    let (id, by, giver) = (*id, By::of(permit.actor(), cause), permit.clone());
    let work = async move |tx: &mut WriteTx<'_>| {
        actions::change_role_grants(tx, &giver, &by, id, &seen, (name.as_deref(), grants)).await
    };
    let role = permit.write("staff.edit_role", work).await?;
    Ok(HttpResponse::Ok().insert_header(ETag::new(role.version)).json(view(role)))
}

/// Remove a role that nobody has
#[utoipa::path(tag = "Staff", operation_id = "roles_remove", params(("id" = RoleId, Path)), responses(
    (status = 204, description = "Removed"), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/admin/v1/roles/{id}")]
async fn remove(permit: Permit<EditRoles>, id: Path<RoleId>, cause: Cause) -> Result<HttpResponse, Problem> {
    let (id, by) = (*id, By::of(permit.actor(), cause));
    let work = async move |tx: &mut WriteTx<'_>| actions::remove_role(tx, &by, id).await;
    permit.write("staff.remove_role", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
