//! The stories of a customer, each inside one transaction.

mod account;
mod letters;
mod sessions;

use sha2::{Digest as _, Sha256};
use souk_api::{ETag, IfMatch};
use souk_kernel::{AddressId, CustomerId};
use souk_tenancy::{ReadTx, WriteTx};

use super::error::CustomerError;
use super::events::CustomerErased;
use super::model::{
    AddressView, Buyer, Customer, CustomerExport, EditCustomer, EndReason, MOST_ADDRESSES, Mailbox,
    NewAddress, WishedState,
};
use super::queries;

pub use account::{
    change_password, chosen, complete_reset, confirm_email, edit_account, prove, register, register_vouched,
    request_reset, resend_verification, tell_of_identity, verify, wish_email,
};
pub use letters::{Letter, Outlook, letter, outlook};
pub use sessions::{Refreshed, admit_payment, attempt, begin, count_decline, end, end_all, open, refresh};

/// Adds an address to the book. The first one is the default for both.
pub async fn add_address(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    wish: NewAddress,
) -> Result<(AddressView, i64), CustomerError> {
    let mut wish = wish.settled().map_err(CustomerError::Fields)?;
    queries::lock(tx, customer).await?.ok_or(CustomerError::Unknown)?;
    let count = queries::count_addresses(tx, customer).await?;
    if count >= MOST_ADDRESSES {
        return Err(CustomerError::AddressBookFull);
    }
    if count == 0 {
        (wish.default_shipping, wish.default_billing) = (true, true);
    }
    let id = AddressId::new();
    queries::add(tx, customer, id, &wish).await?;
    queries::find_address(tx, customer, id).await?.ok_or(CustomerError::Unknown)
}

/// Replaces an address of the book.
pub async fn put_address(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    id: AddressId,
    seen: &IfMatch,
    wish: NewAddress,
) -> Result<(AddressView, i64), CustomerError> {
    queries::lock(tx, customer).await?.ok_or(CustomerError::Unknown)?;
    let (_, version) = queries::find_address(tx, customer, id).await?.ok_or(CustomerError::Unknown)?;
    seen.check(&ETag::new(version))?;
    let wish = wish.settled().map_err(CustomerError::Fields)?;
    queries::put(tx, customer, id, &wish).await?;
    queries::find_address(tx, customer, id).await?.ok_or(CustomerError::Unknown)
}

/// Removes an address of the book.
pub async fn remove_address(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    id: AddressId,
) -> Result<(), CustomerError> {
    if queries::remove(tx, customer, id).await? { Ok(()) } else { Err(CustomerError::Unknown) }
}

/// Changes a customer for the store; disabling ends every session.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    id: CustomerId,
    seen: &IfMatch,
    wish: &EditCustomer,
) -> Result<Customer, CustomerError> {
    let customer = queries::lock(tx, id).await?.ok_or(CustomerError::Unknown)?;
    seen.check(&ETag::new(customer.version))?;
    queries::edit(tx, id, wish).await?;
    if wish.state == Some(WishedState::Disabled) {
        queries::end_all(tx, id, EndReason::Disabled).await?;
    }
    queries::find(tx, id).await?.ok_or(CustomerError::Unknown)
}

/// An order was placed by a signed-in customer. One statement.
///
/// # Errors
/// The database's only.
pub async fn ordered(tx: &mut WriteTx<'_>, customer: CustomerId) -> Result<(), souk_tenancy::DbError> {
    queries::count_orders(tx, customer, 1).await
}

/// The mailbox of a customer who has confirmed that it is theirs; their row is locked until the transaction ends.
///
/// # Errors
/// [`CustomerError::Unknown`]; [`CustomerError::Unconfirmed`] until they have.
pub async fn mailbox(tx: &mut WriteTx<'_>, id: CustomerId) -> Result<Mailbox, CustomerError> {
    let customer = queries::lock(tx, id).await?.ok_or(CustomerError::Unknown)?;
    customer.verified_at.ok_or(CustomerError::Unconfirmed)?;
    Ok(Mailbox::confirmed(id, customer.email))
}

/// Orders that were placed as a guest are the customer's now. One statement.
///
/// # Errors
/// The database's only.
pub async fn claimed(tx: &mut WriteTx<'_>, mailbox: &Mailbox, orders: usize) -> Result<(), CustomerError> {
    let orders = i64::try_from(orders).unwrap_or(i64::MAX);
    Ok(queries::count_orders(tx, mailbox.customer(), orders).await?)
}

/// What a cart takes from its owner; the customer's row is locked until the transaction ends. None when they may not sign in.
///
/// # Errors
/// The database's only.
pub async fn buyer(tx: &mut WriteTx<'_>, id: CustomerId) -> Result<Option<Buyer>, CustomerError> {
    let found = queries::lock(tx, id).await?.filter(|customer| customer.state == "enabled");
    let Some(customer) = found else { return Ok(None) };
    let addresses = queries::addresses(tx, id).await?;
    let default = |which: fn(&AddressView) -> bool| {
        addresses.iter().find(|address| which(address)).map(|address| address.address.clone())
    };
    let (shipping, billing) = (default(|a| a.default_shipping), default(|a| a.default_billing));
    Ok(Some(Buyer { id, email: customer.email, shipping, billing }))
}

/// Everything the store knows of a customer's account.
///
/// # Errors
/// [`CustomerError::Unknown`] when there is none.
pub async fn export(tx: &mut ReadTx<'_>, id: CustomerId) -> Result<CustomerExport, CustomerError> {
    let customer = queries::find(tx, id).await?.ok_or(CustomerError::Unknown)?;
    let addresses = queries::addresses(tx, id).await?;
    let sessions = queries::sessions(tx, id).await?.into_iter().map(|session| session.view(None)).collect();
    Ok(CustomerExport { account: customer.into(), addresses, sessions })
}

/// Forgets the person: name, addresses, sessions, password. The row stays without them, because orders name it. Gives the confirmed
/// mailbox, if there was one, for whoever keeps more.
///
/// # Errors
/// [`CustomerError::Unknown`] when there is none.
pub async fn erase(tx: &mut WriteTx<'_>, id: CustomerId) -> Result<Option<String>, CustomerError> {
    let customer = queries::lock(tx, id).await?.ok_or(CustomerError::Unknown)?;
    queries::erase(tx, id).await?;
    let digest = Sha256::digest(customer.email.to_lowercase().as_bytes());
    let email_sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    souk_event_bus::emit(tx, &CustomerErased { customer_id: id, email_sha256 }).await?;
    Ok(customer.verified_at.map(|_| customer.email))
}
