//! What staff does with draft orders, and what their clock does. Everything that changes one locks its cart first.

use chrono::TimeDelta;
use serde_json::{Value, json};
use souk_access::{LinkSecret, WorkerPermit};
use souk_api::{ETag, IfMatch};
use souk_event_bus::emit;
use souk_kernel::{CartId, CustomerId, DraftOrderId, Email, LongText, OrderId};
use souk_tenancy::{ReadTx, WriteTx};

use super::error::DraftError;
use super::events::{
    DraftOrderCancelled, DraftOrderCompleted, DraftOrderCreated, DraftOrderExpired, DraftOrderInvoiceSent,
    DraftOrderUpdated,
};
use super::model::{
    CreateDraftOrder, Delivered, Draft, EditDraftOrder, PaymentLinkView, agree, cart_of, delivered, ends_at,
    faults_of_times, link, missing, name_of, standing,
};
use super::queries::{self, DraftRow};
use super::state::{DraftOrderEvent, DraftOrderState};
use crate::cart::{self, Cart, CartState, Change, Quote, Terms};
use crate::catalog;
use crate::customers;
use crate::inventory;
use crate::markets;
use crate::settings;

/// Ended in one visit of the clock; the rest comes in the next.
const SOME: i64 = 50;
/// One that is being paid when its time is over is looked at again after so long.
const WHILE_PAID: TimeDelta = TimeDelta::minutes(5);

/// Makes a draft order.
pub async fn create(tx: &mut WriteTx<'_>, wish: CreateDraftOrder, actor: &str) -> Result<Draft, DraftError> {
    let settings = settings::current(tx).await?;
    let market = match wish.country {
        Some(country) => markets::for_country(tx, country).await?,
        None => None,
    };
    let mut cart = Cart {
        id: CartId::new(),
        state: CartState::Active,
        currency: market.as_ref().map_or(settings.currency, |market| market.currency),
        market: market.as_ref().map(|market| market.id),
        prices_include_tax: market.as_ref().map(|market| market.prices_include_tax),
        customer: None,
        email: None,
        note: String::new(),
        attributes: cart::Attributes::default(),
        shipping_address: None,
        billing_address: None,
        shipping_rate: None,
        discount_codes: Vec::new(),
        gift_cards: Vec::new(),
        use_store_credit: false,
        vat_number: None,
        locale: None,
        lines: Vec::new(),
        terms: Some(Terms::default()),
        version: 1,
    };
    let id = DraftOrderId::from_uuid(cart.id.uuid());
    let edit = wish.edit();
    let tags = edit.tags()?.unwrap_or_default();
    let quote = apply(tx, &mut cart, edit).await?;
    cart::begin(tx, &cart).await?;
    keep_stock(tx, &cart, &quote, false).await?;
    queries::insert(tx, id, quote.total, ends_at(&cart), &tags, actor).await?;
    let row = queries::find(tx, id).await?.ok_or(DraftError::Unknown)?;
    emit(tx, &DraftOrderCreated { draft_order_id: id, name: name_of(row.number) }).await?;
    Ok(Draft { row, cart, quote })
}

/// Changes a draft order that nobody is paying. What is not named stays as agreed.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    id: DraftOrderId,
    seen: &IfMatch,
    wish: EditDraftOrder,
) -> Result<Draft, DraftError> {
    let (row, mut cart) = may(tx, id, DraftOrderEvent::Edit, Some(seen)).await?;
    let tags = wish.tags()?;
    let kept = keeps_stock(tx, &cart);
    let quote = apply(tx, &mut cart, wish).await?;
    cart::rewrite(tx, &cart).await?;
    cart.version += 1;
    keep_stock(tx, &cart, &quote, kept).await?;
    queries::update(tx, id, quote.total, ends_at(&cart), tags).await?;
    emit(tx, &DraftOrderUpdated { draft_order_id: id, name: name_of(row.number) }).await?;
    again(tx, cart, quote).await
}

