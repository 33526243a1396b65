//! A copy of everything, and forgetting.

use souk_kernel::CustomerId;
use souk_tenancy::{ReadTx, WriteTx};

use super::error::PrivacyError;
use super::model::{CartExport, MailboxExport, PersonalData, StoreCreditExport};
use super::queries;
use crate::{
    cart, credit, customers, drafts, fulfillment, groups, identities, invoices, orders, subscriptions, tax,
};

/// A copy of everything the store knows of a customer.
pub async fn export(tx: &mut ReadTx<'_>, id: CustomerId) -> Result<PersonalData, PrivacyError> {
    let customer = customers::export(tx, id).await?;
    // An address that is not confirmed may be somebody else's.
    let confirmed = customer.account.verified_at.map(|_| customer.account.email.clone());
    let confirmed = confirmed.as_deref();
    let identities = identities::of_customer(tx, id).await?;
    let orders = orders::of_customer(tx, id, confirmed).await?;
    let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
    let fulfillments = fulfillment::of_orders(tx, &ids).await?;
    let invoices = invoices::of_customer(tx, id, confirmed).await?;
    let carts = cart::of_customer(tx, id).await?.into_iter().map(CartExport::from).collect();
    let store_credits = credit::of_customer(tx, id).await?.into_iter().map(StoreCreditExport::from).collect();
    let customer_groups = groups::of_customer(tx, id).await?.unwrap_or_default();
    let tax_exemptions = tax::exemptions(tx, Some(id), None).await?;
    let mailbox = if let Some(address) = confirmed {
        MailboxExport {
            gift_cards: credit::mailed(tx, address).await?,
            subscriptions: subscriptions::of_mailbox(tx, address).await?,
            suppression: queries::suppression(tx, address).await?,
            mails: queries::mails(tx, address).await?,
        }
    } else {
        MailboxExport::default()
    };
    Ok(PersonalData {
        customer,
        identities,
        orders,
        fulfillments,
        invoices,
        carts,
        store_credits,
        customer_groups,
        tax_exemptions,
        mailbox,
    })
}

/// Forgets a person, in one transaction: account, address book, sessions, identities elsewhere, carts, groups, exemptions from tax; names and addresses on their orders, guest orders of a
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
    tax::forget(tx, id).await?;
    groups::forget(tx, id).await?;
    drafts::forget(tx, id, mailbox.as_deref()).await?;
    Ok(cart::forget(tx, id, mailbox.as_deref()).await?)
}
