//! Filling a cart and pricing it.

mod drafts;
mod owner;
mod wishes;

use std::collections::HashMap;

use souk_access::LinkSecret;
use souk_kernel::{CartId, CartLineId, CreditId, DiscountId, Quantity, VariantId};
use souk_tenancy::{ReadTx, WriteTx};

use super::error::CartError;
use super::model::{
    Address, Basket, Cart, CartLine, Change, EditCart, MOST_CODES, MOST_GIFT_CARDS, MOST_LINES, NewCart,
    NewCartLine, Priced, Pricing, Quote, Warning, chosen,
};
use super::queries;
use super::state::CartState;
use crate::catalog::{self, Sellable};
use crate::credit::{self, GiftCode};
use crate::discounts::{self, Code, Delivery, Reckoning};
use crate::markets;
use crate::settings::{self, Settings};
use crate::shipping::ShippingOption;
use crate::tax::{TaxRules, VatNumber};
use crate::{shipping, tax};
use wishes::{Wish, admit, too_many_lines, wishes, within_limit};

pub use drafts::{begin, rewrite};
pub use owner::{claim, forget, of_customer, own};

/// Makes a cart and gives the secret that opens it, which is not kept. Quantities are cut to what is there. At most four statements.
///
/// # Errors
/// [`CartError::Fields`] for lines that cannot be had, pointing into `lines`.
pub async fn create(tx: &mut WriteTx<'_>, new: NewCart) -> Result<(Cart, LinkSecret), CartError> {
    let made = make(tx, new).await?;
    Ok((made.cart, made.secret))
}

/// What a cart costs now. At most seven statements, no lock; lines of what is not for sale any more are left out.
///
/// # Errors
/// [`CartError::Money`] when the total cannot be counted.
pub async fn priced(tx: &mut ReadTx<'_>, cart: &Cart) -> Result<Quote, CartError> {
    let settings = settings::current(tx).await?;
    let sold = sold(tx, cart, &[]).await?;
    quote(tx, cart, &settings, sold).await
}

/// Makes a cart and prices it. At most nine statements, and one for each code.
pub async fn open(tx: &mut WriteTx<'_>, new: NewCart) -> Result<Priced, CartError> {
    let Made { cart, secret, settings, sold, warnings } = make(tx, new).await?;
    let quote = quote(tx, &cart, &settings, sold).await?;
    Ok(Priced { cart, quote, warnings, secret: Some(secret) })
}

/// Shows a cart.
pub async fn show(tx: &mut ReadTx<'_>, id: CartId, secret: &LinkSecret) -> Result<Priced, CartError> {
    let found = queries::find(tx, id, secret).await?;
    let cart = found.filter(|cart| cart.terms.is_none()).ok_or(CartError::Unknown)?;
    let quote = priced(tx, &cart).await?;
    Ok(Priced { cart, quote, warnings: Vec::new(), secret: None })
}

/// Changes what is known about the shopper.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    id: CartId,
    secret: &LinkSecret,
    edit: EditCart,
) -> Result<Priced, CartError> {
    let mut cart = changeable(tx, id, secret).await?;
    edit.email.apply(&mut cart.email);
    let settled = |address: Change<Address>, at| address.checked(|address| address.settled(at));
    let shipping = settled(edit.shipping_address, "/shipping_address").map_err(CartError::Fields)?;
    let billing = settled(edit.billing_address, "/billing_address").map_err(CartError::Fields)?;
    shipping.apply(&mut cart.shipping_address);
    billing.apply(&mut cart.billing_address);
    let mut note = souk_kernel::LongText::parse(&cart.note).ok();
    edit.note.apply(&mut note);
    cart.note = note.map(souk_kernel::LongText::into_string).unwrap_or_default();
    edit.attributes.apply_or_default(&mut cart.attributes);
    edit.locale.apply(&mut cart.locale);
    cart.use_store_credit = edit.use_store_credit.unwrap_or(cart.use_store_credit);
    queries::update(tx, &cart).await?;
    let sold = sold(tx, &cart, &[]).await?;
    changed(tx, cart, sold, Vec::new()).await
}

