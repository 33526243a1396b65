//! The statements of groups of customers.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{CustomerGroupId, CustomerId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::model::{
    ChangeMembers, CreateCustomerGroup, CustomerGroupView, EditCustomerGroup, Locked, MemberView,
    MembershipView, Uses,
};

/// One group or all of them, by name. One statement.
pub async fn groups(
    tx: &mut ReadTx<'_>,
    id: Option<CustomerGroupId>,
) -> Result<Vec<CustomerGroupView>, DbError> {
    let query = sql("SELECT g.id, g.name, g.handle, g.note, g.version, g.created_at, g.updated_at, \
             (SELECT count(*) FROM customer_group_members m WHERE m.group_id = g.id) AS member_count \
         FROM customer_groups g WHERE ($1::uuid IS NULL OR g.id = $1) ORDER BY g.name, g.id LIMIT 200");
    tx.load(query.bind::<Nullable<SqlUuid>, _>(id)).await
}

/// One group is made at a time: how many there are is a rule over all of them.
pub async fn lock_all(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    tx.execute(sql("LOCK TABLE customer_groups IN SHARE ROW EXCLUSIVE MODE")).await.map(drop)
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many groups there are.
pub async fn count(tx: &mut ReadTx<'_>) -> Result<i64, DbError> {
    let row: CountRow = tx.one(sql("SELECT count(*) AS count FROM customer_groups")).await?;
    Ok(row.count)
}

/// Makes a group.
pub async fn insert(
    tx: &mut WriteTx<'_>,
    id: CustomerGroupId,
    wish: &CreateCustomerGroup,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO customer_groups (id, name, handle, note, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)")
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(wish.name.as_str().to_owned())
        .bind::<Text, _>(wish.handle().as_str().to_owned())
        .bind::<Text, _>(wish.note.as_str().to_owned())
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Locks a group: nothing comes to be only for it meanwhile, and nobody comes in.
pub async fn lock(tx: &mut WriteTx<'_>, id: CustomerGroupId) -> Result<Option<Locked>, DbError> {
    let query = sql("SELECT version, name, handle, note FROM customer_groups WHERE id = $1 FOR UPDATE");
    tx.optional(query.bind::<SqlUuid, _>(id)).await
}

/// Writes a group's own columns: what is wished for, else what is there.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    id: CustomerGroupId,
    there: &Locked,
    wish: &EditCustomerGroup,
) -> Result<(), DbError> {
    let now = tx.now();
    let name = wish.name.as_ref().map_or(there.name.as_str(), |name| name.as_str());
    let handle = wish.handle.as_ref().map_or(there.handle.as_str(), |handle| handle.as_str());
    let note = wish.note.as_ref().map_or(there.note.as_str(), |note| note.as_str());
    let query = sql("UPDATE customer_groups SET name = $2, handle = $3, note = $4, version = version + 1, updated_at = $5 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(name.to_owned())
        .bind::<Text, _>(handle.to_owned())
        .bind::<Text, _>(note.to_owned())
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// What is only for a group; of exemptions, those that have not ended.
pub async fn uses(tx: &mut ReadTx<'_>, id: CustomerGroupId) -> Result<Uses, DbError> {
    let now = tx.now();
    let query = sql(include_str!("queries/uses.sql")).bind::<SqlUuid, _>(id).bind::<Timestamptz, _>(now);
    tx.one(query).await
}

/// Deletes a group with its memberships and exemptions that have ended. The group is locked, and nothing is only for it.
pub async fn remove(tx: &mut WriteTx<'_>, id: CustomerGroupId) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM customer_groups WHERE id = $1").bind::<SqlUuid, _>(id)).await.map(drop)
}

#[derive(QueryableByName)]
struct CustomerRow {
    #[diesel(sql_type = SqlUuid)]
    id: CustomerId,
}

fn uuids(customers: &[CustomerId]) -> Vec<Uuid> {
    customers.iter().map(|customer| customer.uuid()).collect()
}

/// Which of these are customers whom the store has not forgotten; nobody can forget them until the transaction ends.
pub async fn lock_customers(
    tx: &mut WriteTx<'_>,
    customers: &[CustomerId],
) -> Result<Vec<CustomerId>, DbError> {
    let query =
        sql("SELECT id FROM customers WHERE id = ANY($1) AND state <> 'erased' ORDER BY id FOR KEY SHARE")
            .bind::<Array<SqlUuid>, _>(uuids(customers));
    let rows: Vec<CustomerRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

#[derive(QueryableByName)]
struct ChangedRow {
    #[diesel(sql_type = BigInt)]
    added: i64,
    #[diesel(sql_type = BigInt)]
    removed: i64,
}

/// Puts customers in and takes others out; how many came and went. The group and those who come are locked.
pub async fn change_members(
    tx: &mut WriteTx<'_>,
    id: CustomerGroupId,
    wish: &ChangeMembers,
) -> Result<(i64, i64), DbError> {
    let now = tx.now();
    let query = sql(include_str!("queries/change_members.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Array<SqlUuid>, _>(uuids(&wish.add))
        .bind::<Array<SqlUuid>, _>(uuids(&wish.remove))
        .bind::<Timestamptz, _>(now);
    let row: ChangedRow = tx.one(query).await?;
    Ok((row.added, row.removed))
}

/// One page of a group's members, those who became customers last first.
pub async fn members(
    tx: &mut ReadTx<'_>,
    id: CustomerGroupId,
    before: Option<CustomerId>,
    fetch: i64,
) -> Result<Vec<MemberView>, DbError> {
    let query = sql("SELECT c.id AS customer, c.email, c.first_name, c.last_name, m.added_at \
         FROM customer_group_members m JOIN customers c ON c.id = m.customer_id \
         WHERE m.group_id = $1 AND ($2::uuid IS NULL OR m.customer_id < $2) ORDER BY m.customer_id DESC LIMIT $3")
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(fetch);
    tx.load(query).await
}

/// A group that a customer is in; of nobody's group, all of it is null.
#[derive(QueryableByName)]
struct MembershipRow {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    group: Option<CustomerGroupId>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    handle: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    added_at: Option<DateTime<Utc>>,
}

impl MembershipRow {
    fn view(self) -> Option<MembershipView> {
        let Self { group, name, handle, added_at } = self;
        Some(MembershipView { group: group?, name: name?, handle: handle?, added_at: added_at? })
    }
}

/// The groups a customer is in, by name; `None`: there is no such customer. One statement.
///
/// # Errors
/// The database's only.
pub async fn of_customer(
    tx: &mut ReadTx<'_>,
    customer: CustomerId,
) -> Result<Option<Vec<MembershipView>>, DbError> {
    let query = sql("SELECT g.id AS \"group\", g.name, g.handle, m.added_at FROM customers c \
         LEFT JOIN customer_group_members m ON m.customer_id = c.id LEFT JOIN customer_groups g ON g.id = m.group_id \
         WHERE c.id = $1 ORDER BY g.name");
    let rows: Vec<MembershipRow> = tx.load(query.bind::<SqlUuid, _>(customer)).await?;
    let is_there = !rows.is_empty();
    Ok(is_there.then(|| rows.into_iter().filter_map(MembershipRow::view).collect()))
}

/// Takes a customer out of every group, whom the store has to forget.
///
/// # Errors
/// The database's only.
pub async fn forget(tx: &mut WriteTx<'_>, customer: CustomerId) -> Result<(), DbError> {
    let query = sql("DELETE FROM customer_group_members WHERE customer_id = $1").bind::<SqlUuid, _>(customer);
    tx.execute(query).await.map(drop)
}
