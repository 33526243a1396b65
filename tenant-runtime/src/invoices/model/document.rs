//! From an order to what an invoice or a credit note says. Pure.

use chrono::NaiveDate;
use serde_json::Value;
use souk_kernel::{Money, MoneyError, OrderLineId, RefundId, Rounding};

use super::words::Language;
use super::{Document, DocumentLine, DocumentTax, LineKind, PaidWith, Party, Seller};
use crate::invoices::error::InvoiceError;
use crate::orders::{FinancialStatus, OrderState, OrderTaxLineView, OrderView, RefundView};

/// Days of a document, in the store's time zone.
#[derive(Clone, Copy, Debug)]
pub struct Dates {
    pub issued_on: NaiveDate,
    pub ordered_on: NaiveDate,
}

/// A document that an order should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Invoice,
    /// A credit note for a refund.
    Refund(RefundId),
    /// A credit note for what is left of a cancelled order.
    Cancellation,
}

/// What an order should have by now, in the order in which it is issued: an invoice once it is paid in full; after that a credit note for every
/// refund by line; once it is cancelled, one for the rest.
pub fn due(order: &OrderView, has_invoice: bool) -> Vec<Due> {
    use FinancialStatus as F;
    let is_paid = matches!(order.financial_status, F::Paid | F::PartiallyRefunded | F::Refunded);
    let stands = matches!(order.state, OrderState::Open | OrderState::Closed);
    if !(has_invoice || stands && is_paid) {
        return Vec::new();
    }
    // Money that goes back because there is no sale has no lines, and is no part of one.
    let refunds = order.refunds.iter().filter(|refund| !refund.lines.is_empty());
    let cancelled = order.state == OrderState::Cancelled;
    std::iter::once(Due::Invoice)
        .chain(refunds.map(|refund| Due::Refund(refund.id)))
        .chain(cancelled.then_some(Due::Cancellation))
        .collect()
}

/// A part of an order whose price and taxes are known: a line, or the delivery.
struct Part<'a> {
    id: Option<OrderLineId>,
    title: &'a str,
    variant_title: &'a str,
    sku: Option<&'a str>,
    quantity: i32,
    discount: Option<Money>,
    /// Tax included.
    gross: Money,
    tax: Money,
    rates: &'a [OrderTaxLineView],
}

/// What of a part a document is about.
#[derive(Clone, Copy)]
struct Share {
    quantity: i32,
    gross: Money,
    tax: Money,
}

fn parts(order: &OrderView) -> Result<Vec<Part<'_>>, MoneyError> {
    let currency = order.total.currency();
    let sum = |rates: &[OrderTaxLineView]| Money::sum(rates.iter().map(|rate| rate.amount), currency);
    let gross =
        |price: Money, tax: Money| if order.prices_include_tax { Ok(price) } else { price.checked_add(tax) };
    let mut parts = Vec::with_capacity(order.lines.len() + order.shipping_lines.len());
    for line in &order.lines {
        let tax = sum(&line.tax_lines)?;
        parts.push(Part {
            id: Some(line.id),
            title: &line.title,
            variant_title: &line.variant_title,
            sku: line.sku.as_deref(),
            quantity: line.quantity,
            discount: Some(line.discount).filter(|discount| discount.is_positive()),
            gross: gross(line.total, tax)?,
            tax,
            rates: &line.tax_lines,
        });
    }
    for line in &order.shipping_lines {
        let tax = sum(&line.tax_lines)?;
        parts.push(Part {
            id: None,
            title: &line.title,
            variant_title: "",
            sku: None,
            quantity: 1,
            discount: Some(line.discount).filter(|discount| discount.is_positive()),
            gross: gross(line.price, tax)?,
            tax,
            rates: &line.tax_lines,
        });
    }
    Ok(parts)
}

