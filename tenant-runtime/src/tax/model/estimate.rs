//! What a tax provider is asked, and what it may answer. Pure.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use souk_kernel::{Country, Currency, Money, MoneyError, Ppm, Quantity, Text};

use super::provider::OnFailure;
use super::{Destination, SaleTaxes, TaxBuyer, TaxLine, TaxReason, TaxRelief, TaxRules, Taxable};

/// The most taxes on one line.
const MOST_TAXES: usize = 20;

/// All of a basket that matters to the state, as it is posted to the provider. Two baskets that ask the same are taxed the same.
#[derive(Clone, Debug, Serialize)]
pub struct TaxQuestion {
    /// `tax.estimate`: what else is posted there has another type.
    #[serde(rename = "type")]
    kind: &'static str,
    currency: Currency,
    prices_include_tax: bool,
    /// Where the store is.
    origin: Country,
    destination: Destination,
    vat_number: Option<String>,
    /// Why the store takes this buyer to owe nothing, if so.
    exemption: Option<TaxRelief>,
    lines: Vec<AskedLine>,
    /// What is paid for the delivery; null where nothing is delivered.
    shipping_minor: Option<i64>,
    /// What happens without an answer; not asked.
    #[serde(skip)]
    pub on_failure: OnFailure,
}

/// A line of it.
#[derive(Clone, Debug, Serialize)]
struct AskedLine {
    /// 0, 1, …; the answer names it by this.
    reference: usize,
    /// What is paid for all pieces, after discounts.
    amount_minor: i64,
    quantity: Quantity,
    class: Option<String>,
    taxable: bool,
    requires_shipping: bool,
}

