//! The stories of membership. Each locks the organization's row first, so that counts hold.

use serde_json::json;
use souk_access::LinkSecret;
use souk_api::{ETag, IfMatch};
use souk_kernel::{AccountId, Email, InvitationId, MemberId, OrganizationId, Plan};
use souk_tenancy::WriteTx;

use super::error::MemberError;
use super::model::{Invitation, Invite, MemberView, Role};
use super::queries;
use crate::accounts;
use crate::audit::{self, By, Subject, Was};
use crate::config::Settings;
use crate::messages::{self, Letter};
use crate::organizations::{self, Organization};

/// Refuses to add one more member than the largest plan of the organization's stores allows.
async fn demand_room(tx: &mut WriteTx<'_>, organization: OrganizationId) -> Result<(), MemberError> {
    let plans = queries::plans_in_use(tx, organization).await?;
    let in_use = plans.iter().filter_map(|plan| Plan::find(plan));
    let limit = in_use.map(|plan| plan.max_members).max().unwrap_or(Plan::DEFAULT.max_members);
    if queries::count(tx, organization).await? < limit { Ok(()) } else { Err(MemberError::Quota(limit)) }
}

async fn lock(tx: &mut WriteTx<'_>, organization: OrganizationId) -> Result<Organization, MemberError> {
    organizations::lock(tx, organization).await?.ok_or(MemberError::Unknown)
}

/// Invites an address. The mail goes out whether it has an account or not, so the answer tells nothing.
pub async fn invite(
    tx: &mut WriteTx<'_>,
    settings: &Settings,
    by: &By,
    inviter: AccountId,
    organization: OrganizationId,
    wish: &Invite,
) -> Result<Invitation, MemberError> {
    let organization = lock(tx, organization).await?;
    if queries::is_member(tx, organization.id, &wish.email).await? {
        return Err(MemberError::Already);
    }
    demand_room(tx, organization.id).await?;
    let secret = LinkSecret::mint()?;
    let digest = secret.digest();
    let invitation =
        queries::insert_invitation(tx, organization.id, &wish.email, wish.role, inviter, &digest).await?;
    let from = accounts::find(tx, inviter).await?.ok_or(MemberError::Unknown)?;
    let letter = Letter::Invitation {
        inviter: from.name.as_str(),
        organization: organization.name.as_str(),
        role: wish.role.as_str(),
        email: &wish.email,
        link: settings.link("accept-invitation", secret.expose()),
    };
    // Whoever is invited may have no account: people invite those whose language they speak.
    messages::queue(tx, &from.locale, &letter).await?;
    let detail = json!({ "email": wish.email, "role": wish.role });
    let (action, was) = ("invitation.sent", Was::nothing(Subject::Invitation(invitation.id)));
    audit::record(tx, organization.id, by, action, invitation.id.to_string(), was, detail).await?;
    Ok(invitation)
}

/// Takes an open invitation back.
pub async fn revoke(
    tx: &mut WriteTx<'_>,
    by: &By,
    organization: OrganizationId,
    id: InvitationId,
) -> Result<(), MemberError> {
    let was = audit::look(tx, Subject::Invitation(id)).await?;
    let invitation = queries::revoke_invitation(tx, organization, id).await?.ok_or(MemberError::Unknown)?;
    let detail = json!({ "email": invitation.email, "role": invitation.role });
    Ok(audit::record(tx, organization, by, "invitation.revoked", id.to_string(), was, detail).await?)
}

/// Joins by an invitation that was mailed to this account's address.
pub async fn accept(
    tx: &mut WriteTx<'_>,
    by: &By,
    account: AccountId,
    secret: &LinkSecret,
) -> Result<(Organization, Role), MemberError> {
    let email: Email = accounts::find(tx, account).await?.ok_or(MemberError::Unusable)?.email;
    let used = queries::accept_invitation(tx, &secret.digest(), &email).await?;
    let invitation = used.ok_or(MemberError::Unusable)?;
    let found = organizations::lock(tx, invitation.organization_id).await?;
    let organization = found.ok_or(MemberError::Unusable)?;
    demand_room(tx, organization.id).await?;
    if !queries::join(tx, organization.id, account, invitation.role).await? {
        return Err(MemberError::Already);
    }
    let detail = json!({ "role": invitation.role, "invited_by": invitation.invited_by });
    let was = Was::nothing(Subject::Member(organization.id, account));
    audit::record(tx, organization.id, by, "member.joined", account.to_string(), was, detail).await?;
    Ok((organization, invitation.role))
}

/// Gives a member another role. `covers` says which roles the caller may touch: both the old and the new one must be.
pub async fn change_role(
    tx: &mut WriteTx<'_>,
    by: &By,
    organization: OrganizationId,
    id: MemberId,
    if_match: &IfMatch,
    wanted: Role,
    covers: impl Fn(Role) -> bool,
) -> Result<(MemberView, i64), MemberError> {
    lock(tx, organization).await?;
    let (mut member, name, email) = queries::find(tx, organization, id).await?.ok_or(MemberError::Unknown)?;
    if_match.check(&ETag::new(member.version))?;
    if let Some(beyond) = [member.role, wanted].into_iter().find(|role| !covers(*role)) {
        return Err(MemberError::BeyondOwn(beyond));
    }
    if member.role != wanted {
        demand_another_owner(tx, organization, member.role).await?;
        let was = audit::look(tx, Subject::Member(organization, member.account_id)).await?;
        queries::set_role(tx, id, wanted).await?;
        let detail = json!({ "from": member.role, "to": wanted });
        let (action, target) = ("member.role_changed", member.account_id.to_string());
        audit::record(tx, organization, by, action, target, was, detail).await?;
        member.role = wanted;
        member.version += 1;
    }
    let version = member.version;
    Ok((member.view(name, email), version))
}

async fn demand_another_owner(
    tx: &mut WriteTx<'_>,
    organization: OrganizationId,
    leaving: Role,
) -> Result<(), MemberError> {
    if leaving == Role::Owner && queries::count_owners(tx, organization).await? <= 1 {
        return Err(MemberError::LastOwner);
    }
    Ok(())
}

/// Ends a membership; people may also leave by themselves.
pub async fn remove(
    tx: &mut WriteTx<'_>,
    by: &By,
    organization: OrganizationId,
    id: MemberId,
    covers: impl Fn(Role) -> bool,
) -> Result<(), MemberError> {
    lock(tx, organization).await?;
    let (member, _, _) = queries::find(tx, organization, id).await?.ok_or(MemberError::Unknown)?;
    if !covers(member.role) {
        return Err(MemberError::BeyondOwn(member.role));
    }
    demand_another_owner(tx, organization, member.role).await?;
    let was = audit::look(tx, Subject::Member(organization, member.account_id)).await?;
    queries::remove(tx, id).await?;
    let (target, detail) = (member.account_id.to_string(), json!({ "role": member.role }));
    Ok(audit::record(tx, organization, by, "member.removed", target, was, detail).await?)
}
