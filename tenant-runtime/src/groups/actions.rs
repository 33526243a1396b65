//! What is done with groups of customers.

use souk_api::{ETag, FieldError, IfMatch};
use souk_event_bus::emit;
use souk_kernel::CustomerGroupId;
use souk_tenancy::{ReadTx, WriteTx};

use super::error::GroupError;
use super::events::{CustomerGroupCreated, CustomerGroupDeleted, CustomerGroupUpdated};
use super::model::{
    ChangeMembers, CreateCustomerGroup, CustomerGroupView, EditCustomerGroup, MembersChanged,
};
use super::queries;

/// Most groups of a store, and so of a customer.
const MOST: i64 = 200;

/// One group. One statement.
pub async fn show(tx: &mut ReadTx<'_>, id: CustomerGroupId) -> Result<CustomerGroupView, GroupError> {
    queries::groups(tx, Some(id)).await?.pop().ok_or(GroupError::Unknown)
}

/// A group that nobody is in yet. One is made at a time, so that the limit holds.
pub async fn create(
    tx: &mut WriteTx<'_>,
    wish: &CreateCustomerGroup,
) -> Result<CustomerGroupView, GroupError> {
    queries::lock_all(tx).await?;
    if queries::count(tx).await? >= MOST {
        let error = FieldError::new("", "too_many", "a store has at most 200 groups of customers");
        return Err(GroupError::Invalid(vec![error]));
    }
    let id = CustomerGroupId::new();
    queries::insert(tx, id, wish).await?;
    emit(tx, &CustomerGroupCreated { customer_group: id }).await?;
    show(tx, id).await
}

/// A group's own fields.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    id: CustomerGroupId,
    seen: IfMatch,
    wish: &EditCustomerGroup,
) -> Result<CustomerGroupView, GroupError> {
    let now = queries::lock(tx, id).await?.ok_or(GroupError::Unknown)?;
    seen.check(&ETag::new(now.version)).map_err(GroupError::Precondition)?;
    queries::edit(tx, id, &now, wish).await?;
    emit(tx, &CustomerGroupUpdated { customer_group: id }).await?;
    show(tx, id).await
}

/// A group that nothing is only for: without it a price would be for everybody.
pub async fn remove(tx: &mut WriteTx<'_>, id: CustomerGroupId) -> Result<(), GroupError> {
    queries::lock(tx, id).await?.ok_or(GroupError::Unknown)?;
    let uses = queries::uses(tx, id).await?;
    if !uses.are_none() {
        return Err(GroupError::InUse(uses));
    }
    queries::remove(tx, id).await?;
    emit(tx, &CustomerGroupDeleted { customer_group: id }).await?;
    Ok(())
}

/// Puts customers into a group and takes others out, all or none. Repeating it changes nothing, and tells nobody. Locks the group, then the
/// customers who come in, against being forgotten meanwhile.
pub async fn change_members(
    tx: &mut WriteTx<'_>,
    id: CustomerGroupId,
    wish: &ChangeMembers,
) -> Result<MembersChanged, GroupError> {
    wish.check().map_err(GroupError::Invalid)?;
    queries::lock(tx, id).await?.ok_or(GroupError::Unknown)?;
    if !wish.add.is_empty() {
        let strangers = wish.strangers(&queries::lock_customers(tx, &wish.add).await?);
        if !strangers.is_empty() {
            return Err(GroupError::Invalid(strangers));
        }
    }
    let (added, removed) = queries::change_members(tx, id, wish).await?;
    if added + removed > 0 {
        emit(tx, &CustomerGroupUpdated { customer_group: id }).await?;
    }
    Ok(MembersChanged { added, removed, group: show(tx, id).await? })
}
