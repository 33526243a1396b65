//! A mail shown with what is really there. Nothing made up stands beside it, but for the secrets of links and the codes of gift cards: those are made when a mail is
//! queued.

use serde_json::{Value, json};
use souk_kernel::{CartId, CreditId, CustomerId, DraftOrderId, Money, OrderId, VariantId};
use souk_tenancy::ReadTx;

use super::notices::{of_card, shop_of};
use super::pages;
use crate::credit::{self, GiftLetter};
use crate::messages::error::MessageError;
use crate::messages::model::kinds::{joined, sample};
use crate::messages::model::{MailKind, Real};
use crate::orders::{OrderView, RefundView};
use crate::storefront::PublicAddress;
use crate::{cart, catalog, customers, drafts, fulfillment, identities, orders, subscriptions};

/// Stands where the secret of a mailed link, or a gift card's code, would.
const NO_SECRET: &str = "preview";

/// What the mails of a kind can be shown with.
fn about(kind: &str) -> &'static [&'static str] {
    match kind {
        "order_placed" | "order_paid" | "order_cancelled" | "order_refunded" | "order_shipped"
        | "order_news" => &["order"],
        "abandoned_cart" => &["cart"],
        "back_in_stock" | "low_stock" => &["variant"],
        "subscription_confirm" => &["variant", "order"],
        "draft_order_invoice" => &["draft_order"],
        "gift_card" => &["gift_card"],
        kind if kind.starts_with("customer_") => &["customer"],
        _ => &[],
    }
}

/// What a kind's template may name: of the real thing that is given, else made up.
///
/// # Errors
/// [`MessageError::Field`] for a thing that this mail is not about, that there is not, or that nothing of the kind has happened to.
pub async fn facts(
    tx: &mut ReadTx<'_>,
    kind: &MailKind,
    real: Real,
    address: &PublicAddress,
) -> Result<Value, MessageError> {
    let given = [
        ("order", "/order", real.order.is_some()),
        ("cart", "/cart", real.cart.is_some()),
        ("variant", "/variant", real.variant.is_some()),
        ("customer", "/customer", real.customer.is_some()),
        ("draft_order", "/draft_order", real.draft_order.is_some()),
        ("gift_card", "/gift_card", real.gift_card.is_some()),
    ];
    let mut given = given.into_iter().filter(|(.., is_given)| *is_given);
    let Some((name, pointer, _)) = given.next() else { return Ok(sample(kind.name)) };
    if let Some((_, pointer, _)) = given.next() {
        return Err(MessageError::Field(pointer, format!("is one too many beside `{name}`")));
    }
    let takes = about(kind.name);
    if !takes.contains(&name) {
        let message = match takes {
            [] => "is not what this mail is about; it can be shown with made-up facts only".to_owned(),
            _ => format!("is not what this mail is about; it can be shown with `{}`", takes.join("` or `")),
        };
        return Err(MessageError::Field(pointer, message));
    }
    let base = pages(tx, address).await?;
    match real {
        Real { order: Some(order), .. } => of_order(tx, kind.name, order, &base).await,
        Real { cart: Some(cart), .. } => of_cart(tx, cart, &base).await,
        Real { variant: Some(variant), .. } => of_variant(tx, kind.name, variant, &base).await,
        Real { customer: Some(customer), .. } => of_customer(tx, kind.name, customer, &base).await,
        Real { draft_order: Some(draft), .. } => of_draft(tx, draft, &base).await,
        Real { gift_card: Some(card), .. } => of_gift_card(tx, card).await,
        _ => Ok(sample(kind.name)),
    }
}

async fn of_customer(
    tx: &mut ReadTx<'_>,
    kind: &str,
    id: CustomerId,
    base: &str,
) -> Result<Value, MessageError> {
    let wrong = |message: &str| MessageError::Field("/customer", message.to_owned());
    let found = customers::outlook(tx, id, kind).await?;
    let found = found.ok_or_else(|| wrong("there is no such customer, or they are disabled"))?;
    let no_wish = || wrong("does not wish for another address");
    let email = match kind {
        "customer_confirm_old_email" if found.wished.is_none() => return Err(no_wish()),
        "customer_confirm_new_email" => found.wished.ok_or_else(no_wish)?,
        _ => found.email,
    };
    let (device, network) = match kind {
        "customer_new_device" => found.device.ok_or_else(|| wrong("is signed in nowhere"))?,
        _ => (String::new(), String::new()),
    };
    let provider = match kind {
        "customer_identity_linked" | "customer_identity_unlinked" => {
            let last = identities::of_customer(tx, id).await?.pop();
            Some(last.ok_or_else(|| wrong("has no identity elsewhere"))?.provider)
        }
        _ => None,
    };
    let page = format!("{base}/{}", found.page);
    let link = if found.has_secret { format!("{page}#{NO_SECRET}") } else { page };
    Ok(json!({
        "name": found.name, "email": email, "link": link, "device": device, "network": network, "provider": provider,
    }))
}