impl Part<'_> {
    const fn whole(&self) -> Share {
        Share { quantity: self.quantity, gross: self.gross, tax: self.tax }
    }

    /// The taxes of a share: those of the whole part as they were counted, of less than that in proportion.
    fn taxes(&self, share: Share) -> Result<Vec<DocumentTax>, MoneyError> {
        let whole = share.gross == self.gross && share.tax == self.tax;
        let weights: Vec<u64> =
            self.rates.iter().map(|rate| u64::try_from(rate.amount.minor()).unwrap_or_default()).collect();
        let amounts = match weights.iter().any(|weight| *weight > 0) {
            true => share.tax.allocate(&weights)?,
            false => vec![Money::zero(share.tax.currency()); weights.len()],
        };
        let (net, all) = (share.gross.checked_sub(share.tax)?, self.gross.checked_sub(self.tax)?);
        // Of a delivery that is taxed as its goods are, each rate is counted on a part.
        let counted_on = |rate: &OrderTaxLineView| match whole {
            true => Ok(rate.taxable),
            false => net.fraction(rate.taxable.minor(), all.minor(), Rounding::HalfUp),
        };
        let tax = |(rate, amount): (&OrderTaxLineView, Money)| -> Result<DocumentTax, MoneyError> {
            Ok(DocumentTax {
                name: rate.name.clone(),
                jurisdiction: rate.jurisdiction.clone(),
                rate_ppm: rate.rate_ppm,
                reason: rate.reason.clone(),
                taxable: counted_on(rate)?,
                amount,
            })
        };
        self.rates.iter().zip(amounts).map(tax).collect()
    }

    fn line(&self, share: Share, is_whole: bool) -> Result<DocumentLine, MoneyError> {
        let net = share.gross.checked_sub(share.tax)?;
        let kind = match self.id {
            None => LineKind::Delivery,
            Some(_) if share.quantity == 0 => LineKind::Allowance,
            Some(_) => LineKind::Goods,
        };
        let quantity = share.quantity.max(1);
        Ok(DocumentLine {
            kind,
            title: self.title.to_owned(),
            variant_title: self.variant_title.to_owned(),
            sku: self.sku.map(str::to_owned),
            quantity,
            unit_net: net.fraction(1, i64::from(quantity), Rounding::HalfUp)?,
            discount: self.discount.filter(|_| is_whole),
            rates_ppm: self.rates.iter().map(|rate| rate.rate_ppm).collect(),
            net,
            tax: share.tax,
            gross: share.gross,
        })
    }
}

/// What stands above the lines.
struct Head<'a> {
    order: &'a OrderView,
    seller: Seller,
    language: Language,
    dates: Dates,
}

