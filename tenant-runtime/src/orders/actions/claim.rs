//! What somebody bought as a guest becomes theirs.

use souk_kernel::{CustomerId, OrderId};
use souk_tenancy::WriteTx;

use crate::customers;
use crate::orders::error::OrderError;
use crate::orders::queries::owner;

/// Gives a customer the orders that were placed as a guest with the mailbox they have confirmed. Doing it again gives what came since. Two
/// statements, and two more when there are any.
///
/// # Errors
/// [`customers::CustomerError::Unconfirmed`] while nobody knows whose mailbox it is.
pub async fn claim(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    actor: &str,
) -> Result<Vec<OrderId>, OrderError> {
    let mailbox = customers::mailbox(tx, customer).await?;
    let mut orders = owner::claim(tx, &mailbox).await?;
    if !orders.is_empty() {
        orders.sort_unstable();
        owner::note_claimed(tx, &orders, actor).await?;
        customers::claimed(tx, &mailbox, orders.len()).await?;
    }
    Ok(orders)
}
