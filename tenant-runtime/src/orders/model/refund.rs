//! How much a refund gives back, and from what. Pure.

use souk_api::FieldError;
use souk_kernel::{InventoryItemId, Money, MoneyError, OrderLineId, Rounding, refund_share};

use super::StockChoice;
use crate::ledger::rules::Sale;

/// A line, or the delivery, as it was paid for, and what of it went back.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// None for the delivery.
    pub line: Option<OrderLineId>,
    pub item: Option<InventoryItemId>,
    pub pieces: u32,
    /// What the shopper paid for it, discounts off, tax in.
    pub gross: Money,
    /// The recorded tax inside `gross`.
    pub tax: Money,
    /// Pieces given back.
    pub returned: u32,
    pub refunded: Money,
    /// Inside `refunded`.
    pub refunded_tax: Money,
}

/// What staff wants to give back.
#[derive(Clone, Debug, Default)]
pub struct RefundWish {
    pub lines: Vec<LineWish>,
    /// Of the delivery, tax included.
    pub shipping: Option<Money>,
    pub reason: String,
    /// For colleagues.
    pub note: Option<String>,
}

/// Pieces of a line, or a part of its price.
#[derive(Clone, Copy, Debug)]
pub struct LineWish {
    pub line: OrderLineId,
    pub pieces: Option<u32>,
    pub amount: Option<Money>,
    pub stock: StockChoice,
}

/// What one part gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub line: Option<OrderLineId>,
    pub item: Option<InventoryItemId>,
    /// Zero for a gesture: the pieces stay sold.
    pub pieces: u32,
    pub amount: Money,
    /// Inside `amount`.
    pub tax: Money,
    pub stock: StockChoice,
}

/// Why a wish cannot be granted.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// It makes no sense, whatever was given back so far.
    Fields(Vec<FieldError>),
    /// More than is left.
    Exceeds(Vec<FieldError>),
    Money(MoneyError),
}

impl From<MoneyError> for Refused {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

impl Part {
    /// Pieces that may still come back.
    pub const fn pieces_left(&self) -> u32 {
        self.pieces.saturating_sub(self.returned)
    }

    /// Gives this much of it. The tax follows the money cumulatively, so that with the last of it exactly the recorded tax has gone back.
    fn share(&self, pieces: u32, amount: Money, stock: StockChoice) -> Result<Share, MoneyError> {
        let after = self.refunded.checked_add(amount)?;
        let tax = self.tax.fraction(after.minor(), self.gross.minor(), Rounding::HalfUp)?;
        let tax = tax.checked_sub(self.refunded_tax)?;
        Ok(Share { line: self.line, item: self.item, pieces, amount, tax, stock })
    }

    fn grant(&self, wish: &LineWish, at: &str) -> Result<Share, Refused> {
        match (wish.pieces, wish.amount) {
            (Some(pieces), None) if pieces > self.pieces_left() => {
                let message = format!("must be at most {}", self.pieces_left());
                let error = FieldError::new(format!("{at}/quantity"), "exceeds", message);
                Err(Refused::Exceeds(vec![error]))
            }
            (Some(pieces), None) => {
                let amount = refund_share(self.gross, self.returned + pieces, self.pieces, self.refunded)?;
                Ok(self.share(pieces, amount, wish.stock)?)
            }
            (None, Some(amount)) => self.part_of_price(amount, &format!("{at}/amount")),
            (Some(_), Some(_)) | (None, None) => {
                let error = FieldError::new(at.to_owned(), "invalid", "give either quantity or amount");
                Err(Refused::Fields(vec![error]))
            }
        }
    }

