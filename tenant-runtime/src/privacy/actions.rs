//! A copy of everything, and forgetting.

use souk_kernel::CustomerId;
use souk_tenancy::{ReadTx, WriteTx};

use super::error::PrivacyError;
use super::model::{CartExport, PersonalData};
use super::queries;
use crate::{cart, customers, fulfillment, identities, invoices, orders};

/// A copy of everything the store knows of a customer.
pub async fn export(tx: &mut ReadTx<'_>, id: CustomerId) -> Result<PersonalData, PrivacyError> {
    let customer = customers::export(tx, id).await?;
    let identities = identities::of_customer(tx, id).await?;
    let orders = orders::of_customer(tx, id).await?;
    let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
    let fulfillments = fulfillment::of_orders(tx, &ids).await?;
    let invoices = invoices::of_customer(tx, id).await?;
    let carts = cart::of_customer(tx, id).await?.into_iter().map(CartExport::from).collect();
    Ok(PersonalData { customer, identities, orders, fulfillments, invoices, carts })
}

/// Forgets a person, in one transaction: account, address book, sessions, identities elsewhere, carts; names and addresses on their orders, guest orders of a
/// confirmed mailbox included. Mails to them are forgotten by whoever keeps mail, when the event is heard.
pub async fn erase(tx: &mut WriteTx<'_>, id: CustomerId, force: bool) -> Result<(), PrivacyError> {
    let mailbox = customers::erase(tx, id).await?;
    let under_way = orders::under_way(tx, id, mailbox.as_deref()).await?;
    if under_way > 0 && !force {
        return Err(PrivacyError::OrdersUnderWay(under_way));
    }
    orders::forget(tx, id, mailbox.as_deref()).await?;
    identities::forget_customer(tx, id).await?;
    queries::forget_replies(tx, id).await?;
    Ok(cart::forget(tx, id).await?)
}