/// What the provider answers, and what is kept of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxEstimate {
    currency: Currency,
    prices_include_tax: bool,
    lines: Vec<EstimatedLine>,
    /// Of the delivery; null where nothing is delivered.
    #[serde(default)]
    shipping: Option<EstimatedDelivery>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct EstimatedLine {
    reference: usize,
    tax_lines: Vec<EstimatedTax>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct EstimatedDelivery {
    tax_lines: Vec<EstimatedTax>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct EstimatedTax {
    name: Text<120>,
    jurisdiction: Text<60>,
    rate_ppm: Ppm,
    amount_minor: i64,
}

/// Why an answer is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EstimateFault {
    #[error("it is in another currency")]
    Currency,
    #[error("it takes prices to include tax where they do not, or not where they do")]
    Inclusion,
    #[error("its lines are not those that were asked about")]
    Lines,
    #[error("it has a delivery where there is none, or none where there is one")]
    Delivery,
    #[error("it has too many taxes on a line")]
    TooMany,
    #[error("a tax is less than nothing, or the taxes of a line are more than it costs")]
    Amount,
    #[error("it taxes what is not taxed")]
    Untaxed,
}

impl TaxQuestion {
    /// What has to be asked about these goods and their delivery; nothing where the store has no provider.
    pub fn about(
        rules: &TaxRules,
        (origin, destination): (Country, Destination),
        buyer: TaxBuyer,
        goods: &[Taxable<'_>],
        (currency, shipping): (Currency, Option<Money>),
        inclusive: bool,
    ) -> Option<Self> {
        let on_failure = rules.provider?;
        let line = |(reference, good): (usize, &Taxable<'_>)| AskedLine {
            reference,
            amount_minor: good.base.minor(),
            quantity: good.quantity,
            class: good.class.map(str::to_owned),
            taxable: good.taxable,
            requires_shipping: good.shipped,
        };
        Some(Self {
            kind: "tax.estimate",
            currency,
            prices_include_tax: inclusive,
            origin,
            destination,
            vat_number: buyer.vat_number,
            exemption: rules.relief.clone(),
            lines: goods.iter().enumerate().map(line).collect(),
            shipping_minor: shipping.map(Money::minor),
            on_failure,
        })
    }

    /// The bytes that are posted: the same for the same question.
    ///
    /// # Errors
    /// Never in practice.
    pub fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

/// The name of a question under which its answer is kept: SHA-256 of its bytes.
pub fn fingerprint(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

impl TaxEstimate {
    /// Itself, its lines in order, if it answers this question and owes nobody more than they pay.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn checked(mut self, question: &TaxQuestion) -> Result<Self, EstimateFault> {
        if self.currency != question.currency {
            return Err(EstimateFault::Currency);
        }
        if self.prices_include_tax != question.prices_include_tax {
            return Err(EstimateFault::Inclusion);
        }
        self.lines.sort_by_key(|line| line.reference);
        let same = self.lines.iter().map(|line| line.reference).eq(0..question.lines.len());
        if !same {
            return Err(EstimateFault::Lines);
        }
        for (line, asked) in self.lines.iter().zip(&question.lines) {
            let tax = sound(&line.tax_lines, asked.amount_minor)?;
            if tax > 0 && !asked.taxable {
                return Err(EstimateFault::Untaxed);
            }
        }
        match (&self.shipping, question.shipping_minor) {
            (Some(delivery), Some(price)) => sound(&delivery.tax_lines, price).map(drop)?,
            (None, None) => {}
            _ => return Err(EstimateFault::Delivery),
        }
        Ok(self)
    }

    /// The tax lines of a [`checked`](Self::checked) answer. What owes nothing says why, as it does by the store's own rates.
    ///
    /// # Errors
    /// Overflow; never of what was checked.
    pub fn taxes(&self, question: &TaxQuestion) -> Result<SaleTaxes, MoneyError> {
        let goods = self.lines.iter().zip(&question.lines).map(|(line, asked)| {
            let told = Told { taxable: asked.taxable, shipped: asked.requires_shipping };
            written(&line.tax_lines, asked.amount_minor, told, question)
        });
        let goods = goods.collect::<Result<_, _>>()?;
        let told = Told { taxable: true, shipped: true };
        let shipping = match (&self.shipping, question.shipping_minor) {
            (Some(delivery), Some(price)) => written(&delivery.tax_lines, price, told, question)?,
            _ => Vec::new(),
        };
        Ok(SaleTaxes { goods, shipping })
    }
}

/// The sum of the taxes on an amount, if it can be owed.
fn sound(taxes: &[EstimatedTax], amount: i64) -> Result<i64, EstimateFault> {
    if taxes.len() > MOST_TAXES {
        return Err(EstimateFault::TooMany);
    }
    let mut sum = 0_i64;
    for tax in taxes {
        if tax.amount_minor < 0 {
            return Err(EstimateFault::Amount);
        }
        sum = sum.checked_add(tax.amount_minor).ok_or(EstimateFault::Amount)?;
    }
    if sum <= amount { Ok(sum) } else { Err(EstimateFault::Amount) }
}

/// What is told of something in a question.
struct Told {
    taxable: bool,
    shipped: bool,
}

fn written(
    taxes: &[EstimatedTax],
    amount: i64,
    told: Told,
    question: &TaxQuestion,
) -> Result<Vec<TaxLine>, MoneyError> {
    let money = |minor| Money::new(minor, question.currency);
    let inside = Money::sum(taxes.iter().map(|tax| money(tax.amount_minor)), question.currency)?;
    if inside.is_zero() {
        let (name, reason) = match &question.exemption {
            _ if !told.taxable => ("Exempt", TaxReason::ProductExempt),
            Some(relief) => relief.on(told.shipped),
            None => match taxes.first() {
                Some(tax) => (tax.name.as_str(), TaxReason::ZeroRated),
                None => ("Not collecting", TaxReason::NotCollecting),
            },
        };
        return Ok(vec![TaxLine {
            rate_id: None,
            name: name.to_owned(),
            jurisdiction: question.destination.country.code().to_owned(),
            rate: Ppm::ZERO,
            compound: false,
            reason,
            taxable: money(amount),
            amount: inside,
        }]);
    }
    let net = if question.prices_include_tax { money(amount).checked_sub(inside)? } else { money(amount) };
    let line = |tax: &EstimatedTax| TaxLine {
        rate_id: None,
        name: tax.name.as_str().to_owned(),
        jurisdiction: tax.jurisdiction.as_str().to_owned(),
        rate: tax.rate_ppm,
        compound: false,
        reason: if tax.amount_minor > 0 { TaxReason::StandardRated } else { TaxReason::ZeroRated },
        taxable: net,
        amount: money(tax.amount_minor),
    };
    Ok(taxes.iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn question(inclusive: bool) -> TaxQuestion {
        let home = Country::parse("DE").unwrap();
        let rules = TaxRules { provider: Some(OnFailure::Refuse), ..TaxRules::none(home) };
        let good = |minor, taxable| Taxable {
            base: Money::new(minor, Currency::EUR),
            quantity: Quantity::ONE,
            taxable,
            class: Some("books"),
            shipped: true,
        };
        let to = Destination { country: home, province: None, postal_code: Some("10115".to_owned()) };
        let shipping = Some(Money::new(490, Currency::EUR));
        let goods = [good(1000, true), good(500, false)];
        let buyer = TaxBuyer::default();
        TaxQuestion::about(&rules, (home, to), buyer, &goods, (Currency::EUR, shipping), inclusive).unwrap()
    }

    fn answer(inclusive: bool) -> Value {
        let tax = |minor: i64| json!([{ "name": "VAT", "jurisdiction": "DE-BE", "rate_ppm": 190_000, "amount_minor": minor }]);
        json!({ "currency": "EUR", "prices_include_tax": inclusive, "shipping": { "tax_lines": tax(78) },
            "lines": [{ "reference": 1, "tax_lines": [] }, { "reference": 0, "tax_lines": tax(160) }] })
    }

    fn judged(answer: Value) -> Result<TaxEstimate, EstimateFault> {
        serde_json::from_value::<TaxEstimate>(answer).unwrap().checked(&question(true))
    }

    #[test]
    fn every_line_is_taxed_as_it_says() {
        for inclusive in [true, false] {
            let question = question(inclusive);
            let estimate: TaxEstimate = serde_json::from_value(answer(inclusive)).unwrap();
            let taxes = estimate.checked(&question).unwrap().taxes(&question).unwrap();
            let seen = |line: &TaxLine| (line.taxable.minor(), line.amount.minor(), line.reason);
            let net = |gross: i64, tax: i64| if inclusive { gross - tax } else { gross };
            assert_eq!(seen(&taxes.goods[0][0]), (net(1000, 160), 160, TaxReason::StandardRated));
            assert_eq!(seen(&taxes.goods[1][0]), (500, 0, TaxReason::ProductExempt));
            assert_eq!(seen(&taxes.shipping[0]), (net(490, 78), 78, TaxReason::StandardRated));
        }
    }

    #[test]
    fn what_cannot_be_is_not_believed() {
        let changed = |pointer: &str, value: Value| {
            let mut answer = answer(true);
            *answer.pointer_mut(pointer).unwrap() = value;
            judged(answer).map(drop)
        };
        assert_eq!(changed("/currency", json!("USD")), Err(EstimateFault::Currency));
        assert_eq!(changed("/prices_include_tax", json!(false)), Err(EstimateFault::Inclusion));
        assert_eq!(changed("/lines", json!([])), Err(EstimateFault::Lines));
        assert_eq!(changed("/lines/0/reference", json!(0)), Err(EstimateFault::Lines));
        assert_eq!(changed("/shipping", json!(null)), Err(EstimateFault::Delivery));
        assert_eq!(changed("/lines/1/tax_lines/0/amount_minor", json!(-1)), Err(EstimateFault::Amount));
        assert_eq!(changed("/lines/1/tax_lines/0/amount_minor", json!(1001)), Err(EstimateFault::Amount));
        assert_eq!(changed("/shipping/tax_lines/0/amount_minor", json!(491)), Err(EstimateFault::Amount));
        let tax = answer(true)["lines"][1]["tax_lines"].clone();
        assert_eq!(changed("/lines/0/tax_lines", tax), Err(EstimateFault::Untaxed));
        let many = vec![answer(true)["lines"][1]["tax_lines"][0].clone(); MOST_TAXES + 1];
        assert_eq!(changed("/lines/1/tax_lines", json!(many)), Err(EstimateFault::TooMany));
        assert_eq!(changed("/lines/1/tax_lines/0/amount_minor", json!(1000)), Ok(()));
    }

    #[test]
    fn the_same_question_has_the_same_name() {
        let name = |inclusive| fingerprint(&question(inclusive).body().unwrap());
        assert_eq!(name(true), name(true));
        assert_ne!(name(true), name(false));
    }
}