/// Has the link mailed to whom it is for; a link that was mailed before opens nothing any more.
pub async fn send(
    tx: &mut WriteTx<'_>,
    id: DraftOrderId,
    message: Option<LongText<2000>>,
) -> Result<Draft, DraftError> {
    let (row, cart) = may(tx, id, DraftOrderEvent::Send, None).await?;
    let quote = whole(tx, &cart).await?;
    let message = message.map(LongText::into_string).unwrap_or_default();
    queries::sent(tx, id, quote.total, &message).await?;
    emit(tx, &DraftOrderInvoiceSent { draft_order_id: id, name: name_of(row.number) }).await?;
    again(tx, cart, quote).await
}

/// Makes a link that staff hands over by itself; one that was made so before opens nothing any more. `pages` is where the storefront is.
pub async fn make_link(
    tx: &mut WriteTx<'_>,
    id: DraftOrderId,
    pages: &str,
) -> Result<PaymentLinkView, DraftError> {
    let (_, cart) = may(tx, id, DraftOrderEvent::Send, None).await?;
    whole(tx, &cart).await?;
    let secret = LinkSecret::mint()?;
    cart::open_to(tx, cart.id, &secret, false).await?;
    Ok(PaymentLinkView { url: link(pages, id, &secret), secret: secret.expose().to_owned() })
}

/// Takes a draft order back, unless somebody is paying it.
pub async fn cancel(tx: &mut WriteTx<'_>, id: DraftOrderId) -> Result<Draft, DraftError> {
    let (row, cart) = may(tx, id, DraftOrderEvent::Cancel, None).await?;
    close(tx, id, DraftOrderState::Cancelled).await?;
    emit(tx, &DraftOrderCancelled { draft_order_id: id, name: name_of(row.number) }).await?;
    let quote = cart::priced(tx, &cart).await?;
    again(tx, Cart { state: CartState::Expired, ..cart }, quote).await
}

/// A draft order for staff. At most six statements.
pub async fn show(tx: &mut ReadTx<'_>, id: DraftOrderId) -> Result<Draft, DraftError> {
    found(tx, id, None).await
}

/// A draft order for whoever has the link.
pub async fn show_to(
    tx: &mut ReadTx<'_>,
    id: DraftOrderId,
    secret: &LinkSecret,
) -> Result<Draft, DraftError> {
    found(tx, id, Some(secret)).await
}

async fn found(
    tx: &mut ReadTx<'_>,
    id: DraftOrderId,
    secret: Option<&LinkSecret>,
) -> Result<Draft, DraftError> {
    let cart = cart::find_draft(tx, cart_of(id), secret).await?.ok_or(DraftError::Unknown)?;
    let row = queries::find(tx, id).await?.ok_or(DraftError::Unknown)?;
    let quote = cart::priced(tx, &cart).await?;
    Ok(Draft { row, cart, quote })
}

/// The cart of a draft order that can be completed now, locked.
///
/// # Errors
/// [`DraftError::Unknown`]; [`DraftError::State`] when it is over; [`DraftError::Paying`] while a checkout has it.
pub async fn open(tx: &mut WriteTx<'_>, id: DraftOrderId) -> Result<Cart, DraftError> {
    Ok(may(tx, id, DraftOrderEvent::Complete, None).await?.1)
}

/// Writes that a draft order is this order now, and says `draft_order.completed`. Needs the lock of its cart, which is bought. Nothing for one
/// that is over. Two statements.
///
/// # Errors
/// The database's only.
pub async fn complete(tx: &mut WriteTx<'_>, cart: CartId, order: OrderId) -> Result<(), DraftError> {
    let id = DraftOrderId::from_uuid(cart.uuid());
    if let Some(number) = queries::end(tx, id, DraftOrderState::Completed, Some(order)).await? {
        let fact = DraftOrderCompleted { draft_order_id: id, name: name_of(number), order_id: order };
        emit(tx, &fact).await?;
    }
    Ok(())
}

