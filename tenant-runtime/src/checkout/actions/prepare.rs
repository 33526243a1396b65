//! Prepare: everything before the money, in one transaction.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;
use souk_access::{KeyMode, LinkSecret, NoEntropy};
use souk_api::FieldError;
use souk_kernel::{CartId, DraftOrderId, Money, OrderId, OrderLineId, PaymentSessionId, ShippingLineId};
use souk_tenancy::{StoreEntry, WriteTx};

use super::super::error::CheckoutError;
use super::super::model::{Till, Wish, may_return_to};
use super::assent::Assent;
use super::lines::{as_seen, named, unavailable};
use super::settle::{complete_cart, take_stock};
use crate::cart::{self, Cart, CartState, Quote};
use crate::credit;
use crate::customers;
use crate::discounts;
use crate::drafts;
use crate::inventory::{self, Commitment, Held};
use crate::orders::{self, FinancialStatus, NewLine, NewOrder, NewShippingLine, NewTax};
use crate::payments::{self, NewSession, ProviderCode, Setup, StartPayment, resembles_card_number};
use crate::settings;

/// The poller leaves a session alone for this long: the checkout itself is at work on it.
const FIRST_POLL_AFTER: TimeDelta = TimeDelta::seconds(45);
/// The cart is nobody else's for this long. The poller decides earlier; this only bounds what a mistake could hold.
const COMPLETING_FOR: TimeDelta = TimeDelta::hours(49);

/// What there is after prepare.
#[derive(Clone, Debug)]
pub enum Prepared {
    /// The money is next.
    Pay(StartPayment),
    /// There is nothing to ask anybody: the order is placed, or was there before.
    Standing { order: OrderId, fresh: bool },
}

/// Where somebody comes to buy. What is behind the other door is not there for them, whatever their secret opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Shoppers' own carts.
    Carts,
    /// What staff put together.
    DraftOrders,
}

impl Door {
    fn leads_to(self, cart: &Cart) -> bool {
        cart.terms.is_some() == (self == Self::DraftOrders)
    }
}

/// Who buys what where.
#[derive(Clone, Debug)]
pub struct Purchase {
    pub entry: Arc<StoreEntry>,
    pub door: Door,
    pub cart: CartId,
    pub secret: LinkSecret,
    pub wish: Wish,
    pub actor: String,
    /// Of the key that the shopper's client acts by.
    pub mode: Option<KeyMode>,
    /// Where the shopper comes from: declined payments are counted by it.
    pub network: String,
}

/// Locks and prices the cart, holds its total against the expected one, reserves the stock, writes the attempt and its payment session.
/// Payment outside of any provider, and nothing to pay, make the order at once. A cart that has its order, or is about to, gives that one.
///
/// # Errors
/// See [`CheckoutError`]; nothing is changed then.
pub async fn prepare(
    tx: &mut WriteTx<'_>,
    till: &Till,
    purchase: &Purchase,
) -> Result<Prepared, CheckoutError> {
    let Purchase { entry, wish, .. } = purchase;
    let found = cart::take(tx, purchase.cart, &purchase.secret).await?;
    let cart = found.filter(|cart| purchase.door.leads_to(cart)).ok_or(CheckoutError::CartUnknown)?;
    match cart.state {
        CartState::Active => {}
        CartState::Completing | CartState::Completed => {
            let order = orders::attempt_of_cart(tx, cart.id).await?.ok_or(CheckoutError::CartClosed)?;
            return Ok(Prepared::Standing { order, fresh: false });
        }
        CartState::Merged | CartState::Expired => {
            if cart.terms.is_some() {
                // Says whether it was taken back or nobody paid it in time.
                drafts::open(tx, DraftOrderId::from_uuid(cart.id.uuid())).await?;
            }
            return Err(CheckoutError::CartClosed);
        }
    }
    let quote = cart::priced(tx, &cart).await?;
    check(&cart, &quote, wish)?;
    let free = quote.due.is_zero();
    let setup = if free { Setup::default() } else { payments::chosen_provider(tx, wish.provider).await? };
    if !free && !wish.provider.is_offline() && till.providers.of(wish.provider).is_none() {
        return Err(payments::PaymentError::ProviderUnknown(wish.provider.as_str()).into());
    }
    if let Some(mode) = purchase.mode.filter(|mode| !setup.is_for(*mode)) {
        return Err(payments::PaymentError::KeyMode(mode.as_str(), wish.provider.as_str()).into());
    }
    if wish.return_url.as_deref().is_some_and(|url| !may_return_to(url, entry, &setup, wish.provider)) {
        return Err(CheckoutError::ReturnUrl);
    }
    if !free && !wish.provider.is_offline() {
        customers::admit_payment(tx, cart.id, &purchase.network).await?;
    }
    let assent = Assent { version: wish.accepted_terms, network: &purchase.network };
    let order = attempt(tx, till, &cart, &quote, Some(assent), &purchase.actor).await?;
    if free || wish.provider.is_offline() {
        return at_once(tx, &order, quote.due, wish.provider, &purchase.actor).await;
    }
    let session = NewSession {
        id: PaymentSessionId::new(),
        order: order.id,
        provider: wish.provider,
        amount: quote.due,
        return_url: wish.return_url.clone(),
        first_poll_at: Some(tx.now() + FIRST_POLL_AFTER),
    };
    payments::new_session(tx, &session).await?;
    cart::mark_completing(tx, cart.id, tx.now() + COMPLETING_FOR).await?;
    Ok(Prepared::Pay(start_of(till, entry, &session, wish, setup)))
}

