//! What a shopper wishes, and how much of it can be had.

use std::collections::HashMap;

use souk_api::FieldError;
use souk_kernel::{Quantity, VariantId};
use souk_tenancy::ReadTx;

use crate::cart::error::CartError;
use crate::cart::model::{MOST_LINES, MOST_PIECES, NewCartLine, Warning};
use crate::catalog::Sellable;
use crate::inventory::{self, Policy};

/// So many of that in all; `pointer` is what it came from.
pub struct Wish {
    pub pointer: String,
    pub variant: VariantId,
    pub pieces: u32,
}

/// One wish per variant, at the place where it was named first.
pub fn wishes(lines: &[NewCartLine]) -> Result<Vec<Wish>, CartError> {
    if lines.len() > MOST_LINES {
        return Err(too_many_lines("/lines"));
    }
    let mut wishes: Vec<Wish> = Vec::with_capacity(lines.len());
    let mut places: HashMap<VariantId, usize> = HashMap::with_capacity(lines.len());
    for (place, line) in lines.iter().enumerate() {
        let pointer = format!("/lines/{place}");
        within_limit(&pointer, line.quantity)?;
        match places.get(&line.variant).and_then(|place| wishes.get_mut(*place)) {
            Some(wish) => wish.pieces += line.quantity.get(),
            None => {
                places.insert(line.variant, wishes.len());
                wishes.push(Wish { pointer, variant: line.variant, pieces: line.quantity.get() });
            }
        }
    }
    Ok(wishes)
}

/// A quantity a line may have.
pub fn within_limit(pointer: &str, quantity: Quantity) -> Result<(), CartError> {
    if quantity.get() <= MOST_PIECES {
        return Ok(());
    }
    Err(CartError::field(format!("{pointer}/quantity"), "out_of_range", "must be 1 to 9999"))
}

/// The refusal of one line more.
pub fn too_many_lines(pointer: &'static str) -> CartError {
    CartError::field(pointer, "too_many", "must be at most 500 lines")
}

/// How much of each wish can be had, in order, with a warning where that is less. At most one statement.
pub async fn admit(
    tx: &mut ReadTx<'_>,
    wishes: &[Wish],
    sold: &[Sellable],
) -> Result<(Vec<Quantity>, Vec<Warning>), CartError> {
    let sold: HashMap<VariantId, &Sellable> = sold.iter().map(|sold| (sold.variant, sold)).collect();
    let counted = wishes.iter().filter_map(|wish| sold.get(&wish.variant));
    let counted: Vec<_> = counted.filter(|sold| sold.policy == Policy::Deny).map(|sold| sold.item).collect();
    let stock = if counted.is_empty() { HashMap::new() } else { inventory::available(tx, &counted).await? };
    let (mut admitted, mut warnings, mut refused) =
        (Vec::with_capacity(wishes.len()), Vec::new(), Vec::new());
    for wish in wishes {
        let limit = |sold: &&Sellable| match sold.policy {
            Policy::Deny => stock.get(&sold.item).copied().unwrap_or_default(),
            Policy::Continue => i64::from(MOST_PIECES),
        };
        match portion(wish, sold.get(&wish.variant).copied().filter(|sold| sold.live).as_ref().map(limit)) {
            Ok((quantity, warning)) => {
                admitted.push(quantity);
                warnings.extend(warning);
            }
            Err(error) => refused.push(error),
        }
    }
    if refused.is_empty() { Ok((admitted, warnings)) } else { Err(CartError::Fields(refused)) }
}

/// What can be had of one wish. `limit`: how many there are, none for what is not for sale.
fn portion(wish: &Wish, limit: Option<i64>) -> Result<(Quantity, Option<Warning>), FieldError> {
    let refusal = |code, message| FieldError::new(format!("{}/variant", wish.pointer), code, message);
    let limit = limit.ok_or_else(|| refusal("unavailable", "must be a variant that is for sale"))?;
    let most = u32::try_from(limit.clamp(0, i64::from(MOST_PIECES))).unwrap_or_default();
    let quantity =
        Quantity::new(wish.pieces.min(most)).map_err(|_| refusal("out_of_stock", "is out of stock"))?;
    let warning = (quantity.get() < wish.pieces).then(|| Warning {
        code: "quantity_limited",
        message: format!("Only {quantity} can be in the cart."),
        variant: wish.variant,
        requested: wish.pieces,
        quantity: quantity.get(),
    });
    Ok((quantity, warning))
}

#[cfg(test)]
mod rules {
    use super::*;

    fn wish(pieces: u32) -> Wish {
        Wish { pointer: "/lines/0".into(), variant: VariantId::new(), pieces }
    }

    #[test]
    fn a_wish_is_cut_to_what_is_there() {
        assert_eq!(portion(&wish(3), Some(5)).unwrap(), (Quantity::new(3).unwrap(), None));
        let (quantity, warning) = portion(&wish(7), Some(5)).unwrap();
        assert_eq!((quantity.get(), warning.map(|warning| warning.requested)), (5, Some(7)));
        let (quantity, warning) = portion(&wish(20_000), Some(i64::MAX)).unwrap();
        assert_eq!((quantity.get(), warning.is_some()), (MOST_PIECES, true));
    }

    #[test]
    fn nothing_there_is_refused_where_it_was_asked() {
        for (limit, code) in [(None, "unavailable"), (Some(0), "out_of_stock"), (Some(-3), "out_of_stock")] {
            let error = portion(&wish(1), limit).unwrap_err();
            assert_eq!((error.pointer.as_ref(), error.code.as_ref()), ("/lines/0/variant", code));
        }
    }

    #[test]
    fn the_same_variant_adds_up() {
        let variant = VariantId::new();
        let line = |pieces| NewCartLine { variant, quantity: Quantity::new(pieces).unwrap() };
        let all = wishes(&[line(1), line(2)]).unwrap();
        assert_eq!(all.iter().map(|wish| wish.pieces).collect::<Vec<_>>(), [3]);
        assert!(wishes(&[line(10_000)]).is_err());
        assert!(wishes(&vec![line(1); 501]).is_err());
    }
}