/// A draft order that may have this happen to it, its cart locked.
async fn may(
    tx: &mut WriteTx<'_>,
    id: DraftOrderId,
    event: DraftOrderEvent,
    seen: Option<&IfMatch>,
) -> Result<(DraftRow, Cart), DraftError> {
    let cart = cart::take_draft(tx, cart_of(id)).await?.ok_or(DraftError::Unknown)?;
    let row = queries::find(tx, id).await?.ok_or(DraftError::Unknown)?;
    let state = standing(row.state, &cart);
    if state.on(event).is_none() {
        return Err(DraftError::State(state));
    }
    if cart.state == CartState::Completing {
        return Err(DraftError::Paying);
    }
    if let Some(seen) = seen {
        seen.check(&ETag::new(row.version)).map_err(DraftError::Precondition)?;
    }
    Ok((row, cart))
}

/// The answer to a change that is written.
async fn again(tx: &mut WriteTx<'_>, cart: Cart, quote: Quote) -> Result<Draft, DraftError> {
    let id = DraftOrderId::from_uuid(cart.id.uuid());
    let row = queries::find(tx, id).await?.ok_or(DraftError::Unknown)?;
    Ok(Draft { row, cart, quote })
}

/// What it costs, if nothing is missing before it can be paid.
async fn whole(tx: &mut ReadTx<'_>, cart: &Cart) -> Result<Quote, DraftError> {
    let quote = cart::priced(tx, cart).await?;
    let missing = missing(cart, &quote);
    if missing.is_empty() { Ok(quote) } else { Err(DraftError::Incomplete(missing)) }
}

/// Does to a cart what staff wishes, and prices it. Nothing is written.
async fn apply(tx: &mut WriteTx<'_>, cart: &mut Cart, wish: EditDraftOrder) -> Result<Quote, DraftError> {
    let faults = faults_of_times(&wish, tx.now());
    if !faults.is_empty() {
        return Err(DraftError::Fields(faults));
    }
    let mut terms = cart.terms.take().unwrap_or_default();
    if let Some(lines) = &wish.lines {
        // At the prices of whom it will be for.
        let mut buyer = cart.customer;
        wish.customer.clone().apply(&mut buyer);
        let mut variants: Vec<_> = lines.iter().filter_map(|line| line.variant).collect();
        variants.sort_unstable();
        variants.dedup();
        let sold = if variants.is_empty() {
            Vec::new()
        } else {
            catalog::sellable(tx, &variants, cart.currency, cart.market, buyer).await?
        };
        terms.lines = agree(lines, &sold, cart.currency).map_err(DraftError::Fields)?;
    }
    match &wish.discount {
        Change::Keep => {}
        Change::Clear => terms.discount = None,
        Change::Set(discount) => terms.discount = Some(discount.agree("/discount", cart.currency)?),
    }
    let mut chosen = None;
    match wish.shipping {
        Change::Keep => {}
        Change::Clear => (terms.delivery, cart.shipping_rate) = (None, None),
        Change::Set(shipping) => match delivered(shipping, cart.currency)? {
            Delivered::Rate(rate) => {
                chosen = Some(rate);
                (terms.delivery, cart.shipping_rate) = (None, Some(rate));
            }
            Delivered::ByHand(delivery) => {
                (terms.delivery, cart.shipping_rate) = (Some(delivery), None);
            }
        },
    }
    wish.valid_until.apply(&mut terms.valid_until);
    wish.reserve_until.apply(&mut terms.reserve_until);
    cart.terms = Some(terms);
    wish.email.apply(&mut cart.email);
    let shipping = wish.shipping_address.checked(|address| address.settled("/shipping_address"));
    shipping.map_err(DraftError::Fields)?.apply(&mut cart.shipping_address);
    let billing = wish.billing_address.checked(|address| address.settled("/billing_address"));
    billing.map_err(DraftError::Fields)?.apply(&mut cart.billing_address);
    wish.locale.apply(&mut cart.locale);
    wish.attributes.apply_or_default(&mut cart.attributes);
    match wish.note {
        Change::Keep => {}
        Change::Clear => cart.note.clear(),
        Change::Set(note) => cart.note = note.into_string(),
    }
    match wish.customer {
        Change::Keep => {}
        Change::Clear => cart.customer = None,
        Change::Set(customer) => give(tx, cart, customer).await?,
    }
    let quote = cart::priced(tx, cart).await?;
    if let Some(rate) = chosen
        && quote.shipping_options.iter().all(|option| option.id != rate)
    {
        let message = "must be one of the draft order's shipping options; those need an address";
        return Err(souk_api::FieldError::new("/shipping/rate", "unknown", message).into());
    }
    Ok(quote)
}

