//! The rows of people and of the links that were mailed to them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use souk_access::{PasswordHash, SecretDigest};
use souk_kernel::{AccountId, Email, OrganizationId, Text};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::model::{Account, EditAccount, Purpose};
use crate::locale::Locale;
use crate::schema::{account_secrets, accounts, members, organizations};

const ACTIVE: &str = "active";

/// Adds an account; `false` when the address is taken.
pub async fn insert(
    tx: &mut WriteTx<'_>,
    id: AccountId,
    email: &Email,
    name: &Text<120>,
    locale: &Locale,
    hash: &PasswordHash,
) -> Result<bool, DbError> {
    let now = tx.now();
    let rows = tx
        .execute(
            diesel::insert_into(accounts::table)
                .values((
                    accounts::id.eq(id),
                    accounts::email.eq(email.as_str()),
                    accounts::email_key.eq(email.key()),
                    accounts::name.eq(name),
                    accounts::locale.eq(locale.as_str()),
                    accounts::password_hash.eq(hash.as_str()),
                    accounts::created_at.eq(now),
                    accounts::updated_at.eq(now),
                ))
                .on_conflict_do_nothing(),
        )
        .await?;
    Ok(rows == 1)
}

/// Adds the account of somebody a provider vouches for, address and all; `None` when the address is taken.
pub async fn insert_vouched(
    tx: &mut WriteTx<'_>,
    email: &Email,
    name: &Text<120>,
) -> Result<Option<Account>, DbError> {
    let now = tx.now();
    let row = diesel::insert_into(accounts::table).values((
        accounts::id.eq(AccountId::new()),
        accounts::email.eq(email.as_str()),
        accounts::email_key.eq(email.key()),
        accounts::name.eq(name),
        accounts::verified_at.eq(now),
        accounts::created_at.eq(now),
        accounts::updated_at.eq(now),
    ));
    tx.optional(row.on_conflict_do_nothing().returning(Account::as_returning())).await
}

/// A living account.
pub async fn find(tx: &mut ReadTx<'_>, id: AccountId) -> Result<Option<Account>, DbError> {
    tx.optional(accounts::table.find(id).filter(accounts::state.eq(ACTIVE)).select(Account::as_select()))
        .await
}

/// A living account, locked until the transaction ends.
pub async fn lock(tx: &mut WriteTx<'_>, id: AccountId) -> Result<Option<Account>, DbError> {
    let row = accounts::table.find(id).filter(accounts::state.eq(ACTIVE)).select(Account::as_select());
    tx.optional(row.for_update()).await
}

/// A living account and its hash, if it has a password, by address.
pub async fn find_by_email(
    tx: &mut ReadTx<'_>,
    email: &Email,
) -> Result<Option<(Account, Option<PasswordHash>)>, DbError> {
    let row = accounts::table
        .filter(accounts::email_key.eq(email.key()).and(accounts::state.eq(ACTIVE)))
        .select((Account::as_select(), accounts::password_hash));
    let found: Option<(Account, Option<String>)> = tx.optional(row).await?;
    Ok(found.map(|(account, hash)| (account, hash.map(PasswordHash::stored))))
}

/// A living account's hash; `None` for who signs in with others only.
pub async fn password(tx: &mut ReadTx<'_>, id: AccountId) -> Result<Option<PasswordHash>, DbError> {
    let row = accounts::table.find(id).filter(accounts::state.eq(ACTIVE));
    let hash: Option<Option<String>> = tx.optional(row.select(accounts::password_hash)).await?;
    Ok(hash.flatten().map(PasswordHash::stored))
}

/// Changes what the wish names; it names something.
pub async fn edit(tx: &mut WriteTx<'_>, id: AccountId, wish: &EditAccount) -> Result<Account, DbError> {
    let now = tx.now();
    let change = diesel::update(accounts::table.find(id)).set((
        wish.name.as_ref().map(|name| accounts::name.eq(name)),
        wish.locale.as_ref().map(|locale| accounts::locale.eq(locale.as_str())),
        accounts::updated_at.eq(now),
        accounts::version.eq(accounts::version + 1),
    ));
    tx.one(change.returning(Account::as_returning())).await
}

pub async fn mark_verified(tx: &mut WriteTx<'_>, id: AccountId) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(accounts::table.find(id).filter(accounts::verified_at.is_null())).set((
        accounts::verified_at.eq(now),
        accounts::updated_at.eq(now),
        accounts::version.eq(accounts::version + 1),
    ));
    tx.execute(change).await.map(|_| ())
}

