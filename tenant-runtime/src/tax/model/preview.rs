//! Which rate, and why, as data.

use serde::{Deserialize, Serialize};
use souk_kernel::{Country, Currency, CustomerId, Money, MoneyError, Quantity, Rounding, Text};
use utoipa::ToSchema;

use super::arithmetic::of_sale;
use super::{ClassCode, Destination, TaxBuyer, TaxLineView, TaxRelief, TaxRules, Taxable, VatNumber, summed};
use crate::settings::TaxLevel;

/// A sale that is not there.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"country": "DE", "lines": [{"amount_minor": 1190, "quantity": 1}], "shipping_minor": 490, "prices_include_tax": true}))]
pub struct TaxPreviewRequest {
    /// Where the goods go.
    pub country: Country,
    pub province: Option<Text<60>>,
    pub postal_code: Option<Text<20>>,
    pub customer: Option<CustomerId>,
    #[schema(value_type = Option<String>, max_length = 40, example = "ATU13585627")]
    pub vat_number: Option<VatNumber>,
    /// 1 to 100.
    pub lines: Vec<PreviewLine>,
    /// What is paid for the delivery; nothing is delivered if left out.
    #[schema(minimum = 0, example = 490)]
    pub shipping_minor: Option<i64>,
    /// The store's own if left out.
    pub currency: Option<Currency>,
    /// As in the store's settings if left out.
    pub prices_include_tax: Option<bool>,
}

/// A line of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewLine {
    /// What is paid for all pieces, after discounts.
    #[schema(minimum = 0, example = 1190)]
    pub amount_minor: i64,
    #[schema(value_type = u32, minimum = 1, example = 1)]
    pub quantity: Quantity,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 40, example = "books")]
    pub class: Option<ClassCode>,
    /// Left out: they are.
    pub taxable: Option<bool>,
    /// Whether it is goods that are sent; else a service. Left out: it is goods.
    pub requires_shipping: Option<bool>,
}

/// How it would be taxed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxPreview {
    /// The regions whose rates add up, from the country down: `DE`, `US-CA`. What a region that stands alone stood instead of is missing.
    #[schema(example = json!(["DE"]))]
    pub jurisdictions: Vec<String>,
    /// Why nothing is owed, if so.
    pub relief: Option<TaxRelief>,
    /// In the order of the request.
    pub lines: Vec<PreviewedLine>,
    /// Empty without delivery.
    pub shipping_tax_lines: Vec<TaxLineView>,
    /// By rate, delivery included.
    pub tax_lines: Vec<TaxLineView>,
    pub net: Money,
    pub tax: Money,
    pub total: Money,
    pub prices_include_tax: bool,
    pub tax_level: TaxLevel,
    pub tax_rounding: Rounding,
}

/// A line of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PreviewedLine {
    /// Its class, so far as a rate is of it; null where all are those of all goods.
    #[schema(example = "books")]
    pub class_applied: Option<String>,
    /// Never empty; the reason of each says why.
    pub tax_lines: Vec<TaxLineView>,
}

impl TaxPreviewRequest {
    /// What the types cannot say: pointer and what would have been right.
    pub fn check(&self) -> Result<(), (String, &'static str)> {
        if !(1..=100).contains(&self.lines.len()) {
            return Err(("/lines".to_owned(), "must be 1 to 100"));
        }
        if let Some(place) = self.lines.iter().position(|line| line.amount_minor < 0) {
            return Err((format!("/lines/{place}/amount_minor"), "must not be below zero"));
        }
        if self.shipping_minor.is_some_and(|minor| minor < 0) {
            return Err(("/shipping_minor".to_owned(), "must not be below zero"));
        }
        Ok(())
    }

    /// Where the goods go.
    pub fn destination(&self) -> Destination {
        Destination {
            country: self.country,
            province: self.province.as_ref().map(|name| name.as_str().to_owned()),
            postal_code: self.postal_code.as_ref().map(|code| code.as_str().to_owned()),
        }
    }

    /// Who buys.
    pub fn buyer(&self) -> TaxBuyer {
        let vat_number = self.vat_number.as_ref().map(|number| number.as_str().to_owned());
        TaxBuyer { customer: self.customer, vat_number }
    }
}

impl TaxPreview {
    /// Works it out.
    ///
    /// # Errors
    /// More than can be counted.
    pub fn of(
        request: &TaxPreviewRequest,
        rules: &TaxRules,
        currency: Currency,
        inclusive: bool,
        level: TaxLevel,
        rounding: Rounding,
    ) -> Result<Self, MoneyError> {
        let mut goods = Vec::with_capacity(request.lines.len());
        for line in &request.lines {
            goods.push(Taxable {
                base: Money::new(line.amount_minor, currency),
                quantity: line.quantity,
                taxable: line.taxable.unwrap_or(true),
                class: line.class.as_ref().map(ClassCode::as_str),
                shipped: line.requires_shipping.unwrap_or(true),
            });
        }
        let shipping = request.shipping_minor.map(|minor| Money::new(minor, currency));
        let sale = of_sale(rules, &goods, shipping.as_slice(), inclusive, level, rounding)?;
        let views = |lines: &[super::TaxLine]| lines.iter().map(TaxLineView::from).collect::<Vec<_>>();
        let all = summed(sale.goods.iter().chain(&sale.shipping).flatten())?;
        let tax = Money::sum(all.iter().map(|line| line.amount), currency)?;
        let paid = Money::sum(goods.iter().map(|good| good.base).chain(shipping), currency)?;
        let total = if inclusive { paid } else { paid.checked_add(tax)? };
        let applied = |class: &str| {
            let mut rules = rules.regions.iter().flatten();
            rules.any(|rule| rule.class.as_deref() == Some(class)).then(|| class.to_owned())
        };
        let line = |(good, taxes): (&Taxable<'_>, &Vec<super::TaxLine>)| PreviewedLine {
            class_applied: good.class.and_then(applied),
            tax_lines: views(taxes),
        };
        let mut jurisdictions: Vec<String> = Vec::new();
        for rule in rules.regions.iter().flatten() {
            if !jurisdictions.contains(&rule.rule.jurisdiction) {
                jurisdictions.push(rule.rule.jurisdiction.clone());
            }
        }
        Ok(Self {
            jurisdictions,
            relief: rules.relief.clone(),
            lines: goods.iter().zip(&sale.goods).map(line).collect(),
            shipping_tax_lines: sale.shipping.first().map(|taxes| views(taxes)).unwrap_or_default(),
            tax_lines: views(&all),
            net: total.checked_sub(tax)?,
            tax,
            total,
            prices_include_tax: inclusive,
            tax_level: level,
            tax_rounding: rounding,
        })
    }
}
