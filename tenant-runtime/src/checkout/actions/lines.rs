//! Which line it is about: what moved between two steps of a checkout is said by its line, with what was seen and what is.

use std::borrow::Cow;

use serde_json::{Value, json};
use souk_api::{FieldError, Problem};
use souk_kernel::CartLineId;

use crate::cart::{Cart, Quote, QuotedLine};
use crate::catalog;
use crate::checkout::error::{CheckoutError, PRICE_CHANGED};
use crate::checkout::model::{SeenLine, Wish};
use crate::inventory::{InventoryError, Shortage};

/// Where a line is in its cart, or in its draft order.
fn pointer(cart: &Cart, id: CartLineId) -> Cow<'static, str> {
    let place = match &cart.terms {
        Some(terms) => terms.lines.iter().position(|line| line.id == id),
        None => cart.lines.iter().position(|line| line.id == id),
    };
    place.map_or(Cow::Borrowed("/lines"), |place| Cow::Owned(format!("/lines/{place}")))
}

/// Lines of what is not for sale any more.
pub fn unavailable(cart: &Cart, quote: &Quote) -> Vec<FieldError> {
    let fault = |id: CartLineId| {
        FieldError::new(pointer(cart, id), "unavailable", format!("must be for sale; take {id} out"))
    };
    quote.unavailable.iter().map(|line| fault(line.id)).collect()
}

/// Holds what the shopper saw against what it costs now.
///
/// # Errors
/// 409 `price_changed` with the parts of the total, every line, the codes and what becomes of them, and by its pointer each expected line that is
/// another now.
pub fn as_seen(quote: &Quote, wish: &Wish) -> Result<(), CheckoutError> {
    let faults: Vec<FieldError> = wish
        .expected_lines
        .iter()
        .enumerate()
        .filter_map(|(place, seen)| changed(quote, place, seen))
        .collect();
    if faults.is_empty() && wish.expected_total == quote.total {
        return Ok(());
    }
    let (total, lines): (_, Vec<Value>) = (quote.total, quote.lines.iter().map(shown).collect());
    let shipping = quote.shipping.as_ref().map(|shipping| shipping.price);
    let problem = Problem::new(&PRICE_CHANGED)
        .detail(format!("The total is {} {}.", total.decimal_string(), total.currency()))
        .extension("total", json!(total))
        .extension("expected_total", json!(wish.expected_total))
        .extension("subtotal", json!(quote.subtotal))
        .extension("discount", json!(quote.discount))
        .extension("discount_codes", json!(quote.codes))
        .extension("shipping", json!(shipping))
        .extension("tax", json!(quote.tax))
        .extension("lines", lines);
    Err(CheckoutError::Problem(faults.into_iter().fold(problem, Problem::error)))
}

/// What is wrong about a line as it was seen; none when it is as it was.
fn changed(quote: &Quote, place: usize, seen: &SeenLine) -> Option<FieldError> {
    let SeenLine { line: id, total: before } = *seen;
    match quote.lines.iter().find(|line| line.id == id) {
        Some(line) if line.total == before => None,
        Some(line) => {
            let message = format!("{id} costs {} now, and not {before}", line.total);
            Some(FieldError::new(format!("/expected_lines/{place}/total"), "changed", message))
        }
        None => {
            let message = format!("{id} is not in the cart any more");
            Some(FieldError::new(format!("/expected_lines/{place}/line"), "gone", message))
        }
    }
}

fn shown(line: &QuotedLine) -> Value {
    json!({
        "line": line.id, "variant": line.ware.known.map(|known| known.variant), "quantity": line.quantity.get(),
        "unit_price": line.ware.unit_price, "discount": line.discount, "total": line.total,
    })
}

/// The same failure; where stock falls short, with the lines that wanted it.
pub fn named(error: InventoryError, cart: &Cart, quote: &Quote) -> CheckoutError {
    let mut faults = Vec::new();
    if let InventoryError::OutOfStock(shortages) = &error {
        faults.extend(quote.lines.iter().filter_map(|line| short(cart, line, shortages)));
    }
    if faults.is_empty() {
        return error.into();
    }
    CheckoutError::Problem(faults.into_iter().fold(Problem::from(error), Problem::error))
}

fn short(cart: &Cart, line: &QuotedLine, shortages: &[Shortage]) -> Option<FieldError> {
    let known = line.ware.known?;
    let takes = catalog::made_of(known.item, &line.ware.components);
    let shortage = shortages.iter().find(|shortage| takes.iter().any(|(item, _)| *item == shortage.item))?;
    let Shortage { wanted, available, .. } = shortage;
    let message = format!("{} wants some of {wanted} pieces of which {available} are there", line.id);
    Some(FieldError::new(format!("{}/quantity", pointer(cart, line.id)), "out_of_stock", message))
}