/// Adds pieces of a variant; one that is in the cart already adds up.
pub async fn add_line(
    tx: &mut WriteTx<'_>,
    id: CartId,
    secret: &LinkSecret,
    new: NewCartLine,
) -> Result<Priced, CartError> {
    let mut cart = changeable(tx, id, secret).await?;
    within_limit("", new.quantity)?;
    let place = cart.lines.iter().position(|line| line.variant == new.variant);
    let line = match place {
        Some(place) => cart.lines.swap_remove(place),
        None if cart.lines.len() >= MOST_LINES => return Err(too_many_lines("")),
        None => CartLine {
            id: CartLineId::new(),
            variant: new.variant,
            quantity: new.quantity,
            position: cart
                .lines
                .iter()
                .map(|line| line.position)
                .max()
                .map_or(0, |last| last.saturating_add(1)),
        },
    };
    let before = if place.is_some() { line.quantity.get() } else { 0 };
    let wish = Wish { pointer: String::new(), variant: new.variant, pieces: before + new.quantity.get() };
    set_line(tx, cart, line, wish).await
}

/// Sets the pieces of a line.
pub async fn change_line(
    tx: &mut WriteTx<'_>,
    id: CartId,
    secret: &LinkSecret,
    line: CartLineId,
    quantity: Quantity,
) -> Result<Priced, CartError> {
    let mut cart = changeable(tx, id, secret).await?;
    within_limit("", quantity)?;
    let place = cart.lines.iter().position(|known| known.id == line).ok_or(CartError::Unknown)?;
    let line = cart.lines.swap_remove(place);
    let wish = Wish { pointer: String::new(), variant: line.variant, pieces: quantity.get() };
    set_line(tx, cart, line, wish).await
}

/// Writes the line with what can be had of the wish. `cart` is without it.
async fn set_line(
    tx: &mut WriteTx<'_>,
    mut cart: Cart,
    line: CartLine,
    wish: Wish,
) -> Result<Priced, CartError> {
    let sold = sold(tx, &cart, &[wish.variant]).await?;
    let (admitted, warnings) = admit(tx, &[wish], &sold).await?;
    let quantity = admitted.first().copied().ok_or(CartError::Unknown)?;
    let line = CartLine { quantity, ..line };
    queries::put_line(tx, cart.id, &line).await?;
    cart.lines.push(line);
    cart.lines.sort_by_key(|line| (line.position, line.id));
    changed(tx, cart, sold, warnings).await
}

/// Takes a line out.
pub async fn remove_line(
    tx: &mut WriteTx<'_>,
    id: CartId,
    secret: &LinkSecret,
    line: CartLineId,
) -> Result<Priced, CartError> {
    let mut cart = changeable(tx, id, secret).await?;
    let place = cart.lines.iter().position(|known| known.id == line).ok_or(CartError::Unknown)?;
    cart.lines.remove(place);
    queries::delete_line(tx, cart.id, line).await?;
    let sold = sold(tx, &cart, &[]).await?;
    changed(tx, cart, sold, Vec::new()).await
}

/// Chooses a delivery, which must be one of the cart's options now.
pub async fn choose_shipping(
    tx: &mut WriteTx<'_>,
    id: CartId,
    secret: &LinkSecret,
    rate: souk_kernel::ShippingRateId,
) -> Result<Priced, CartError> {
    let mut cart = changeable(tx, id, secret).await?;
    cart.shipping_rate = Some(rate);
    let quote = priced(tx, &cart).await?;
    if quote.shipping_options.iter().all(|option| option.id != rate) {
        return Err(CartError::field(
            "/shipping_rate",
            "unknown",
            "must be one of the cart's shipping options",
        ));
    }
    queries::update(tx, &cart).await?;
    cart.version += 1;
    Ok(Priced { cart, quote, warnings: Vec::new(), secret: None })
}