    /// A part of the price without pieces.
    fn part_of_price(&self, amount: Money, at: &str) -> Result<Share, Refused> {
        if amount.currency() != self.gross.currency() || !amount.is_positive() {
            let message = format!("must be above zero, in {}", self.gross.currency());
            return Err(Refused::Fields(vec![FieldError::new(at.to_owned(), "out_of_range", message)]));
        }
        let left = self.gross.checked_sub(self.refunded)?;
        if amount.minor() > left.minor() {
            let error = FieldError::new(at.to_owned(), "exceeds", format!("must be at most {left}"));
            return Err(Refused::Exceeds(vec![error]));
        }
        Ok(self.share(0, amount, StockChoice::Keep)?)
    }
}

/// What a wish comes to, part by part.
///
/// # Errors
/// See [`Refused`]; every complaint names its place in the request.
pub fn plan(parts: &[Part], wish: &RefundWish) -> Result<Vec<Share>, Refused> {
    let mut shares: Vec<Share> = Vec::with_capacity(wish.lines.len() + 1);
    let (mut wrong, mut exceeds) = (Vec::new(), Vec::new());
    let mut take = |outcome: Result<Share, Refused>| match outcome {
        Ok(share) => {
            shares.push(share);
            Ok(())
        }
        Err(Refused::Fields(errors)) => {
            wrong.extend(errors);
            Ok(())
        }
        Err(Refused::Exceeds(errors)) => {
            exceeds.extend(errors);
            Ok(())
        }
        Err(Refused::Money(error)) => Err(error),
    };
    for (place, line) in wish.lines.iter().enumerate() {
        let at = format!("/lines/{place}");
        let twice = wish.lines.iter().take(place).any(|earlier| earlier.line == line.line);
        let part = parts.iter().find(|part| part.line == Some(line.line));
        let complain =
            |code, message| Err(Refused::Fields(vec![FieldError::new(format!("{at}/line"), code, message)]));
        take(match part {
            _ if twice => complain("duplicate", "must be named once"),
            None => complain("unknown", "must be a line of this order"),
            Some(part) => part.grant(line, &at),
        })?;
    }
    if let Some(amount) = wish.shipping {
        let delivery = parts.iter().find(|part| part.line.is_none());
        let none = || FieldError::new("/shipping", "exceeds", "must be left out: delivery was free");
        take(match delivery {
            Some(delivery) => delivery.part_of_price(amount, "/shipping"),
            None => Err(Refused::Exceeds(vec![none()])),
        })?;
    }
    if !wrong.is_empty() {
        return Err(Refused::Fields(wrong));
    }
    if !exceeds.is_empty() {
        return Err(Refused::Exceeds(exceeds));
    }
    if shares.iter().all(|share| share.amount.is_zero()) {
        let error = FieldError::new("/lines", "required", "must come to more than nothing");
        return Err(Refused::Fields(vec![error]));
    }
    Ok(shares)
}

/// What shares are in the books: goods and delivery without tax and after discounts, tax, and all of it.
///
/// # Errors
/// Too much to count.
pub fn returned(sale: &Sale, shares: impl IntoIterator<Item = Share>) -> Result<Sale, MoneyError> {
    let zero = Money::zero(sale.total.currency());
    let nothing =
        Sale { goods: zero, shipping: zero, discount: zero, tax: zero, total: zero, ..sale.clone() };
    shares.into_iter().try_fold(nothing, |mut sum, share| {
        let net = share.amount.checked_sub(share.tax)?;
        match share.line {
            Some(_) => sum.goods = sum.goods.checked_add(net)?,
            None => sum.shipping = sum.shipping.checked_add(net)?,
        }
        sum.tax = sum.tax.checked_add(share.tax)?;
        sum.total = sum.total.checked_add(share.amount)?;
        Ok(sum)
    })
}

/// What is left of a sale after all that went back.
///
/// # Errors
/// Too much to count.
pub fn remainder(sale: &Sale, parts: &[Part]) -> Result<Sale, MoneyError> {
    let gone = |part: &Part| Share {
        line: part.line,
        item: part.item,
        pieces: part.returned,
        amount: part.refunded,
        tax: part.refunded_tax,
        stock: StockChoice::Keep,
    };
    let gone = returned(sale, parts.iter().map(gone))?;
    Ok(Sale {
        goods: sale.goods.checked_sub(gone.goods)?,
        shipping: sale.shipping.checked_sub(gone.shipping)?,
        tax: sale.tax.checked_sub(gone.tax)?,
        total: sale.total.checked_sub(gone.total)?,
        ..sale.clone()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use souk_kernel::Currency;

    use super::*;

    fn money(minor: i64) -> Money {
        Money::new(minor, Currency::EUR)
    }

    fn part(pieces: u32, gross: i64, tax: i64) -> Part {
        let (line, item) = (Some(OrderLineId::new()), Some(InventoryItemId::new()));
        let zero = money(0);
        let (gross, tax) = (money(gross), money(tax));
        Part { line, item, pieces, gross, tax, returned: 0, refunded: zero, refunded_tax: zero }
    }

    fn wish(part: &Part, pieces: Option<u32>, amount: Option<Money>) -> RefundWish {
        let line = LineWish { line: part.line.unwrap(), pieces, amount, stock: StockChoice::Restock };
        RefundWish { lines: vec![line], ..RefundWish::default() }
    }

    fn gives(part: &mut Part, pieces: u32) -> (i64, i64) {
        let shares = plan(&[*part], &wish(part, Some(pieces), None)).unwrap();
        apply(part, shares[0]);
        (shares[0].amount.minor(), shares[0].tax.minor())
    }

    fn apply(part: &mut Part, share: Share) {
        part.returned += share.pieces;
        part.refunded = part.refunded.checked_add(share.amount).unwrap();
        part.refunded_tax = part.refunded_tax.checked_add(share.tax).unwrap();
    }

    #[test]
    fn three_pieces_for_ten_euros_come_back_one_by_one() {
        let mut part = part(3, 1000, 160);
        assert_eq!(
            [gives(&mut part, 1), gives(&mut part, 1), gives(&mut part, 1)],
            [(333, 53), (334, 54), (333, 53)]
        );
        let again = plan(&[part], &wish(&part, Some(1), None));
        assert!(matches!(again, Err(Refused::Exceeds(errors)) if errors[0].pointer == "/lines/0/quantity"));
    }

    #[test]
    fn a_gesture_leaves_the_pieces_and_is_made_up_for() {
        let mut part = part(2, 1000, 160);
        let gesture = plan(&[part], &wish(&part, None, Some(money(300)))).unwrap()[0];
        assert_eq!((gesture.pieces, gesture.tax, gesture.stock), (0, money(48), StockChoice::Keep));
        apply(&mut part, gesture);
        assert_eq!([gives(&mut part, 1), gives(&mut part, 1)], [(200, 32), (500, 80)]);
    }

    #[test]
    fn what_makes_no_sense_is_said_where_it_stands() {
        let one = part(2, 1000, 160);
        let pointer = |wish: &RefundWish| match plan(&[one], wish) {
            Err(Refused::Fields(errors) | Refused::Exceeds(errors)) => errors[0].pointer.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(pointer(&RefundWish::default()), "/lines");
        assert_eq!(pointer(&wish(&part(1, 1, 0), Some(1), None)), "/lines/0/line");
        assert_eq!(pointer(&wish(&one, None, None)), "/lines/0");
        assert_eq!(pointer(&wish(&one, None, Some(money(0)))), "/lines/0/amount");
        assert_eq!(pointer(&wish(&one, None, Some(Money::new(1, Currency::USD)))), "/lines/0/amount");
        assert_eq!(pointer(&wish(&one, None, Some(money(1001)))), "/lines/0/amount");
        let mut twice = wish(&one, Some(1), None);
        twice.lines.push(twice.lines[0]);
        assert_eq!(pointer(&twice), "/lines/1/line");
        let free = RefundWish { shipping: Some(money(1)), ..RefundWish::default() };
        assert_eq!(pointer(&free), "/shipping");
    }

    proptest! {
        /// In whatever steps, by pieces and gestures: never more than was paid, tax never more than the amount, and with the last piece
        /// exactly what was paid and exactly its tax have gone back.
        #[test]
        fn all_of_it_in_the_end(
            pieces in 1_u32..40, gross in 1_i64..5_000_000, tax_ppm in 0_i64..=500_000,
            steps in prop::collection::vec((any::<bool>(), 1_i64..400), 0..30),
        ) {
            let mut part = part(pieces, gross, gross * tax_ppm / 1_000_000);
            for (gesture, size) in steps {
                let wish = if gesture {
                    wish(&part, None, Some(money(size)))
                } else {
                    wish(&part, Some(u32::try_from(size).unwrap() % 5 + 1), None)
                };
                let Ok(shares) = plan(&[part], &wish) else { continue };
                let share = shares[0];
                prop_assert!(!share.amount.is_negative() && !share.tax.is_negative());
                prop_assert!(share.tax.minor() <= share.amount.minor());
                apply(&mut part, share);
                prop_assert!(part.refunded.minor() <= part.gross.minor());
                prop_assert!(part.refunded_tax.minor() <= part.tax.minor());
            }
            if part.pieces_left() > 0 {
                // A gesture may have given everything already.
                if let Ok(shares) = plan(&[part], &wish(&part, Some(part.pieces_left()), None)) {
                    apply(&mut part, shares[0]);
                }
            }
            prop_assert_eq!(part.refunded, part.gross);
            prop_assert_eq!(part.refunded_tax, part.tax);
        }
    }
}