/// Makes it a customer's, with what it lacks from their account.
async fn give(tx: &mut WriteTx<'_>, cart: &mut Cart, customer: CustomerId) -> Result<(), DraftError> {
    let Some(buyer) = customers::buyer(tx, customer).await? else {
        let message = "must be a customer of this store who may sign in";
        return Err(souk_api::FieldError::new("/customer", "unknown", message).into());
    };
    cart.customer = Some(customer);
    cart.email = cart.email.take().or_else(|| Email::parse(&buyer.email).ok());
    cart.shipping_address = cart.shipping_address.take().or(buyer.shipping);
    cart.billing_address = cart.billing_address.take().or(buyer.billing);
    Ok(())
}

fn keeps_stock(tx: &ReadTx<'_>, cart: &Cart) -> bool {
    cart.terms.as_ref().is_some_and(|terms| terms.keeps_stock(tx.now()))
}

/// Keeps the stock of its lines as long as staff wishes; what was kept `before` and is no longer wished is free again.
async fn keep_stock(
    tx: &mut WriteTx<'_>,
    cart: &Cart,
    quote: &Quote,
    before: bool,
) -> Result<(), DraftError> {
    let minutes = cart.terms.as_ref().and_then(|terms| terms.minutes_kept(tx.now()));
    match minutes {
        Some(minutes) => drop(inventory::reserve(tx, cart.id, &quote.demands(), minutes).await?),
        None if before => inventory::release(tx, cart.id).await?,
        None => {}
    }
    Ok(())
}

/// Ends it: it cannot be paid any more, and its stock is free. The cart is locked.
async fn close(tx: &mut WriteTx<'_>, id: DraftOrderId, state: DraftOrderState) -> Result<bool, DraftError> {
    cart::end(tx, cart_of(id)).await?;
    inventory::release(tx, cart_of(id)).await?;
    Ok(queries::end(tx, id, state, None).await?.is_some())
}

/// Ends draft orders that nobody paid in time, each in a transaction of its own. True when there are more.
///
/// # Errors
/// The database's; those that were ended stay so.
pub async fn expire_due(worker: &WorkerPermit) -> Result<bool, DraftError> {
    let look = async |tx: &mut ReadTx<'_>| Ok(queries::due(tx, SOME).await?);
    let due = worker.read::<_, DraftError, _>("drafts.due", look).await?;
    for id in &due {
        let id = *id;
        let work = async move |tx: &mut WriteTx<'_>| expire(tx, id).await;
        worker.write::<_, DraftError, _>("drafts.expire", work).await?;
    }
    Ok(i64::try_from(due.len()).is_ok_and(|found| found >= SOME))
}

async fn expire(tx: &mut WriteTx<'_>, id: DraftOrderId) -> Result<(), DraftError> {
    let Some(cart) = cart::take_draft(tx, cart_of(id)).await? else { return Ok(()) };
    let Some(row) = queries::find(tx, id).await? else { return Ok(()) };
    if row.state.on(DraftOrderEvent::Expire).is_none() {
        return Ok(());
    }
    match cart.state {
        // Whoever pays now pays in time; should it come to nothing, it ends then.
        CartState::Completing => {
            let at = tx.now() + WHILE_PAID;
            queries::look_again(tx, id, Some(at)).await?;
        }
        // Somebody gave it more time meanwhile.
        CartState::Active => queries::look_again(tx, id, ends_at(&cart)).await?,
        CartState::Completed | CartState::Merged | CartState::Expired => {
            if close(tx, id, DraftOrderState::Expired).await? {
                emit(tx, &DraftOrderExpired { draft_order_id: id, name: name_of(row.number) }).await?;
            }
        }
    }
    Ok(())
}

