//! Who may do what, changed: each story inside one transaction, each told in the log.

use serde_json::{Value, json};
use souk_access::{ApiKey, Grant, LinkSecret, Permission, Permit};
use souk_api::{ETag, IfMatch};
use souk_kernel::{AccountId, ApiKeyId, Email, InvitationId, RoleId, StaffId};
use souk_tenancy::{ReadTx, WriteTx};

use super::error::StaffError;
use super::events::StaffInvited;
use super::model::{ApiKeyView, Colleague, InvitationView, OWNER, Role, StaffView};
use super::queries::{self, KeyRow};
use crate::audit::{self, By, Change};

fn shown(role: &Role) -> Value {
    json!({ "name": role.name, "permissions": role.grants })
}

/// A colleague, as the log has a digest of them.
fn shown_person(colleague: &Colleague, role: &str) -> Value {
    json!({ "staff": colleague.id, "role": role, "state": colleague.state })
}

/// A key, likewise: what it may, from where, and until when.
fn shown_key(key: &ApiKeyView) -> Value {
    json!({ "prefix": key.prefix, "kind": key.kind, "mode": key.mode, "scopes": key.scopes, "allowed_origins": key.allowed_origins,
        "allowed_networks": key.allowed_networks, "channel": key.channel, "expires_at": key.expires_at, "revoked": key.revoked_at.is_some() })
}

fn read(grants: &[String]) -> Vec<Grant> {
    grants.iter().filter_map(|text| text.parse().ok()).collect()
}

/// The role of this name, locked, if its permissions are the giver's too.
async fn role_to_give<P: Permission>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<P>,
    name: &str,
) -> Result<Role, StaffError> {
    queries::lock_roles(tx).await?;
    let role = queries::lock_role_named(tx, name).await?;
    let role = role.ok_or(StaffError::Limit("/role", "must be the name of a role of this store"))?;
    demand_held(permit, &role.name, &role.grants).await?;
    Ok(role)
}

/// Nobody gives, takes or changes what they do not hold.
async fn demand_held<P: Permission>(
    permit: &Permit<P>,
    role: &str,
    grants: &[String],
) -> Result<(), StaffError> {
    if permit.covers(&read(grants)).await? { Ok(()) } else { Err(StaffError::BeyondOwn(role.to_owned())) }
}

/// Refuses to bring in one more than the plan allows.
fn demand_room(people: i64, limit: u32) -> Result<(), StaffError> {
    if people < i64::from(limit) { Ok(()) } else { Err(StaffError::Quota(limit)) }
}

/// Invites somebody by mail. Where the plan allows nobody more it is refused at once, not when they come.
pub async fn invite<P: Permission>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<P>,
    by: &By,
    email: &Email,
    role: &str,
) -> Result<InvitationView, StaffError> {
    let role = role_to_give(tx, permit, role).await?;
    if queries::works_here(tx, email).await? {
        return Err(StaffError::WorksHere);
    }
    demand_room(queries::active(tx).await?, permit.entry().limits.staff)?;
    let id = InvitationId::new();
    queries::invite(tx, id, email, role.id, &by.actor).await?;
    souk_event_bus::emit(tx, &StaffInvited { invitation_id: id }).await?;
    let (after, details) = (json!({ "role": role.name, "state": "open" }), json!({ "role": role.name }));
    let change = Change { before: None, after: Some(&after) };
    audit::record(tx, by, "staff.invited", &id.to_string(), change, details).await?;
    let open = queries::invitations(tx).await?;
    open.into_iter().find(|invitation| invitation.id == id).ok_or(StaffError::Unknown)
}

/// Takes an open invitation back.
pub async fn revoke_invitation(tx: &mut WriteTx<'_>, by: &By, id: InvitationId) -> Result<(), StaffError> {
    if !queries::revoke_invitation(tx, id).await? {
        return Err(StaffError::Unknown);
    }
    let (before, after) = (json!({ "state": "open" }), json!({ "state": "revoked" }));
    let change = Change { before: Some(&before), after: Some(&after) };
    Ok(audit::record(tx, by, "staff.invitation_revoked", &id.to_string(), change, json!({})).await?)
}

/// The mail that invites somebody.
#[derive(Debug)]
pub struct StaffLetter {
    pub recipient: String,
    pub role: String,
    pub secret: LinkSecret,
}