async fn of_draft(tx: &mut ReadTx<'_>, id: DraftOrderId, base: &str) -> Result<Value, MessageError> {
    let wrong = |message: &str| MessageError::Field("/draft_order", message.to_owned());
    let found = match drafts::outlook(tx, id).await {
        Err(drafts::DraftError::Unknown) => return Err(wrong("there is no such draft order")),
        found => found?.ok_or_else(|| wrong("is over: nobody is asked to pay it"))?,
    };
    let link = format!("{}/draft-orders/{id}#{NO_SECRET}", shop_of(base));
    Ok(joined(found, json!({ "link": link })))
}

async fn of_gift_card(tx: &mut ReadTx<'_>, id: CreditId) -> Result<Value, MessageError> {
    let found = credit::gift_outlook(tx, id).await?;
    let wrong = || "there is no such card that is to be mailed, or it was stopped or used".to_owned();
    let found = found.ok_or_else(|| MessageError::Field("/gift_card", wrong()))?;
    Ok(of_card(&GiftLetter { code: NO_SECRET.to_owned(), ..found }))
}

fn farewell(base: &str) -> String {
    format!("{base}/unsubscribe#{NO_SECRET}")
}

async fn of_variant(
    tx: &mut ReadTx<'_>,
    kind: &str,
    id: VariantId,
    base: &str,
) -> Result<Value, MessageError> {
    let wrong = |message: &str| MessageError::Field("/variant", message.to_owned());
    let found =
        catalog::named(tx, &[id], &[]).await?.pop().ok_or_else(|| wrong("there is no such variant"))?;
    let named = json!({ "title": found.title, "variant_title": found.variant_title, "sku": found.sku });
    let more = match kind {
        "low_stock" => {
            let threshold = subscriptions::low_stock_threshold(tx).await?;
            let threshold = threshold.ok_or_else(|| {
                wrong("is called low by nobody: say low_stock_threshold with PUT /admin/v1/notice-settings")
            })?;
            json!({ "variant_id": found.variant, "available": found.available, "threshold": threshold })
        }
        "subscription_confirm" => json!({
            "topic": "back_in_stock", "order_name": "", "link": format!("{base}/confirm-subscription#{NO_SECRET}"),
        }),
        _ => json!({
            "handle": found.handle, "link": format!("{}/products/{}", shop_of(base), found.handle),
            "unsubscribe_link": farewell(base),
        }),
    };
    Ok(joined(named, more))
}

async fn of_cart(tx: &mut ReadTx<'_>, id: CartId, base: &str) -> Result<Value, MessageError> {
    let found = cart::left(tx, &[id]).await?.pop();
    let found = found.ok_or_else(|| MessageError::Field("/cart", "there is no such cart".to_owned()))?;
    let line = |line: cart::LeftLine| json!({ "title": line.title, "variant_title": line.variant_title, "sku": line.sku, "quantity": line.quantity });
    let lines: Vec<Value> = cart::left_lines(tx, id).await?.into_iter().map(line).collect();
    if lines.is_empty() {
        return Err(MessageError::Field("/cart", "is empty: nobody is reminded of it".to_owned()));
    }
    // A customer signs in instead.
    let secret = if found.is_customers { String::new() } else { format!("#{NO_SECRET}") };
    let link = format!("{}/cart/{id}{secret}", shop_of(base));
    Ok(json!({ "cart_id": id, "lines": lines, "link": link, "unsubscribe_link": farewell(base) }))
}

fn wrong_order(message: &str) -> MessageError {
    MessageError::Field("/order", message.to_owned())
}

async fn of_order(tx: &mut ReadTx<'_>, kind: &str, id: OrderId, base: &str) -> Result<Value, MessageError> {
    let order = match orders::view(tx, id).await {
        Err(orders::OrderError::Unknown) => return Err(wrong_order("there is no such order")),
        order => order?,
    };
    let (Some(number), Some(name)) = (order.number, &order.name) else {
        return Err(wrong_order("was never placed"));
    };
    let head = json!({ "order_id": order.id, "number": number, "name": name, "email": order.email });
    let more = match kind {
        "order_paid" => paid(&order)?,
        "order_cancelled" => cancelled(&order)?,
        "order_refunded" => refunded(&order)?,
        "order_shipped" => shipped(tx, &order).await?,
        // Whoever follows is told what happened, not who the buyer is.
        "order_news" => {
            let news = news(tx, &order).await?;
            return Ok(json!({
                "news": news, "name": name, "number": number, "order_id": order.id,
                "unsubscribe_link": farewell(base),
            }));
        }
        "subscription_confirm" => {
            return Ok(json!({
                "topic": "order", "order_name": name, "title": "", "variant_title": "",
                "link": format!("{base}/confirm-subscription#{NO_SECRET}"),
            }));
        }
        _ => placed(&order),
    };
    Ok(joined(head, more))
}