/// The mail that brings a link.
pub struct Invoice {
    pub recipient: String,
    /// The language they read, if it is known.
    pub locale: Option<String>,
    /// What it says, without the link.
    pub facts: Value,
    pub secret: LinkSecret,
}

/// The mail that is due for a draft order, its secret made now: the link is good if and only if this transaction commits. None when it is over.
///
/// # Errors
/// The database's; no random bytes.
pub async fn invoice(tx: &mut WriteTx<'_>, id: DraftOrderId) -> Result<Option<Invoice>, DraftError> {
    let taken = cart::take_draft(tx, cart_of(id)).await?;
    let Some(cart) = taken.filter(lives) else { return Ok(None) };
    let Some(email) = cart.email.clone() else { return Ok(None) };
    let row = queries::find(tx, id).await?.ok_or(DraftError::Unknown)?;
    let quote = cart::priced(tx, &cart).await?;
    let secret = LinkSecret::mint()?;
    cart::open_to(tx, cart.id, &secret, true).await?;
    let recipient = email.as_str().to_owned();
    let facts = told(&row, &cart, &quote);
    Ok(Some(Invoice { recipient, locale: row.reads, facts, secret }))
}

/// What the mail of a draft order would say now, without the link; none when it is over. Nothing is made. At most six statements.
///
/// # Errors
/// [`DraftError::Unknown`].
pub async fn outlook(tx: &mut ReadTx<'_>, id: DraftOrderId) -> Result<Option<Value>, DraftError> {
    let Draft { row, cart, quote } = show(tx, id).await?;
    Ok(lives(&cart).then(|| told(&row, &cart, &quote)))
}

fn lives(cart: &Cart) -> bool {
    matches!(cart.state, CartState::Active | CartState::Completing)
}

/// What a draft order's mail says of it.
fn told(row: &DraftRow, cart: &Cart, quote: &Quote) -> Value {
    let id = DraftOrderId::from_uuid(cart.id.uuid());
    let line = |line: &cart::QuotedLine| {
        json!({ "title": line.ware.title, "variant_title": line.ware.variant_title, "sku": line.ware.sku,
            "quantity": line.quantity, "unit_price": line.ware.unit_price, "total": line.total })
    };
    let lines: Vec<Value> = quote.lines.iter().map(line).collect();
    let mut facts = json!({
        "draft_order_id": id, "name": name_of(row.number), "lines": lines, "subtotal": quote.subtotal, "tax": quote.tax,
        "prices_include_tax": quote.prices_include_tax, "total": quote.total,
    });
    if quote.discount.is_positive() {
        facts["discount"] = json!(quote.discount);
    }
    if let Some(shipping) = &quote.shipping {
        facts["shipping"] = json!(shipping.price);
        facts["shipping_title"] = json!(shipping.title);
    }
    if !row.message.is_empty() {
        facts["message"] = json!(row.message);
    }
    if let Some(at) = ends_at(cart) {
        facts["valid_until"] = json!(at.format("%Y-%m-%d").to_string());
    }
    facts
}

/// Takes a person out of their draft orders, also those of this mailbox; those that nobody is paying end. Before the carts are forgotten.
///
/// # Errors
/// The database's only.
pub async fn forget(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    mailbox: Option<&str>,
) -> Result<(), DraftError> {
    for id in queries::forget(tx, customer, mailbox).await? {
        inventory::release(tx, cart_of(id)).await?;
    }
    Ok(())
}