/// Keeps the buyer's VAT number, or takes it out; `outcome` is what its register said of it. What it does, the answer says.
pub async fn put_vat_number(
    tx: &mut WriteTx<'_>,
    id: CartId,
    secret: &LinkSecret,
    number: Option<(&VatNumber, &str)>,
) -> Result<Priced, CartError> {
    let mut cart = changeable(tx, id, secret).await?;
    if let Some((number, outcome)) = number {
        tax::known_number(tx, number, outcome).await?;
    }
    cart.vat_number = number.map(|(number, _)| number.as_str().to_owned());
    queries::update(tx, &cart).await?;
    let sold = sold(tx, &cart, &[]).await?;
    changed(tx, cart, sold, Vec::new()).await
}

/// Keeps a code that a shopper has; one that is kept already is fine. Whether it takes something off, the answer says.
///
/// # Errors
/// 422 for one that could not apply whatever is in the cart.
pub async fn enter_code(
    tx: &mut WriteTx<'_>,
    id: CartId,
    secret: &LinkSecret,
    code: &Code,
) -> Result<Priced, CartError> {
    let mut cart = changeable(tx, id, secret).await?;
    enter(tx, &mut cart, code).await?;
    queries::update(tx, &cart).await?;
    let sold = sold(tx, &cart, &[]).await?;
    changed(tx, cart, sold, Vec::new()).await
}

async fn enter(tx: &mut ReadTx<'_>, cart: &mut Cart, code: &Code) -> Result<(), CartError> {
    let key = code.key();
    if cart.discount_codes.contains(&key) {
        return Ok(());
    }
    if cart.discount_codes.len() >= MOST_CODES {
        return Err(CartError::field("/code", "too_many", "must be one of at most 5 codes"));
    }
    discounts::may_enter(tx, code, cart.email.as_ref(), cart.customer).await?;
    cart.discount_codes.push(key);
    Ok(())
}

/// Keeps a gift card that a shopper has, after those that are there already.
///
/// # Errors
/// 422 for one that is unknown, empty, stopped, expired or of another currency.
pub async fn enter_gift_card(
    tx: &mut WriteTx<'_>,
    id: CartId,
    secret: &LinkSecret,
    code: &GiftCode,
) -> Result<Priced, CartError> {
    let mut cart = changeable(tx, id, secret).await?;
    let card = credit::gift_card(tx, code, cart.currency).await?;
    if !cart.gift_cards.contains(&card) {
        if cart.gift_cards.len() >= MOST_GIFT_CARDS {
            return Err(CartError::field("/code", "too_many", "must be one of at most 5 gift cards"));
        }
        cart.gift_cards.push(card);
        queries::update(tx, &cart).await?;
    }
    let sold = sold(tx, &cart, &[]).await?;
    changed(tx, cart, sold, Vec::new()).await
}

/// Forgets a gift card. One that is not there is fine.
pub async fn remove_gift_card(
    tx: &mut WriteTx<'_>,
    id: CartId,
    secret: &LinkSecret,
    card: CreditId,
) -> Result<Priced, CartError> {
    let mut cart = changeable(tx, id, secret).await?;
    cart.gift_cards.retain(|kept| *kept != card);
    queries::update(tx, &cart).await?;
    let sold = sold(tx, &cart, &[]).await?;
    changed(tx, cart, sold, Vec::new()).await
}

/// Forgets a code. One that is not there is fine.
pub async fn remove_code(
    tx: &mut WriteTx<'_>,
    id: CartId,
    secret: &LinkSecret,
    code: &Code,
) -> Result<Priced, CartError> {
    let mut cart = changeable(tx, id, secret).await?;
    cart.discount_codes.retain(|kept| *kept != code.key());
    queries::update(tx, &cart).await?;
    let sold = sold(tx, &cart, &[]).await?;
    changed(tx, cart, sold, Vec::new()).await
}

