//! The rows of members and invitations, and what the gate asks of them.

use diesel::prelude::*;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use souk_access::{Account, Membership, Place, SecretDigest};
use souk_kernel::{AccountId, Email, InvitationId, MemberId, OrganizationId, SessionId, Text};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::model::{INVITATION_LIFETIME, Invitation, Member, Role};
use crate::schema::{accounts, invitations, members, operations, organizations, stores};
use crate::sessions;

/// What the gate looks people up in.
#[derive(Clone, Copy, Debug)]
pub struct Register;

impl Membership for Register {
    fn account<'t, 'c: 't>(
        &'t self,
        tx: &'t mut ReadTx<'c>,
        account: AccountId,
        session: Option<SessionId>,
    ) -> BoxFuture<'t, Result<Option<Account>, DbError>> {
        async move {
            // Every token of ours names its session; one without is not ours.
            let Some(session) = session else { return Ok(None) };
            let standing = sessions::standing(tx, account, session).await?;
            Ok(standing.map(|(epoch, proved_at)| Account { epoch, proved_at }))
        }
        .boxed()
    }

    fn member<'t, 'c: 't>(
        &'t self,
        tx: &'t mut ReadTx<'c>,
        account: AccountId,
        place: Place,
    ) -> BoxFuture<'t, Result<Option<souk_access::Member>, DbError>> {
        async move {
            let organization = match place {
                Place::Organization(id) => Some(id),
                Place::Store(id) => {
                    tx.optional(stores::table.filter(stores::id.eq(id)).select(stores::organization_id))
                        .await?
                }
                Place::Operation(id) => {
                    tx.optional(operations::table.find(id).select(operations::organization_id)).await?
                }
            };
            let Some(organization) = organization else { return Ok(None) };
            let role = role_of(tx, account, organization).await?;
            Ok(role.map(|role| souk_access::Member { organization, role: role.as_str().to_owned() }))
        }
        .boxed()
    }
}

/// The role of an account in a living organization.
pub async fn role_of(
    tx: &mut ReadTx<'_>,
    account: AccountId,
    organization: OrganizationId,
) -> Result<Option<Role>, DbError> {
    let row = members::table
        .inner_join(organizations::table)
        .filter(members::organization_id.eq(organization).and(members::account_id.eq(account)))
        .filter(organizations::state.eq("active"))
        .select(members::role);
    tx.optional(row).await
}

/// Adds a member; one who is a member already stays what they are (`false`).
pub async fn join(
    tx: &mut WriteTx<'_>,
    organization: OrganizationId,
    account: AccountId,
    role: Role,
) -> Result<bool, DbError> {
    let now = tx.now();
    let row = diesel::insert_into(members::table).values((
        members::id.eq(MemberId::new()),
        members::organization_id.eq(organization),
        members::account_id.eq(account),
        members::role.eq(role),
        members::created_at.eq(now),
        members::updated_at.eq(now),
    ));
    Ok(tx.execute(row.on_conflict_do_nothing()).await? == 1)
}

/// A member of this organization with name and address.
pub async fn find(
    tx: &mut ReadTx<'_>,
    organization: OrganizationId,
    id: MemberId,
) -> Result<Option<(Member, Text<120>, Email)>, DbError> {
    let row = members::table
        .inner_join(accounts::table)
        .filter(members::id.eq(id).and(members::organization_id.eq(organization)));
    tx.optional(row.select((Member::as_select(), accounts::name, accounts::email))).await
}

/// The names and addresses of an organization's owners.
pub async fn owners(
    tx: &mut ReadTx<'_>,
    organization: OrganizationId,
) -> Result<Vec<(Text<120>, Email, String)>, DbError> {
    let rows = members::table
        .inner_join(accounts::table)
        .filter(members::organization_id.eq(organization).and(members::role.eq(Role::Owner)))
        .order(members::id);
    tx.load(rows.select((accounts::name, accounts::email, accounts::locale))).await
}

/// Members, oldest first.
pub async fn list(
    tx: &mut ReadTx<'_>,
    organization: OrganizationId,
    after: Option<MemberId>,
    limit: i64,
) -> Result<Vec<(Member, Text<120>, Email)>, DbError> {
    let start = after.unwrap_or(MemberId::from_uuid(uuid::Uuid::nil()));
    let page = members::table
        .inner_join(accounts::table)
        .filter(members::organization_id.eq(organization).and(members::id.gt(start)))
        .order(members::id)
        .limit(limit)
        .select((Member::as_select(), accounts::name, accounts::email));
    tx.load(page).await
}

pub async fn count(tx: &mut ReadTx<'_>, organization: OrganizationId) -> Result<i64, DbError> {
    tx.one(members::table.filter(members::organization_id.eq(organization)).count()).await
}

