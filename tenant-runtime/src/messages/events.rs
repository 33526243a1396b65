//! What mail listens to.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use souk_event_bus::{Consumer, ConsumerError, Event, Fact as _};
use souk_tenancy::WriteTx;

use super::MailRoom;
use super::actions::notices;
use super::actions::{forget, queue, queue_invitation, queue_letter, queue_new_device};
use super::error::MessageError;
use super::model::{is_worth_a_mail, template_of};
use crate::credit::GiftCardLetterWanted;
use crate::customers::{CustomerErased, LetterWanted};
use crate::drafts::DraftOrderInvoiceSent;
use crate::fulfillment::FulfillmentCreated;
use crate::identities::StaffNewDevice;
use crate::orders::{OrderCancelled, OrderPaid, OrderRefunded};
use crate::staff::StaffInvited;
use crate::storefront::PublicAddress;
use crate::subscriptions::{CartAbandoned, DailyDigest, LowOnStock, SubscriptionLetterWanted};

/// Queues the mails that follow from what happens to orders.
pub struct OrderMail;

impl Consumer for OrderMail {
    fn name(&self) -> &'static str {
        "order_mail"
    }

    fn wants(&self, kind: &str) -> bool {
        template_of(kind).is_some()
    }

    fn hear<'a>(
        &'a self,
        tx: &'a mut WriteTx<'_>,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<(), ConsumerError>> {
        async move { queue(tx, event).await.map_err(failed) }.boxed()
    }
}

fn failed(error: MessageError) -> ConsumerError {
    match error {
        MessageError::Db(error) => error.into(),
        MessageError::Tenancy(error) => error.into(),
        error => ConsumerError::Failed(error.to_string()),
    }
}

/// Queues the mails that accounts of customers and staff ask for, and forgets mails to those who are gone. The secret of a link is made here, in the
/// transaction that queues its mail, so it never was in an event.
pub struct CustomerMail {
    /// How stores are reached; a store may name another place for its account pages.
    pub address: PublicAddress,
    /// Where people sign in who work in stores.
    pub console_url: String,
}

impl Consumer for CustomerMail {
    fn name(&self) -> &'static str {
        "customer_mail"
    }

    fn wants(&self, kind: &str) -> bool {
        [LetterWanted::KIND, CustomerErased::KIND, StaffInvited::KIND, StaffNewDevice::KIND].contains(&kind)
    }

    fn hear<'a>(
        &'a self,
        tx: &'a mut WriteTx<'_>,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<(), ConsumerError>> {
        async move {
            if event.kind == CustomerErased::KIND {
                let gone: CustomerErased = event.fact()?;
                return forget(tx, &gone.email_sha256).await.map_err(failed);
            }
            if event.kind == StaffInvited::KIND {
                let invited: StaffInvited = event.fact()?;
                return queue_invitation(tx, event.id, &invited, &self.console_url).await.map_err(failed);
            }
            if event.kind == StaffNewDevice::KIND {
                let seen: StaffNewDevice = event.fact()?;
                return queue_new_device(tx, event.id, &seen).await.map_err(failed);
            }
            let wanted: LetterWanted = event.fact()?;
            queue_letter(tx, event.id, &wanted, &self.address).await.map_err(failed)
        }
        .boxed()
    }
}

/// Queues the mails of those who want to be told something: whoever shall pay a draft order where, shoppers that it is back, followers what becomes of an order, staff what runs low
/// and what a day sold.
pub struct NoticeMail {
    /// How stores are reached; a store may name another place for its pages.
    pub address: PublicAddress,
    pub room: MailRoom,
}

/// What followers of an order are told.
const NEWS: [&str; 4] =
    [OrderPaid::KIND, OrderCancelled::KIND, OrderRefunded::KIND, FulfillmentCreated::KIND];

impl Consumer for NoticeMail {
    fn name(&self) -> &'static str {
        "notice_mail"
    }

    fn wants(&self, kind: &str) -> bool {
        NEWS.contains(&kind)
            || [
                GiftCardLetterWanted::KIND,
                DraftOrderInvoiceSent::KIND,
                SubscriptionLetterWanted::KIND,
                LowOnStock::KIND,
                CartAbandoned::KIND,
                DailyDigest::KIND,
            ]
            .contains(&kind)
    }

    fn hear<'a>(
        &'a self,
        tx: &'a mut WriteTx<'_>,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<(), ConsumerError>> {
        async move {
            let outcome = match event.kind.as_str() {
                SubscriptionLetterWanted::KIND => {
                    notices::letter(tx, event.id, &event.fact()?, &self.address, &self.room).await
                }
                CartAbandoned::KIND => {
                    notices::cart(tx, event, &event.fact()?, &self.address, &self.room).await
                }
                GiftCardLetterWanted::KIND => notices::gift_card(tx, event.id, &event.fact()?).await,
                DraftOrderInvoiceSent::KIND => {
                    notices::draft_order(tx, event.id, &event.fact()?, &self.address).await
                }
                LowOnStock::KIND => notices::staff(tx, event, "low_stock").await,
                DailyDigest::KIND => notices::staff(tx, event, "daily_digest").await,
                FulfillmentCreated::KIND if !is_worth_a_mail(&event.kind, &event.payload) => Ok(()),
                _ => notices::news(tx, event, &self.address, &self.room).await,
            };
            outcome.map_err(failed)
        }
        .boxed()
    }
}