/// The letter of an invitation, its secret made now; none when it is not open any more.
///
/// # Errors
/// The database's; no random bytes.
pub async fn letter(tx: &mut WriteTx<'_>, invited: &StaffInvited) -> Result<Option<StaffLetter>, StaffError> {
    let secret = LinkSecret::mint()?;
    let found = queries::invitation_letter(tx, invited.invitation_id, &secret.digest()).await?;
    Ok(found.map(|invitation| StaffLetter { recipient: invitation.email, role: invitation.role, secret }))
}

/// Joins by an invitation. Whoever has the secret was sent it; the account is whom the control plane vouches for,
/// if it does: whoever has none comes in by an identity elsewhere. `limit` is how many the plan allows.
///
/// # Errors
/// 410 for a secret that cannot be used, 409 for somebody who works here, and where nobody more may; the invitation stays open then.
pub async fn accept(
    tx: &mut WriteTx<'_>,
    by: &mut By,
    account: Option<AccountId>,
    secret: &LinkSecret,
    name: &str,
    limit: u32,
) -> Result<Colleague, StaffError> {
    // Of two who come at once the second counts the first.
    queries::lock_roles(tx).await?;
    let joined = queries::accept(tx, &secret.digest(), account, name).await;
    let joined = joined.map_err(|error| match error {
        souk_tenancy::DbError::Unique { .. } => StaffError::WorksHere,
        error => error.into(),
    })?;
    let (colleague, others) = joined.ok_or(StaffError::InvitationUnusable)?;
    demand_room(others, limit)?;
    by.actor = format!("staff:{}", colleague.id);
    let details = json!({ "role": colleague.role, "account": account.map(|id| id.to_string()) });
    let after = shown_person(&colleague, &colleague.role);
    let change = Change { before: None, after: Some(&after) };
    audit::record(tx, by, "staff.joined", &colleague.id.to_string(), change, details).await?;
    Ok(colleague)
}

/// The last owner stays.
async fn demand_another_owner(tx: &mut WriteTx<'_>, leaving: &Colleague) -> Result<(), StaffError> {
    if leaving.role == OWNER && leaving.state == "active" && queries::active_owners(tx).await? <= 1 {
        return Err(StaffError::LastOwner);
    }
    Ok(())
}

async fn grants_of(tx: &mut WriteTx<'_>, role: RoleId) -> Result<Vec<String>, StaffError> {
    Ok(queries::lock_role(tx, role).await?.map(|role| role.grants).unwrap_or_default())
}

/// Gives a colleague another role. Both the old and the new one must hold no more than the giver does.
pub async fn change_role<P: Permission>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<P>,
    by: &By,
    id: StaffId,
    seen: &IfMatch,
    role: &str,
) -> Result<Colleague, StaffError> {
    let role = role_to_give(tx, permit, role).await?;
    let colleague = queries::colleague(tx, id).await?.ok_or(StaffError::Unknown)?;
    seen.check(&ETag::new(colleague.version))?;
    demand_held(permit, &colleague.role, &grants_of(tx, colleague.role_id).await?).await?;
    if colleague.role_id == role.id {
        return Ok(colleague);
    }
    demand_another_owner(tx, &colleague).await?;
    queries::set_role(tx, id, role.id).await?;
    let details = json!({ "from": colleague.role, "to": role.name });
    let (before, after) = (shown_person(&colleague, &colleague.role), shown_person(&colleague, &role.name));
    let change = Change { before: Some(&before), after: Some(&after) };
    audit::record(tx, by, "staff.role_changed", &id.to_string(), change, details).await?;
    queries::colleague(tx, id).await?.ok_or(StaffError::Unknown)
}

/// Lets a colleague go: refused everywhere within a second. People may also go by themselves.
pub async fn remove<P: Permission>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<P>,
    by: &By,
    id: StaffId,
) -> Result<(), StaffError> {
    queries::lock_roles(tx).await?;
    let colleague = queries::colleague(tx, id).await?.ok_or(StaffError::Unknown)?;
    demand_held(permit, &colleague.role, &grants_of(tx, colleague.role_id).await?).await?;
    demand_another_owner(tx, &colleague).await?;
    queries::remove(tx, id).await?;
    let (before, details) = (shown_person(&colleague, &colleague.role), json!({ "role": colleague.role }));
    let change = Change { before: Some(&before), after: None };
    Ok(audit::record(tx, by, "staff.removed", &id.to_string(), change, details).await?)
}