/// Sets the password and raises the epoch: every token of this plane that is out dies. Those for stores die with the sessions.
pub async fn set_password(tx: &mut WriteTx<'_>, id: AccountId, hash: &PasswordHash) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(accounts::table.find(id)).set((
        accounts::password_hash.eq(hash.as_str()),
        accounts::epoch.eq(accounts::epoch + 1),
        accounts::updated_at.eq(now),
        accounts::version.eq(accounts::version + 1),
    ));
    tx.execute(change).await.map(|_| ())
}

/// Raises the epoch: every access token of this plane that is out dies. Those for stores die with the sessions.
pub async fn raise_epoch(tx: &mut WriteTx<'_>, id: AccountId) -> Result<(), DbError> {
    let change = diesel::update(accounts::table.find(id)).set(accounts::epoch.eq(accounts::epoch + 1));
    tx.execute(change).await.map(|_| ())
}

/// Forgets the person; the row stays because audit entries and operations name it.
pub async fn erase(tx: &mut WriteTx<'_>, id: AccountId) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(accounts::table.find(id)).set((
        accounts::email.eq("deleted@invalid"),
        accounts::email_key.eq("deleted@invalid"),
        accounts::name.eq("Deleted account"),
        accounts::password_hash.eq(None::<String>),
        accounts::verified_at.eq(None::<DateTime<Utc>>),
        accounts::state.eq("deleted"),
        accounts::epoch.eq(accounts::epoch + 1),
        accounts::updated_at.eq(now),
        accounts::version.eq(accounts::version + 1),
    ));
    tx.execute(change).await?;
    tx.execute(diesel::delete(account_secrets::table.filter(account_secrets::account_id.eq(id)))).await?;
    Ok(())
}

/// Names of the organizations that would be left without an owner.
pub async fn organizations_owned_alone(
    tx: &mut ReadTx<'_>,
    id: AccountId,
) -> Result<Vec<Text<120>>, DbError> {
    let others = diesel::alias!(members as others);
    let another_owner = others
        .filter(others.field(members::organization_id).eq(members::organization_id))
        .filter(others.field(members::role).eq("owner"))
        .filter(others.field(members::account_id).ne(id));
    let alone = members::table
        .inner_join(organizations::table)
        .filter(members::account_id.eq(id).and(members::role.eq("owner")))
        .filter(organizations::state.eq(ACTIVE))
        .filter(diesel::dsl::not(diesel::dsl::exists(another_owner)))
        .order(organizations::id)
        .select(organizations::name);
    tx.load(alone).await
}

/// Ends every membership of the account, and says where it was one.
pub async fn leave_organizations(
    tx: &mut WriteTx<'_>,
    id: AccountId,
) -> Result<Vec<OrganizationId>, DbError> {
    let left = diesel::delete(members::table.filter(members::account_id.eq(id)));
    let mut left = tx.load(left.returning(members::organization_id)).await?;
    // The order in which chains of audit entries are locked.
    left.sort_unstable();
    Ok(left)
}

/// Keeps the digest of a mailed secret; earlier unused ones of the same purpose stop working.
pub async fn insert_secret(
    tx: &mut WriteTx<'_>,
    account: &Account,
    purpose: Purpose,
    digest: &SecretDigest,
) -> Result<(), DbError> {
    let now = tx.now();
    let earlier = account_secrets::table
        .filter(account_secrets::account_id.eq(account.id).and(account_secrets::purpose.eq(purpose)));
    tx.execute(diesel::delete(earlier.filter(account_secrets::used_at.is_null()))).await?;
    let row = diesel::insert_into(account_secrets::table).values((
        account_secrets::secret_hash.eq(digest.as_bytes().as_slice()),
        account_secrets::account_id.eq(account.id),
        account_secrets::purpose.eq(purpose),
        account_secrets::email_key.eq(account.email.key()),
        account_secrets::created_at.eq(now),
        account_secrets::expires_at.eq(now + purpose.lifetime()),
    ));
    tx.execute(row).await.map(|_| ())
}

/// Uses a secret up: whose it is, if it was good. Of two parallel uses one gets the account.
pub async fn use_secret(
    tx: &mut WriteTx<'_>,
    purpose: Purpose,
    digest: &SecretDigest,
) -> Result<Option<(AccountId, String)>, DbError> {
    let now = tx.now();
    let good = account_secrets::table
        .find(digest.as_bytes().as_slice())
        .filter(account_secrets::purpose.eq(purpose).and(account_secrets::used_at.is_null()))
        .filter(account_secrets::expires_at.gt(now));
    let change = diesel::update(good).set(account_secrets::used_at.eq(now));
    tx.optional(change.returning((account_secrets::account_id, account_secrets::email_key))).await
}