pub async fn count_owners(tx: &mut ReadTx<'_>, organization: OrganizationId) -> Result<i64, DbError> {
    let owners =
        members::table.filter(members::organization_id.eq(organization).and(members::role.eq(Role::Owner)));
    tx.one(owners.count()).await
}

pub async fn set_role(tx: &mut WriteTx<'_>, id: MemberId, role: Role) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(members::table.find(id)).set((
        members::role.eq(role),
        members::updated_at.eq(now),
        members::version.eq(members::version + 1),
    ));
    tx.execute(change).await.map(|_| ())
}

pub async fn remove(tx: &mut WriteTx<'_>, id: MemberId) -> Result<(), DbError> {
    tx.execute(diesel::delete(members::table.find(id))).await.map(|_| ())
}

/// Whether an address belongs to a member already.
pub async fn is_member(
    tx: &mut ReadTx<'_>,
    organization: OrganizationId,
    email: &Email,
) -> Result<bool, DbError> {
    let row = members::table
        .inner_join(accounts::table)
        .filter(members::organization_id.eq(organization).and(accounts::email_key.eq(email.key())))
        .filter(accounts::state.eq("active"))
        .select(members::id);
    let found: Option<MemberId> = tx.optional(row).await?;
    Ok(found.is_some())
}

/// The plans of the organization's stores: the largest decides how many members fit.
pub async fn plans_in_use(tx: &mut ReadTx<'_>, organization: OrganizationId) -> Result<Vec<String>, DbError> {
    let living = stores::table.filter(stores::organization_id.eq(organization));
    tx.load(
        living.filter(stores::state.ne_all(["failed", "deleted", "purged"])).select(stores::plan).distinct(),
    )
    .await
}

/// Opens an invitation; an earlier open one to the same address is taken back.
pub async fn insert_invitation(
    tx: &mut WriteTx<'_>,
    organization: OrganizationId,
    email: &Email,
    role: Role,
    by: AccountId,
    digest: &SecretDigest,
) -> Result<Invitation, DbError> {
    let now = tx.now();
    let earlier = invitations::table
        .filter(invitations::organization_id.eq(organization).and(invitations::email_key.eq(email.key())))
        .filter(invitations::state.eq("open"));
    let close =
        diesel::update(earlier).set((invitations::state.eq("revoked"), invitations::closed_at.eq(now)));
    tx.execute(close).await?;
    let row = diesel::insert_into(invitations::table).values((
        invitations::id.eq(InvitationId::new()),
        invitations::organization_id.eq(organization),
        invitations::email.eq(email.as_str()),
        invitations::email_key.eq(email.key()),
        invitations::role.eq(role),
        invitations::secret_hash.eq(digest.as_bytes().as_slice()),
        invitations::invited_by.eq(by),
        invitations::created_at.eq(now),
        invitations::expires_at.eq(now + INVITATION_LIFETIME),
    ));
    tx.one(row.returning(Invitation::as_returning())).await
}

/// Open invitations that have not run out, oldest first.
pub async fn list_invitations(
    tx: &mut ReadTx<'_>,
    organization: OrganizationId,
) -> Result<Vec<Invitation>, DbError> {
    let now = tx.now();
    let open = invitations::table
        .filter(invitations::organization_id.eq(organization).and(invitations::state.eq("open")))
        .filter(invitations::expires_at.gt(now))
        .order(invitations::id)
        .limit(100)
        .select(Invitation::as_select());
    tx.load(open).await
}

/// Takes an open invitation back.
pub async fn revoke_invitation(
    tx: &mut WriteTx<'_>,
    organization: OrganizationId,
    id: InvitationId,
) -> Result<Option<Invitation>, DbError> {
    let now = tx.now();
    let open = invitations::table
        .find(id)
        .filter(invitations::organization_id.eq(organization).and(invitations::state.eq("open")));
    let close = diesel::update(open).set((invitations::state.eq("revoked"), invitations::closed_at.eq(now)));
    tx.optional(close.returning(Invitation::as_returning())).await
}

/// Uses an invitation up, if it is open, in time, and was sent to this address.
pub async fn accept_invitation(
    tx: &mut WriteTx<'_>,
    digest: &SecretDigest,
    email: &Email,
) -> Result<Option<Invitation>, DbError> {
    let now = tx.now();
    let open = invitations::table
        .filter(invitations::secret_hash.eq(digest.as_bytes().as_slice()))
        .filter(invitations::email_key.eq(email.key()).and(invitations::state.eq("open")))
        .filter(invitations::expires_at.gt(now));
    let close = diesel::update(open).set((invitations::state.eq("accepted"), invitations::closed_at.eq(now)));
    tx.optional(close.returning(Invitation::as_returning())).await
}