impl Head<'_> {
    fn document(
        self,
        shares: &[(&Part<'_>, Share)],
        corrects: Option<&str>,
        paid: Vec<PaidWith>,
    ) -> Result<Document, InvoiceError> {
        let currency = self.order.total.currency();
        let mut taxes: Vec<DocumentTax> = Vec::new();
        let mut lines = Vec::with_capacity(shares.len());
        for (part, share) in shares {
            for tax in part.taxes(*share)? {
                match taxes.iter_mut().find(|known| same_rate(known, &tax)) {
                    Some(known) => {
                        known.taxable = known.taxable.checked_add(tax.taxable)?;
                        known.amount = known.amount.checked_add(tax.amount)?;
                    }
                    None => taxes.push(tax),
                }
            }
            lines.push(part.line(*share, corrects.is_none())?);
        }
        let total = Money::sum(shares.iter().map(|(_, share)| share.gross), currency)?;
        let tax = Money::sum(shares.iter().map(|(_, share)| share.tax), currency)?;
        if Money::sum(taxes.iter().map(|tax| tax.amount), currency)? != tax {
            return Err(InvoiceError::DoesNotAddUp);
        }
        let order = self.order;
        let ship_to = order.shipping_address.as_ref().map(|address| party(address, None));
        let bill_to = order.billing_address.as_ref().or(order.shipping_address.as_ref());
        let buyer = bill_to.map_or_else(Party::default, |address| party(address, Some(&order.email)));
        let delivered_to = ship_to
            .filter(|to| (&to.name, &to.lines, &to.country) != (&buyer.name, &buyer.lines, &buyer.country));
        // A guest who downloads something has said nothing but an address for mails.
        let buyer = if buyer.lines.is_empty() && buyer.name.is_empty() {
            Party { email: Some(order.email.clone()), ..buyer }
        } else {
            buyer
        };
        Ok(Document {
            language: self.language,
            issued_on: self.dates.issued_on,
            seller: self.seller,
            buyer,
            tax_relief: order.tax_relief.clone(),
            delivered_to,
            order_name: order.name.clone().unwrap_or_default(),
            ordered_on: self.dates.ordered_on,
            corrects_name: corrects.map(str::to_owned),
            lines,
            taxes,
            net: total.checked_sub(tax)?,
            tax,
            total,
            paid,
        })
    }
}

fn same_rate(one: &DocumentTax, other: &DocumentTax) -> bool {
    (&one.name, &one.jurisdiction, one.rate_ppm, &one.reason)
        == (&other.name, &other.jurisdiction, other.rate_ppm, &other.reason)
}

/// The invoice of an order: all of it, as it was agreed.
///
/// # Errors
/// The parts do not come to what the order says it costs.
pub fn of_order(
    order: &OrderView,
    seller: Seller,
    language: Language,
    dates: Dates,
) -> Result<Document, InvoiceError> {
    let parts = parts(order)?;
    let shares: Vec<_> = parts.iter().map(|part| (part, part.whole())).collect();
    let head = Head { order, seller, language, dates };
    let document = head.document(&shares, None, paid(order))?;
    if document.total != order.total || document.tax != order.tax {
        return Err(InvoiceError::DoesNotAddUp);
    }
    Ok(document)
}

/// The credit note of a refund.
///
/// # Errors
/// The refund names a line that the order does not have.
pub fn of_refund(
    order: &OrderView,
    refund: &RefundView,
    corrects: &str,
    seller: Seller,
    language: Language,
    dates: Dates,
) -> Result<Document, InvoiceError> {
    let parts = parts(order)?;
    let mut shares = Vec::with_capacity(refund.lines.len());
    for line in &refund.lines {
        let part = parts.iter().find(|part| part.id == line.line).ok_or(InvoiceError::DoesNotAddUp)?;
        shares.push((part, Share { quantity: line.quantity, gross: line.amount, tax: line.tax }));
    }
    Head { order, seller, language, dates }.document(&shares, Some(corrects), Vec::new())
}

/// The credit note of what was not refunded line by line when the order was cancelled; none when nothing was left.
///
/// # Errors
/// More was refunded than was there.
pub fn of_cancellation(
    order: &OrderView,
    corrects: &str,
    seller: Seller,
    language: Language,
    dates: Dates,
) -> Result<Option<Document>, InvoiceError> {
    let parts = parts(order)?;
    let mut shares = Vec::with_capacity(parts.len());
    let gone = order.refunds.iter().flat_map(|refund| &refund.lines);
    for part in &parts {
        let mut left = part.whole();
        // An order has one delivery; refunds of it name no line.
        for line in gone.clone().filter(|line| line.line == part.id) {
            left.quantity = left.quantity.saturating_sub(line.quantity);
            left.gross = left.gross.checked_sub(line.amount)?;
            left.tax = left.tax.checked_sub(line.tax)?;
        }
        if left.gross.is_negative() || left.tax.is_negative() {
            return Err(InvoiceError::DoesNotAddUp);
        }
        if left.gross.is_positive() {
            shares.push((part, left));
        }
    }
    if shares.is_empty() {
        return Ok(None);
    }
    Head { order, seller, language, dates }.document(&shares, Some(corrects), Vec::new()).map(Some)
}

fn paid(order: &OrderView) -> Vec<PaidWith> {
    let credits = order.credits.iter().filter(|credit| credit.state == "spent");
    let credits =
        credits.map(|credit| PaidWith { method: credit.kind.as_str().to_owned(), amount: credit.amount });
    let payments = order.payments.iter().filter(|payment| payment.captured.is_positive());
    let payments =
        payments.map(|payment| PaidWith { method: payment.provider.clone(), amount: payment.captured });
    credits.chain(payments).collect()
}

/// An address of an order as people write it.
fn party(address: &Value, email: Option<&str>) -> Party {
    let word = |name: &str| address[name].as_str().map(str::trim).filter(|word| !word.is_empty());
    let joined = |words: [Option<&str>; 2]| words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let town = joined([word("postal_code"), word("city")]);
    let lines = [
        word("address1"),
        word("address2"),
        Some(town.as_str()).filter(|town| !town.is_empty()),
        word("province"),
    ];
    Party {
        name: joined([word("first_name"), word("last_name")]),
        company: word("company").map(str::to_owned),
        lines: lines.into_iter().flatten().map(str::to_owned).collect(),
        country: word("country").map(str::to_owned),
        email: email.map(str::to_owned),
    }
}