/// Reserves the stock and writes the attempt: what is agreed, the discounts it stands on, the credit it holds. A draft order's stock is kept as
/// long as staff said, if that is longer. `assent`: what the buyer says about the terms; none where staff decides.
///
/// # Errors
/// See [`CheckoutError`]; roll back.
pub async fn attempt(
    tx: &mut WriteTx<'_>,
    till: &Till,
    cart: &Cart,
    quote: &Quote,
    assent: Option<Assent<'_>>,
    actor: &str,
) -> Result<NewOrder, CheckoutError> {
    let settings = settings::current(tx).await?;
    let usual = settings.reservation_minutes;
    let agreed = match assent {
        Some(assent) => assent.agreed(tx, settings.terms_required).await?.map(|version| (assent, version)),
        None => None,
    };
    let kept = cart.terms.as_ref().and_then(|terms| terms.minutes_kept(tx.now()));
    let minutes = kept.map_or(usual, |kept| kept.max(usual));
    let held = inventory::reserve(tx, cart.id, &quote.demands(), minutes).await;
    let held = held.map_err(|error| named(error, cart, quote))?;
    let id = OrderId::new();
    let secret = till.links.secret_of(id).ok_or(NoEntropy)?;
    let terms = agreed.map(|(assent, version)| assent.kept(tx, version, &secret));
    let order = NewOrder { terms, ..new_order(id, &secret, cart, quote, &held) };
    orders::insert(tx, &order, actor).await?;
    redeem(tx, id, cart, quote).await?;
    let parts: Vec<_> = quote.credits.iter().map(|(credit, part)| (credit.id, *part)).collect();
    credit::hold(tx, id, &parts, actor).await?;
    Ok(order)
}

/// Holds the uses of the discounts that the order stands on. Those of a draft order are by hand and nobody counts them.
async fn redeem(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    cart: &Cart,
    quote: &Quote,
) -> Result<(), CheckoutError> {
    if cart.terms.is_some() {
        return Ok(());
    }
    let Some(email) = &cart.email else { return Ok(()) };
    let discounts: Vec<_> =
        quote.discounts.iter().map(|applied| (applied.discount, applied.title.as_str())).collect();
    Ok(discounts::redeem(tx, order, email, &discounts).await?)
}

fn start_of(
    till: &Till,
    entry: &StoreEntry,
    session: &NewSession,
    wish: &Wish,
    setup: Setup,
) -> StartPayment {
    let base = till.address.of(entry);
    StartPayment {
        store: entry.id,
        provider: session.provider,
        session: session.id,
        amount: session.amount,
        capture_later: setup.capture_later,
        return_url: format!("{base}/store/v1/payment-return/{}", session.id),
        webhook_url: format!("{base}/webhooks/payments/{}", session.provider.as_str()),
        token: wish.token.clone(),
        title: entry.name.clone(),
        account: setup.account,
    }
}

/// No provider to wait for: the order stands when this transaction does.
///
/// # Errors
/// See [`CheckoutError`]; roll back.
pub async fn at_once(
    tx: &mut WriteTx<'_>,
    order: &NewOrder,
    due: Money,
    provider: ProviderCode,
    actor: &str,
) -> Result<Prepared, CheckoutError> {
    let free = due.is_zero();
    if !free {
        let session = NewSession {
            id: PaymentSessionId::new(),
            order: order.id,
            provider,
            amount: due,
            return_url: None,
            first_poll_at: None,
        };
        payments::new_session(tx, &session).await?;
    }
    let is_stocked = order.lines.iter().any(|line| line.item.is_some());
    match take_stock(tx, order.cart, order.id, is_stocked).await? {
        Commitment::Committed => {}
        // Reserved in this very transaction.
        Commitment::Gone => return Err(CheckoutError::OrderState),
    }
    let locked = orders::lock(tx, order.id).await?.ok_or(CheckoutError::OrderState)?;
    let (status, provider) =
        if free { (FinancialStatus::Paid, None) } else { (FinancialStatus::Pending, Some(provider)) };
    // The cart first: taking the number holds up every other order of the store until the end.
    complete_cart(tx, order.cart, order.id).await?;
    orders::place(tx, &locked, status, provider, None, actor).await?;
    Ok(Prepared::Standing { order: order.id, fresh: true })
}