/// Makes a role that holds no more than its maker does.
pub async fn make_role(
    tx: &mut WriteTx<'_>,
    by: &By,
    name: &str,
    grants: &[Grant],
) -> Result<Role, StaffError> {
    queries::lock_roles(tx).await?;
    let id = RoleId::new();
    if !queries::insert_role(tx, id, name).await? || !queries::write_role(tx, id, name, grants).await? {
        return Err(StaffError::RoleNameTaken);
    }
    let role = queries::lock_role(tx, id).await?.ok_or(StaffError::Unknown)?;
    let after = shown(&role);
    let change = Change { before: None, after: Some(&after) };
    audit::record(tx, by, "role.made", &id.to_string(), change, after.clone()).await?;
    Ok(role)
}

/// Changes what a role holds, or its name. What it held before must be the changer's as well; the owner's role stays as it is.
pub async fn change_role_grants<P: Permission>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<P>,
    by: &By,
    id: RoleId,
    seen: &IfMatch,
    (name, grants): (Option<&str>, Option<Vec<Grant>>),
) -> Result<Role, StaffError> {
    queries::lock_roles(tx).await?;
    let role = queries::lock_role(tx, id).await?.ok_or(StaffError::Unknown)?;
    seen.check(&ETag::new(role.version))?;
    if role.name == OWNER || (role.built_in && name.is_some_and(|name| name != role.name)) {
        return Err(StaffError::RoleFixed);
    }
    demand_held(permit, &role.name, &role.grants).await?;
    let grants = grants.unwrap_or_else(|| read(&role.grants));
    if !queries::write_role(tx, id, name.unwrap_or(&role.name), &grants).await? {
        return Err(StaffError::RoleNameTaken);
    }
    let changed = queries::lock_role(tx, id).await?.ok_or(StaffError::Unknown)?;
    let (before, after) = (shown(&role), shown(&changed));
    let change = Change { before: Some(&before), after: Some(&after) };
    audit::record(tx, by, "role.changed", &id.to_string(), change, json!({ "from": before, "to": after }))
        .await?;
    Ok(changed)
}

/// Removes a role that nobody has.
pub async fn remove_role(tx: &mut WriteTx<'_>, by: &By, id: RoleId) -> Result<(), StaffError> {
    queries::lock_roles(tx).await?;
    let role = queries::lock_role(tx, id).await?.ok_or(StaffError::Unknown)?;
    if role.built_in {
        return Err(StaffError::RoleFixed);
    }
    if queries::members_of(tx, id).await? > 0 {
        return Err(StaffError::RoleInUse);
    }
    queries::remove_role(tx, id).await?;
    let before = shown(&role);
    let change = Change { before: Some(&before), after: None };
    Ok(audit::record(tx, by, "role.removed", &id.to_string(), change, before.clone()).await?)
}

/// Keeps a new key's digest.
pub async fn make_key(
    tx: &mut WriteTx<'_>,
    by: &By,
    key: &ApiKey,
    new: KeyRow,
) -> Result<ApiKeyView, StaffError> {
    keep_key(tx, by, key, new, None).await
}

/// The same; `before` is the key whose place it takes.
async fn keep_key(
    tx: &mut WriteTx<'_>,
    by: &By,
    key: &ApiKey,
    new: KeyRow,
    before: Option<&Value>,
) -> Result<ApiKeyView, StaffError> {
    let made = queries::insert_key(tx, key, new).await?;
    let after = shown_key(&made);
    let change = Change { before, after: Some(&after) };
    let details = json!({ "prefix": made.prefix, "kind": made.kind, "mode": made.mode, "scopes": made.scopes, "rotated_from": made.rotated_from });
    audit::record(tx, by, "api_key.made", &made.id.to_string(), change, details).await?;
    Ok(made)
}

