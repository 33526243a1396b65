//! Invitations, changes of colleagues and roles.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_access::{Grant, SecretDigest};
use souk_kernel::{AccountId, ApiKeyId, AppId, CustomerId, Email, InvitationId, RoleId, StaffId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use crate::staff::model::{Colleague, INVITATION_LIFETIME, InvitationView, OWNER, Role};

macro_rules! role_by {
    ($condition:literal) => {
        concat!(
            "SELECT r.id, r.name, r.built_in, r.version, ARRAY(SELECT p.object || ':' || p.action FROM role_permissions p \
             WHERE p.role_id = r.id ORDER BY 1) AS grants FROM roles r WHERE ",
            $condition
        )
    };
}

/// A colleague who was not let go.
pub async fn colleague(tx: &mut ReadTx<'_>, id: StaffId) -> Result<Option<Colleague>, DbError> {
    let query =
        sql("SELECT s.id, s.email, s.name, s.role_id, r.name AS role, s.state, s.version, s.created_at \
         FROM staff s JOIN roles r ON r.id = s.role_id WHERE s.id = $1 AND s.state <> 'removed'");
    tx.optional(query.bind::<SqlUuid, _>(id)).await
}

/// Locks the table of roles' rows: whoever changes who holds what waits here, so that nothing is checked against what is changing.
pub async fn lock_roles(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    let _: Vec<Found> = tx.load(sql("SELECT id FROM roles ORDER BY id FOR UPDATE")).await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    #[expect(dead_code, reason = "read for the lock, not for the value")]
    id: Uuid,
}

pub async fn lock_role(tx: &mut WriteTx<'_>, id: RoleId) -> Result<Option<Role>, DbError> {
    tx.optional(sql(role_by!("r.id = $1 FOR UPDATE OF r")).bind::<SqlUuid, _>(id)).await
}

pub async fn lock_role_named(tx: &mut WriteTx<'_>, name: &str) -> Result<Option<Role>, DbError> {
    tx.optional(sql(role_by!("r.name = $1 FOR UPDATE OF r")).bind::<Text, _>(name.to_owned())).await
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many owners there are. The roles are locked, so it stays true.
pub async fn active_owners(tx: &mut WriteTx<'_>) -> Result<i64, DbError> {
    let query = sql(
        "SELECT count(*) AS count FROM staff s JOIN roles r ON r.id = s.role_id WHERE r.name = $1 AND s.state = 'active'",
    );
    Ok(tx.one::<Count>(query.bind::<Text, _>(OWNER)).await?.count)
}

/// How many people work here. While the roles are locked, nobody joins.
pub async fn active(tx: &mut WriteTx<'_>) -> Result<i64, DbError> {
    Ok(tx.one::<Count>(sql("SELECT count(*) AS count FROM staff WHERE state = 'active'")).await?.count)
}

/// How many people and open invitations have a role.
pub async fn members_of(tx: &mut WriteTx<'_>, role: RoleId) -> Result<i64, DbError> {
    let query = sql("SELECT (SELECT count(*) FROM staff WHERE role_id = $1) + \
         (SELECT count(*) FROM staff_invitations WHERE role_id = $1) AS count");
    Ok(tx.one::<Count>(query.bind::<SqlUuid, _>(role)).await?.count)
}

pub async fn set_role(tx: &mut WriteTx<'_>, id: StaffId, role: RoleId) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE staff SET role_id = $2, epoch = epoch + 1, version = version + 1, updated_at = $3 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(role)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Lets a colleague go. Their row stays, because the log names it; their account and mailbox are free to be invited again.
pub async fn remove(tx: &mut WriteTx<'_>, id: StaffId) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE staff SET state = 'removed', account_id = NULL, email_key = 'removed:' || id, epoch = epoch + 1, \
         version = version + 1, updated_at = $2 WHERE id = $1")
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Whether somebody with this mailbox works here.
pub async fn works_here(tx: &mut ReadTx<'_>, email: &Email) -> Result<bool, DbError> {
    let query = sql("SELECT count(*) AS count FROM staff WHERE email_key = $1 AND state = 'active'");
    Ok(tx.one::<Count>(query.bind::<Text, _>(email.key())).await?.count > 0)
}

/// Writes an invitation; an open one for the same mailbox is taken back.
pub async fn invite(
    tx: &mut WriteTx<'_>,
    id: InvitationId,
    email: &Email,
    role: RoleId,
    by: &str,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE staff_invitations SET state = 'revoked', closed_at = $2 WHERE email_key = $1 AND state = 'open'")
        .bind::<Text, _>(email.key())
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await?;
    let query = sql(
        "INSERT INTO staff_invitations (id, email, email_key, role_id, invited_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(email.as_str().to_owned())
    .bind::<Text, _>(email.key())
    .bind::<SqlUuid, _>(role)
    .bind::<Text, _>(by.to_owned())
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now + INVITATION_LIFETIME);
    tx.execute(query).await.map(drop)
}

/// Open invitations, newest first.
pub async fn invitations(tx: &mut ReadTx<'_>) -> Result<Vec<InvitationView>, DbError> {
    let now = tx.now();
    let query = sql(
        "SELECT i.id, i.email, r.name AS role, i.invited_by, i.created_at, i.expires_at FROM staff_invitations i \
         JOIN roles r ON r.id = i.role_id WHERE i.state = 'open' AND i.expires_at > $1 ORDER BY i.id DESC LIMIT 200",
    );
    tx.load(query.bind::<Timestamptz, _>(now)).await
}

/// Takes an open invitation back; `false` when there is none.
pub async fn revoke_invitation(tx: &mut WriteTx<'_>, id: InvitationId) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql(
        "UPDATE staff_invitations SET state = 'revoked', closed_at = $2 WHERE id = $1 AND state = 'open'",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(query).await? == 1)
}

/// Keeps the digest of the mailed secret; the address and the role for the mail. None when the invitation is not open.
pub async fn invitation_letter(
    tx: &mut WriteTx<'_>,
    id: InvitationId,
    digest: &SecretDigest,
) -> Result<Option<InvitationView>, DbError> {
    let query = sql("UPDATE staff_invitations i SET secret_hash = $2 FROM roles r \
         WHERE i.id = $1 AND i.state = 'open' AND r.id = i.role_id \
         RETURNING i.id, i.email, r.name AS role, i.invited_by, i.created_at, i.expires_at")
    .bind::<SqlUuid, _>(id)
    .bind::<Binary, _>(digest.as_bytes().to_vec());
    tx.optional(query).await
}

#[derive(QueryableByName)]
struct Joined {
    #[diesel(embed)]
    colleague: Colleague,
    #[diesel(sql_type = BigInt)]
    others: i64,
}

/// Accepts an open invitation: of parallel uses one does; who joined, and how many others work here. None when it cannot be used.
pub async fn accept(
    tx: &mut WriteTx<'_>,
    digest: &SecretDigest,
    account: Option<AccountId>,
    name: &str,
) -> Result<Option<(Colleague, i64)>, DbError> {
    let now = tx.now();
    let query = sql("WITH used AS (UPDATE staff_invitations SET state = 'accepted', closed_at = $4 \
           WHERE secret_hash = $1 AND state = 'open' AND expires_at > $4 RETURNING email, email_key, role_id) \
         INSERT INTO staff (id, account_id, email, email_key, name, role_id, state, created_at, updated_at) \
         SELECT $5, $2, used.email, used.email_key, $3, used.role_id, 'active', $4, $4 FROM used \
         RETURNING id, email, name, role_id, (SELECT r.name FROM roles r WHERE r.id = role_id) AS role, state, version, \
           created_at, (SELECT count(*) FROM staff s WHERE s.state = 'active') AS others")
    .bind::<Binary, _>(digest.as_bytes().to_vec())
    .bind::<Nullable<SqlUuid>, _>(account)
    .bind::<Text, _>(name.to_owned())
    .bind::<Timestamptz, _>(now)
    .bind::<SqlUuid, _>(StaffId::new());
    let joined: Option<Joined> = tx.optional(query).await?;
    Ok(joined.map(|joined| (joined.colleague, joined.others)))
}

/// Makes a role, or gives one another name and other grants; `None` when another role has the name.
pub async fn insert_role(tx: &mut WriteTx<'_>, id: RoleId, name: &str) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO roles (id, name, built_in, created_at, updated_at) VALUES ($1, $2, false, $3, $3) ON CONFLICT DO NOTHING")
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(name.to_owned())
        .bind::<Timestamptz, _>(now);
    Ok(tx.execute(query).await? == 1)
}

/// Writes a role's name and grants, and counts the policy's version up; `false` when another role has the name.
pub async fn write_role(
    tx: &mut WriteTx<'_>,
    id: RoleId,
    name: &str,
    grants: &[Grant],
) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql("UPDATE roles SET name = $2, version = version + 1, updated_at = $3 \
         WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM roles o WHERE o.name = $2 AND o.id <> $1)")
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(name.to_owned())
    .bind::<Timestamptz, _>(now);
    if tx.execute(query).await? == 0 {
        return Ok(false);
    }
    tx.execute(sql("DELETE FROM role_permissions WHERE role_id = $1").bind::<SqlUuid, _>(id)).await?;
    let column = |of: fn(&Grant) -> &str| grants.iter().map(|grant| of(grant).to_owned()).collect::<Vec<_>>();
    let query = sql("INSERT INTO role_permissions (role_id, object, action) SELECT $1, g.object, g.action \
         FROM unnest($2, $3) AS g (object, action) ON CONFLICT DO NOTHING")
    .bind::<SqlUuid, _>(id)
    .bind::<Array<Text>, _>(column(Grant::object))
    .bind::<Array<Text>, _>(column(Grant::action));
    tx.execute(query).await?;
    tx.execute(sql("UPDATE store_settings SET policy_version = policy_version + 1")).await?;
    Ok(true)
}

/// Removes a role nobody has.
pub async fn remove_role(tx: &mut WriteTx<'_>, id: RoleId) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM roles WHERE id = $1").bind::<SqlUuid, _>(id)).await.map(drop)
}

#[derive(QueryableByName)]
struct KeyGrants {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Array<Text>)]
    scopes: Vec<String>,
    #[diesel(sql_type = Bool)]
    live: bool,
}

