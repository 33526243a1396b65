//! Mails to those who want to be told something.

use serde_json::{Value, json};
use souk_event_bus::Event;
use souk_kernel::{EventId, OrderId};
use souk_tenancy::{ReadTx, WriteTx};

use super::suppress::farewell;
use super::{Due, Letter, pages, post};
use crate::credit::{self, GiftCardLetterWanted, GiftLetter};
use crate::customers;
use crate::drafts::{self, DraftOrderInvoiceSent};
use crate::messages::MailRoom;
use crate::messages::error::MessageError;
use crate::messages::model::kinds::joined;
use crate::messages::queries;
use crate::storefront::PublicAddress;
use crate::subscriptions::{self, CartAbandoned, Follower, SubscriptionLetterWanted};

/// The two ways to end such mails: a page for people, an address for mail programs.
struct Farewell {
    page: String,
    one_click: String,
}

async fn farewell_of(
    tx: &mut ReadTx<'_>,
    email: &str,
    address: &PublicAddress,
    room: &MailRoom,
) -> Result<Farewell, MessageError> {
    let token = farewell(&room.vault, tx.store(), email).map_err(|_| MessageError::Random)?;
    let page = format!("{}/unsubscribe#{token}", pages(tx, address).await?);
    let host = address.of_host(queries::own_host(tx).await?.as_deref());
    Ok(Farewell { page, one_click: format!("{host}/store/v1/unsubscribe/{token}") })
}

/// Where the shop itself begins: the origin of its account pages.
pub fn shop_of(pages: &str) -> String {
    url::Url::parse(pages).map_or_else(|_| pages.to_owned(), |url| url.origin().ascii_serialization())
}

/// The letter a subscription wants.
pub async fn letter(
    tx: &mut WriteTx<'_>,
    event: EventId,
    wanted: &SubscriptionLetterWanted,
    address: &PublicAddress,
    room: &MailRoom,
) -> Result<(), MessageError> {
    let Some(due) = Due::one(tx, event, wanted.letter.template()).await? else { return Ok(()) };
    let Some(found) = subscriptions::letter(tx, wanted).await? else { return Ok(()) };
    let base = pages(tx, address).await?;
    // In the fragment, which browsers send to nobody.
    let link = match &found.secret {
        Some(secret) => format!("{base}/{}#{}", found.page, secret.expose()),
        None => format!("{}/{}", shop_of(&base), found.page),
    };
    let farewell = farewell_of(tx, &found.recipient, address, room).await?;
    let facts = joined(found.facts, json!({ "link": link, "unsubscribe_link": farewell.page }));
    let mut letter = Letter { locale: found.locale, ..Letter::new(due, &found.recipient, facts) };
    letter.unsubscribe_url = found.secret.is_none().then_some(farewell.one_click);
    post(tx, letter).await.map(drop)
}

/// The reminder of a cart.
pub async fn cart(
    tx: &mut WriteTx<'_>,
    event: &Event,
    left: &CartAbandoned,
    address: &PublicAddress,
    room: &MailRoom,
) -> Result<(), MessageError> {
    let Some(due) = Due::one(tx, event.id, "abandoned_cart").await? else { return Ok(()) };
    let Some(found) = subscriptions::cart_link(tx, left.cart_id).await? else { return Ok(()) };
    let shop = shop_of(&pages(tx, address).await?);
    let secret = found.secret.map(|secret| format!("#{}", secret.expose())).unwrap_or_default();
    let link = format!("{shop}/cart/{}{secret}", left.cart_id);
    let farewell = farewell_of(tx, &found.recipient, address, room).await?;
    let facts = joined(event.payload.clone(), json!({ "link": link, "unsubscribe_link": farewell.page }));
    let mut letter = Letter { locale: found.locale, ..Letter::new(due, &found.recipient, facts) };
    letter.unsubscribe_url = Some(farewell.one_click);
    post(tx, letter).await.map(drop)
}

/// The gift card for whom it is.
pub async fn gift_card(
    tx: &mut WriteTx<'_>,
    event: EventId,
    wanted: &GiftCardLetterWanted,
) -> Result<(), MessageError> {
    let Some(due) = Due::one(tx, event, "gift_card").await? else { return Ok(()) };
    let Some(found) = credit::gift_letter(tx, wanted.credit).await? else { return Ok(()) };
    let facts = of_card(&found);
    let locale = match found.locale {
        Some(locale) => Some(locale),
        None => customers::locale_of(tx, &found.recipient).await?,
    };
    post(tx, Letter { locale, ..Letter::new(due, &found.recipient, facts) }).await.map(drop)
}

/// What the mail of a gift card may name.
pub fn of_card(card: &GiftLetter) -> Value {
    let mut facts = json!({ "code": card.code, "amount": card.amount });
    if !card.message.is_empty() {
        facts["message"] = json!(card.message);
    }
    if let Some(at) = card.expires_at {
        facts["expires_at"] = json!(at.format("%Y-%m-%d").to_string());
    }
    facts
}

/// The link to pay a draft order, for whom it is.
pub async fn draft_order(
    tx: &mut WriteTx<'_>,
    event: EventId,
    sent: &DraftOrderInvoiceSent,
    address: &PublicAddress,
) -> Result<(), MessageError> {
    let Some(due) = Due::one(tx, event, "draft_order_invoice").await? else { return Ok(()) };
    let Some(found) = drafts::invoice(tx, sent.draft_order_id).await? else { return Ok(()) };
    let link = drafts::link(&pages(tx, address).await?, sent.draft_order_id, &found.secret);
    let facts = joined(found.facts, json!({ "link": link }));
    post(tx, Letter { locale: found.locale, ..Letter::new(due, &found.recipient, facts) }).await.map(drop)
}

/// What staff is told, in the store's language.
pub async fn staff(tx: &mut WriteTx<'_>, event: &Event, kind: &str) -> Result<(), MessageError> {
    let Some(due) = Due::one(tx, event.id, kind).await? else { return Ok(()) };
    let mailbox = subscriptions::staff_mailbox(tx).await?;
    post(tx, Letter::new(due, &mailbox, event.payload.clone())).await.map(drop)
}

/// What followers of an order are told; whoever ordered gets the order's own mails.
pub async fn news(
    tx: &mut WriteTx<'_>,
    event: &Event,
    address: &PublicAddress,
    room: &MailRoom,
) -> Result<(), MessageError> {
    let order = OrderId::from_uuid(event.aggregate_id);
    let buyer = event.payload["email"].as_str().unwrap_or_default().to_lowercase();
    for Follower { id, email: mailbox, locale } in subscriptions::followers(tx, order).await? {
        if mailbox.to_lowercase() == buyer {
            continue;
        }
        let Some(due) = Due::to(tx, event.id, "order_news", id, &mailbox).await? else { continue };
        let farewell = farewell_of(tx, &mailbox, address, room).await?;
        // Whoever follows is told what happened, not where the buyer lives or what they paid.
        let facts = json!({
            "news": event.kind, "name": event.payload["name"], "number": event.payload["number"],
            "order_id": event.payload["order_id"], "unsubscribe_link": farewell.page,
        });
        let mut letter = Letter { locale, ..Letter::new(due, &mailbox, facts) };
        letter.unsubscribe_url = Some(farewell.one_click);
        post(tx, letter).await?;
    }
    Ok(())
}