/// Makes the successor of a key: it may do the same, in the same places, and ends when the old one was to end. The old one works `overlap`
/// longer. The giver must hold what the key holds, as for a new key.
pub async fn rotate_key<P: Permission>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<P>,
    by: &By,
    id: ApiKeyId,
    overlap: chrono::TimeDelta,
) -> Result<(ApiKeyView, ApiKey), StaffError> {
    let old = queries::lock_key(tx, id).await?.ok_or(StaffError::Unknown)?;
    demand_held(permit, &old.name, &old.scopes).await?;
    let find =
        |text: &str| ApiKey::forms().find(|(kind, mode)| text == kind.as_str() && old.mode == mode.as_str());
    let (kind, mode) = find(&old.kind).ok_or(StaffError::Unknown)?;
    let (key, before) = (ApiKey::mint(kind, mode)?, shown_key(&old));
    // What was rotated before ends with its overlap; when it was to end, its first successor knows.
    let ends = queries::ends_of_successors(tx, id).await?.first().copied().unwrap_or(old.expires_at);
    queries::end_at(tx, id, tx.now() + overlap).await?;
    let new = KeyRow {
        name: old.name,
        scopes: old.scopes,
        expires_at: ends,
        allowed_origins: old.allowed_origins,
        allowed_networks: old.allowed_networks,
        created_by: by.actor.clone(),
        rotated_from: Some(id),
        channel: old.channel,
    };
    Ok((keep_key(tx, by, &key, new, Some(&before)).await?, key))
}

/// Revokes a key: refused everywhere within a second.
pub async fn revoke_key(tx: &mut WriteTx<'_>, by: &By, id: ApiKeyId) -> Result<(), StaffError> {
    let revoked = queries::revoke(tx, id).await?.ok_or(StaffError::Unknown)?;
    let after = shown_key(&revoked);
    let before = shown_key(&ApiKeyView { revoked_at: None, ..revoked });
    let change = Change { before: Some(&before), after: Some(&after) };
    Ok(audit::record(tx, by, "api_key.revoked", &id.to_string(), change, json!({})).await?)
}

/// A colleague as others see them.
pub fn view(colleague: Colleague) -> StaffView {
    let Colleague { id, email, name, role, state, created_at, .. } = colleague;
    StaffView { id, email, name, role, state, created_at }
}

/// Who this is, if they work here.
///
/// # Errors
/// The database's only.
pub async fn colleague(tx: &mut ReadTx<'_>, id: StaffId) -> Result<Option<StaffView>, StaffError> {
    Ok(queries::colleague(tx, id).await?.map(view))
}

/// What an actor's permissions come from, and the grants themselves.
pub async fn grants_of_actor(
    tx: &mut ReadTx<'_>,
    actor: &str,
) -> Result<Option<(String, Vec<String>)>, StaffError> {
    if actor == "anyone" {
        return Ok(Some(("built-in role anyone".to_owned(), Vec::new())));
    }
    if let Ok(id) = StaffId::parse(actor) {
        let Some(colleague) = queries::colleague(tx, id).await? else { return Ok(None) };
        let rows = queries::grants(tx).await?.into_iter().filter(|row| row.0 == colleague.role_id);
        let grants = rows.filter_map(|row| Some(format!("{}:{}", row.3?, row.4?))).collect();
        return Ok(Some((format!("role {}", colleague.role), grants)));
    }
    if let Ok(id) = ApiKeyId::parse(actor) {
        return Ok(queries::explain_key(tx, id).await?.map(|(kind, scopes, live)| {
            match (live, kind.as_str()) {
                (false, _) => ("a key that is revoked or expired".to_owned(), Vec::new()),
                (true, "publishable") => ("built-in role shopper".to_owned(), Vec::new()),
                (true, _) => ("scopes of the key".to_owned(), scopes),
            }
        }));
    }
    if let Ok(id) = souk_kernel::AppId::parse(actor) {
        return Ok(queries::explain_app(tx, id).await?.map(|(scopes, live)| match live {
            true => ("scopes of the app".to_owned(), scopes),
            false => ("an app that is not approved, or revoked".to_owned(), Vec::new()),
        }));
    }
    if let Ok(id) = souk_kernel::CustomerId::parse(actor) {
        return Ok(queries::explain_customer(tx, id).await?.map(|enabled| {
            let source = if enabled { "built-in role shopper" } else { "a customer who may not sign in" };
            (source.to_owned(), Vec::new())
        }));
    }
    Ok(None)
}