/// A key's kind, its scopes, and whether it is neither revoked nor expired.
pub async fn explain_key(
    tx: &mut ReadTx<'_>,
    id: ApiKeyId,
) -> Result<Option<(String, Vec<String>, bool)>, DbError> {
    let now = tx.now();
    let query = sql("SELECT kind, scopes, revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) AS live FROM api_keys WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Timestamptz, _>(now);
    let row: Option<KeyGrants> = tx.optional(query).await?;
    Ok(row.map(|row| (row.kind, row.scopes, row.live)))
}

/// An app's scopes, and whether it is approved.
pub async fn explain_app(tx: &mut ReadTx<'_>, id: AppId) -> Result<Option<(Vec<String>, bool)>, DbError> {
    let query = sql("SELECT '' AS kind, scopes, state = 'approved' AS live FROM apps WHERE id = $1");
    let row: Option<KeyGrants> = tx.optional(query.bind::<SqlUuid, _>(id)).await?;
    Ok(row.map(|row| (row.scopes, row.live)))
}

/// Whether a customer may sign in; none when there is no such customer.
pub async fn explain_customer(tx: &mut ReadTx<'_>, id: CustomerId) -> Result<Option<bool>, DbError> {
    let query = sql(
        "SELECT '' AS kind, '{}'::text[] AS scopes, state = 'enabled' AS live FROM customers WHERE id = $1 AND state <> 'erased'",
    );
    let row: Option<KeyGrants> = tx.optional(query.bind::<SqlUuid, _>(id)).await?;
    Ok(row.map(|row| row.live))
}