/// The cart, locked, if its shopper may change it.
async fn changeable(tx: &mut WriteTx<'_>, id: CartId, secret: &LinkSecret) -> Result<Cart, CartError> {
    let taken = queries::take(tx, id, secret).await?;
    let cart = taken.filter(|cart| cart.terms.is_none()).ok_or(CartError::Unknown)?;
    match cart.state {
        CartState::Active => Ok(cart),
        CartState::Completing => Err(CartError::Locked),
        CartState::Completed | CartState::Merged | CartState::Expired => Err(CartError::Finished),
    }
}

/// The answer to a change that is written.
async fn changed(
    tx: &mut WriteTx<'_>,
    mut cart: Cart,
    sold: Vec<Sellable>,
    warnings: Vec<Warning>,
) -> Result<Priced, CartError> {
    cart.version += 1;
    let settings = settings::current(tx).await?;
    let quote = quote(tx, &cart, &settings, sold).await?;
    Ok(Priced { cart, quote, warnings, secret: None })
}

/// What there is to know of the cart's variants and of more.
async fn sold(tx: &mut ReadTx<'_>, cart: &Cart, more: &[VariantId]) -> Result<Vec<Sellable>, CartError> {
    let mut variants: Vec<VariantId> = cart.variants().chain(more.iter().copied()).collect();
    variants.sort_unstable();
    variants.dedup();
    if variants.is_empty() {
        return Ok(Vec::new());
    }
    Ok(catalog::sellable(tx, &variants, cart.currency, cart.market, cart.customer).await?)
}

async fn quote(
    tx: &mut ReadTx<'_>,
    cart: &Cart,
    settings: &Settings,
    sold: Vec<Sellable>,
) -> Result<Quote, CartError> {
    let basket = Basket::of(cart, sold)?;
    let to = cart.destination(settings.country);
    let rules = if basket.is_empty() {
        TaxRules::none(to.country)
    } else {
        tax::rules_for(tx, &to, &cart.tax_buyer(), settings.country).await?
    };
    let by_hand = cart.terms.as_ref().and_then(|terms| terms.delivery.as_ref());
    let options = match (by_hand, &cart.shipping_address) {
        (Some(by_hand), _) => vec![by_hand.option()],
        (None, Some(address)) if basket.shipping_required => {
            shipping::options(tx, basket.parcel(address)).await?
        }
        _ => Vec::new(),
    };
    let inclusive = cart.prices_include_tax.unwrap_or(settings.prices_include_tax);
    // What staff agreed is what is paid.
    let is_net = inclusive && rules.sells_net() && cart.terms.is_none();
    let (basket, options) =
        if is_net { without_tax(basket, options, &rules, settings)? } else { (basket, options) };
    let inclusive = inclusive && !is_net;
    let delivery = chosen(cart, &options).map(|option| Delivery { price: option.price, country: to.country });
    let (reckoning, named) = discounted(tx, cart, &basket, delivery, settings).await?;
    let quote =
        Quote::of(cart, basket, Pricing { settings, rules: &rules, options, reckoning, named, inclusive })?;
    let credits = credit::usable(tx, &cart.gift_cards, cart.payer(), quote.total).await?;
    Ok(quote.paid_by(credits)?)
}

/// The same at prices without the tax that would have been inside them.
fn without_tax(
    mut basket: Basket,
    mut options: Vec<ShippingOption>,
    rules: &TaxRules,
    settings: &Settings,
) -> Result<(Basket, Vec<ShippingOption>), CartError> {
    basket.take_out_tax(rules, settings.tax_rounding)?;
    for option in &mut options {
        option.price = tax::delivery_without_tax(rules, option.price, settings.tax_rounding)?;
    }
    Ok((basket, options))
}