fn placed(order: &OrderView) -> Value {
    let ways: Vec<&str> = order.shipping_lines.iter().map(|line| line.title.as_str()).collect();
    let mut facts = json!({
        "lines": order.lines, "subtotal": order.subtotal, "shipping": order.shipping,
        "shipping_title": Some(ways.join(", ")).filter(|_| !ways.is_empty()),
        "tax": order.tax, "total": order.total, "prices_include_tax": order.prices_include_tax,
        "shipping_address": order.shipping_address, "billing_address": order.billing_address,
        "financial_status": order.financial_status, "payment_provider": provider(order), "placed_at": order.placed_at,
    });
    if order.discount.is_positive() {
        facts["discount"] = json!(order.discount);
    }
    facts
}

/// Who took the money, or is to.
fn provider(order: &OrderView) -> Option<&str> {
    let took = order.payments.iter().rev().find(|payment| payment.captured.is_positive());
    took.or(order.payments.last()).map(|payment| payment.provider.as_str())
}

fn is_paid(order: &OrderView) -> bool {
    matches!(json!(order.financial_status).as_str(), Some("paid" | "partially_refunded" | "refunded"))
}

fn paid(order: &OrderView) -> Result<Value, MessageError> {
    if !is_paid(order) {
        return Err(wrong_order("is not paid"));
    }
    let captures = order.payments.iter().flat_map(|payment| &payment.transactions);
    let captures = captures.filter(|moved| moved.kind == "capture" && moved.state == "success");
    let at = captures.map(|moved| moved.at).max();
    Ok(json!({ "amount": order.total, "payment_provider": provider(order), "paid_at": at }))
}

/// What refunds come to.
fn sum<'r>(order: &OrderView, refunds: impl Iterator<Item = &'r RefundView>) -> Result<Money, MessageError> {
    let sum = Money::sum(refunds.map(|refund| refund.amount), order.total.currency());
    Ok(sum.map_err(orders::OrderError::from)?)
}

fn cancelled(order: &OrderView) -> Result<Value, MessageError> {
    let at = order.cancelled_at.ok_or_else(|| wrong_order("was not cancelled"))?;
    let back = sum(order, order.refunds.iter().filter(|refund| refund.state != "failed"))?;
    let back = Some(back).filter(|back| back.is_positive());
    Ok(json!({
        "reason": order.cancel_reason, "lines": order.lines, "total": order.total, "refund": back, "cancelled_at": at,
    }))
}

fn refunded(order: &OrderView) -> Result<Value, MessageError> {
    let gone = || order.refunds.iter().filter(|refund| refund.state == "succeeded");
    let last = gone().max_by_key(|refund| refund.updated_at);
    let last = last.ok_or_else(|| wrong_order("no money of it went back"))?;
    Ok(json!({
        "refund_id": last.id, "amount": last.amount, "refunded": sum(order, gone())?, "refunded_at": last.updated_at,
    }))
}

async fn shipped(tx: &mut ReadTx<'_>, order: &OrderView) -> Result<Value, MessageError> {
    let sent = fulfillment::of_orders(tx, &[order.id]).await?;
    let sent = sent.into_iter().rfind(|sent| sent.cancelled_at.is_none());
    let sent = sent.ok_or_else(|| wrong_order("nothing of it left the house"))?;
    Ok(json!({
        "fulfillment_id": sent.id, "fulfillment_name": sent.name, "lines": sent.lines,
        "tracking_company": sent.tracking.company, "tracking_number": sent.tracking.number,
        "tracking_url": sent.tracking.url, "fulfillment_status": order.fulfillment_status, "notify": true,
        "shipped_at": sent.created_at,
    }))
}

/// What happened last to an order that its followers are told.
async fn news(tx: &mut ReadTx<'_>, order: &OrderView) -> Result<&'static str, MessageError> {
    if order.refunds.iter().any(|refund| refund.state == "succeeded") {
        return Ok("order.refunded");
    }
    if order.cancelled_at.is_some() {
        return Ok("order.cancelled");
    }
    let sent = fulfillment::of_orders(tx, &[order.id]).await?;
    if sent.iter().any(|sent| sent.cancelled_at.is_none()) {
        return Ok("fulfillment.created");
    }
    if is_paid(order) { Ok("order.paid") } else { Err(wrong_order("nothing happened to it yet")) }
}