/// What is missing, what has changed, and what must not be there.
///
/// # Errors
/// [`CheckoutError::Incomplete`], [`CheckoutError::CardNumber`], 409 `price_changed`, [`CheckoutError::DueChanged`].
pub fn check(cart: &Cart, quote: &Quote, wish: &Wish) -> Result<(), CheckoutError> {
    let lacks = |pointer: &'static str, message: &'static str| FieldError::new(pointer, "required", message);
    let mut missing = unavailable(cart, quote);
    if quote.lines.is_empty() {
        missing.push(lacks("/lines", "must have at least one line"));
    }
    if cart.email.is_none() {
        missing.push(lacks("/email", "must be given"));
    }
    if quote.shipping_required && cart.shipping_address.is_none() {
        missing.push(lacks("/shipping_address", "must be given"));
    }
    if quote.shipping_required && cart.shipping_address.is_some() && quote.shipping.is_none() {
        missing.push(lacks("/shipping_option", "must be chosen; nothing is delivered there otherwise"));
    }
    if !missing.is_empty() {
        return Err(CheckoutError::Incomplete(missing));
    }
    if resembles_card_number(&cart.note) {
        return Err(CheckoutError::CardNumber("/note"));
    }
    if cart.attributes.words().any(resembles_card_number) {
        return Err(CheckoutError::CardNumber("/attributes"));
    }
    as_seen(quote, wish)?;
    match wish.expected_due {
        Some(expected) if expected != quote.due => {
            return Err(CheckoutError::DueChanged { expected, due: quote.due });
        }
        None if quote.due != quote.total => {
            let message = "must be given where gift cards or store credit pay: the cart's `amount_due`";
            return Err(CheckoutError::Incomplete(vec![lacks("/expected_due", message)]));
        }
        Some(_) | None => {}
    }
    Ok(())
}

fn new_taxes(taxes: &[crate::tax::TaxLine]) -> Vec<NewTax> {
    let tax = |tax: &crate::tax::TaxLine| NewTax {
        rate: tax.rate_id,
        compound: tax.compound,
        name: tax.name.clone(),
        jurisdiction: tax.jurisdiction.clone(),
        rate_ppm: i32::try_from(tax.rate.get()).unwrap_or(i32::MAX),
        reason: tax.reason.as_str().to_owned(),
        taxable: tax.taxable,
        amount: tax.amount,
    };
    taxes.iter().map(tax).collect()
}

/// The copy of what is agreed.
fn new_order(id: OrderId, secret: &LinkSecret, cart: &Cart, quote: &Quote, held: &[Held]) -> NewOrder {
    let line = |line: &cart::QuotedLine| {
        let sold = &line.ware;
        let item = sold.known.map(|known| known.item);
        NewLine {
            id: OrderLineId::new(),
            variant: sold.known.map(|known| known.variant),
            product: sold.known.map(|known| known.product),
            item,
            components: sold.components.clone(),
            location: held.iter().find(|held| Some(held.item) == item).map(|held| held.location),
            title: sold.title.clone(),
            variant_title: sold.variant_title.clone(),
            sku: sold.sku.clone(),
            options: sold.options.clone(),
            image: sold.image,
            requires_shipping: sold.requires_shipping,
            quantity: line.quantity,
            unit_price: sold.unit_price,
            discount: line.discount,
            total: line.total,
            taxes: new_taxes(&line.tax_lines),
        }
    };
    let by_hand = cart.terms.as_ref().is_some_and(|terms| terms.delivery.is_some());
    let shipping_line = quote.shipping.as_ref().map(|shipping| NewShippingLine {
        id: ShippingLineId::new(),
        rate: Some(shipping.rate).filter(|_| !by_hand),
        title: shipping.title.clone(),
        discount: shipping.discount,
        amount: shipping.price,
        taxes: new_taxes(&shipping.tax_lines),
    });
    let zero = souk_kernel::Money::zero(quote.currency);
    NewOrder {
        id,
        cart: cart.id,
        secret_digest: *secret.digest().as_bytes(),
        customer: cart.customer,
        email: cart.email.as_ref().map(|email| email.as_str().to_owned()).unwrap_or_default(),
        currency: quote.currency,
        prices_include_tax: quote.prices_include_tax,
        subtotal: quote.subtotal,
        discount: quote.discount,
        shipping: shipping_line.as_ref().map_or(zero, |line| line.amount),
        tax: quote.tax,
        tax_relief: quote.tax_relief.clone(),
        total: quote.total,
        shipping_address: cart.shipping_address.as_ref().map(|address| json!(address)),
        billing_address: cart.billing_address.as_ref().map(|address| json!(address)),
        note: cart.note.clone(),
        attributes: cart.attributes.to_json(),
        lines: quote.lines.iter().map(line).collect(),
        shipping_line,
        discounts: quote.discounts.clone(),
        terms: None,
    }
}