/// What discounts take off, and which discounts the cart's codes name. At most two statements, none for an empty basket.
async fn discounted(
    tx: &mut ReadTx<'_>,
    cart: &Cart,
    basket: &Basket,
    delivery: Option<Delivery>,
    settings: &Settings,
) -> Result<(Reckoning, HashMap<String, DiscountId>), CartError> {
    if let Some(terms) = &cart.terms {
        let reckoning = terms.reckon(&basket.totals(), cart.currency, settings.tax_rounding)?;
        return Ok((reckoning, HashMap::new()));
    }
    if basket.is_empty() && cart.discount_codes.is_empty() {
        return Ok((Reckoning { applied: Vec::new(), refused: Vec::new() }, HashMap::new()));
    }
    let (candidates, named) =
        discounts::candidates(tx, &cart.discount_codes, cart.email.as_ref(), cart.customer).await?;
    let collections = if discounts::names_collections(&candidates) {
        catalog::collections_of(tx, &basket.products()).await?
    } else {
        HashMap::new()
    };
    let purchase = basket.purchase(delivery, &collections, settings, tx.now());
    Ok((discounts::reckon(&purchase, &candidates)?, named))
}

/// What a basket would cost, without making anything. At most nine statements, and one for each code.
///
/// # Errors
/// As [`create`].
pub async fn price_only(tx: &mut ReadTx<'_>, new: NewCart) -> Result<Priced, CartError> {
    let Imagined { cart, settings, sold, warnings } = imagine(tx, new).await?;
    let quote = quote(tx, &cart, &settings, sold).await?;
    Ok(Priced { cart, quote, warnings, secret: None })
}

/// A cart that is nowhere yet.
struct Imagined {
    cart: Cart,
    settings: Settings,
    sold: Vec<Sellable>,
    warnings: Vec<Warning>,
}

struct Made {
    cart: Cart,
    secret: LinkSecret,
    settings: Settings,
    sold: Vec<Sellable>,
    warnings: Vec<Warning>,
}

async fn make(tx: &mut WriteTx<'_>, new: NewCart) -> Result<Made, CartError> {
    let Imagined { cart, settings, sold, warnings } = imagine(tx, new).await?;
    let secret = LinkSecret::mint()?;
    queries::insert(tx, &cart, &secret).await?;
    Ok(Made { cart, secret, settings, sold, warnings })
}

async fn imagine(tx: &mut ReadTx<'_>, new: NewCart) -> Result<Imagined, CartError> {
    let wishes = wishes(&new.lines)?;
    let new = new.settled().map_err(CartError::Fields)?;
    let settings = settings::current(tx).await?;
    let market = match new.country {
        Some(country) => markets::for_country(tx, country).await?,
        None => None,
    };
    let mut cart = Cart {
        id: CartId::new(),
        state: CartState::Active,
        currency: market.as_ref().map_or(settings.currency, |market| market.currency),
        market: market.as_ref().map(|market| market.id),
        prices_include_tax: market.as_ref().map(|market| market.prices_include_tax),
        customer: new.customer,
        email: new.email,
        note: new.note,
        attributes: new.attributes,
        shipping_address: new.shipping_address,
        billing_address: new.billing_address,
        shipping_rate: None,
        discount_codes: Vec::new(),
        gift_cards: Vec::new(),
        use_store_credit: false,
        locale: new.locale,
        vat_number: None,
        lines: Vec::new(),
        terms: None,
        version: 1,
    };
    let variants: Vec<VariantId> = wishes.iter().map(|wish| wish.variant).collect();
    let sold = sold(tx, &cart, &variants).await?;
    let (admitted, warnings) = admit(tx, &wishes, &sold).await?;
    let line =
        |((variant, quantity), position)| CartLine { id: CartLineId::new(), variant, quantity, position };
    cart.lines = variants.into_iter().zip(admitted).zip(0..).map(line).collect();
    for code in new.discount_codes {
        enter(tx, &mut cart, &code).await?;
    }
    Ok(Imagined { cart, settings, sold, warnings })
}
