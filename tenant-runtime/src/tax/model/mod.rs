//! Destinations, rules and lines of tax.

pub mod arithmetic;
#[cfg(test)]
mod law;
mod numbers;
mod preview;
mod rates;
mod regions;
mod relief;

use diesel::sql_types::Text as SqlText;
use serde::{Deserialize, Serialize};
use souk_kernel::{Country, Money, MoneyError, Ppm, Quantity, TaxRateId};
use utoipa::ToSchema;

pub use numbers::{AskTaxNumber, TaxNumberView, VatNumber};
pub use preview::{TaxPreview, TaxPreviewRequest};
pub use rates::{NewTaxRate, TaxRateChange, TaxRateFilter, TaxRateList, TaxRateView, WriteFilter};
pub use regions::{
    PostalRange, PutTaxRegion, RegionJson, RegionKind, TaxRegionFilter, TaxRegionList, TaxRegionView, chain,
};
pub use relief::{
    ClassCode, NewTaxExemption, PutTaxClass, PutTaxSettings, RelievedPay, ReverseCharge, ShippingTax,
    TaxClassList, TaxClassView, TaxExemptionFilter, TaxExemptionList, TaxExemptionView, TaxRelief,
    TaxSettings, TaxSettingsView,
};

/// Where the goods go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub country: Country,
    /// As the shopper wrote it; compared without regard to case.
    pub province: Option<String>,
    /// As the shopper wrote it; compared without regard to case, spaces and hyphens.
    pub postal_code: Option<String>,
}

/// Who buys, so far as it matters to the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaxBuyer {
    pub customer: Option<souk_kernel::CustomerId>,
    /// In its one spelling.
    pub vat_number: Option<String>,
}

/// Why a line is taxed as it is. Every line has one, above all the untaxed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, diesel::deserialize::FromSqlRow,
)]
#[serde(rename_all = "snake_case")]
pub enum TaxReason {
    StandardRated,
    ReducedRated,
    ZeroRated,
    ReverseCharge,
    IntraCommunitySupply,
    Export,
    CustomerExempt,
    ProductExempt,
    NotCollecting,
}

/// The text was not a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a tax reason")]
pub struct TaxReasonError;

impl TaxReason {
    const ALL: [Self; 9] = [
        Self::StandardRated,
        Self::ReducedRated,
        Self::ZeroRated,
        Self::ReverseCharge,
        Self::IntraCommunitySupply,
        Self::Export,
        Self::CustomerExempt,
        Self::ProductExempt,
        Self::NotCollecting,
    ];

    /// As in the column and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StandardRated => "standard_rated",
            Self::ReducedRated => "reduced_rated",
            Self::ZeroRated => "zero_rated",
            Self::ReverseCharge => "reverse_charge",
            Self::IntraCommunitySupply => "intra_community_supply",
            Self::Export => "export",
            Self::CustomerExempt => "customer_exempt",
            Self::ProductExempt => "product_exempt",
            Self::NotCollecting => "not_collecting",
        }
    }

    /// Whether it is the buyer that relieves a sale of tax.
    pub const fn is_relief(self) -> bool {
        matches!(self, Self::ReverseCharge | Self::IntraCommunitySupply | Self::CustomerExempt)
    }

    /// Whether tax is owed under this reason.
    pub const fn is_owed(self) -> bool {
        matches!(self, Self::StandardRated | Self::ReducedRated)
    }
}

impl diesel::deserialize::FromSql<SqlText, diesel::pg::Pg> for TaxReason {
    fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
        let text: String = diesel::deserialize::FromSql::<SqlText, diesel::pg::Pg>::from_sql(value)?;
        Ok(Self::try_from(text)?)
    }
}

impl TryFrom<String> for TaxReason {
    type Error = TaxReasonError;
    fn try_from(text: String) -> Result<Self, TaxReasonError> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or(TaxReasonError)
    }
}

/// One rate in force at a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxRule {
    /// None for one that nobody keeps.
    pub id: Option<TaxRateId>,
    pub name: String,
    /// `DE`, `US-CA`.
    pub jurisdiction: String,
    pub rate: Ppm,
    pub reason: TaxReason,
    /// Counted on the price and the taxes that are not compound.
    pub compound: bool,
}

/// A rule of a region: in which place of it, and for which goods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionRule {
    pub component: String,
    /// None: for all goods that have no rule of their own in this place.
    pub class: Option<String>,
    pub rule: TaxRule,
}

/// All that is in force at a destination, and who is relieved of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxRules {
    /// The destination, for the lines of what is not taxed.
    pub jurisdiction: String,
    /// The regions whose rates add up, from the country down. Empty: this store does not collect there.
    pub regions: Vec<Vec<RegionRule>>,
    pub relief: Option<TaxRelief>,
    pub shipping: ShippingTax,
    pub relieved_pay: RelievedPay,
}

impl TaxRules {
    /// What a basket without goods needs: nothing.
    pub fn none(country: Country) -> Self {
        Self {
            jurisdiction: country.code().to_owned(),
            regions: Vec::new(),
            relief: None,
            shipping: ShippingTax::default(),
            relieved_pay: RelievedPay::Gross,
        }
    }

    /// The rates on goods of a class, from the country down: in each place of a region the one of the class, else the one of all goods.
    pub fn of_class(&self, class: Option<&str>) -> Vec<TaxRule> {
        let mut rules = Vec::new();
        for region in &self.regions {
            for rule in region {
                let own = |other: &RegionRule| {
                    other.component == rule.component
                        && other.class.is_some()
                        && other.class.as_deref() == class
                };
                let applies = match &rule.class {
                    Some(of) => Some(of.as_str()) == class,
                    None => !region.iter().any(own),
                };
                if applies {
                    rules.push(rule.rule.clone());
                }
            }
        }
        rules
    }

    /// Whether whoever is relieved pays prices without the tax that is inside them.
    pub const fn sells_net(&self) -> bool {
        self.relief.is_some() && matches!(self.relieved_pay, RelievedPay::Net)
    }
}

#[cfg(test)]
impl TaxRules {
    /// These rates beside each other, in Germany.
    pub fn beside(rates: &[Ppm]) -> Self {
        let rule = |(place, rate): (usize, &Ppm)| RegionRule {
            component: format!("c{place}"),
            class: None,
            rule: TaxRule {
                id: None,
                name: "VAT".to_owned(),
                jurisdiction: "DE".to_owned(),
                rate: *rate,
                reason: TaxReason::StandardRated,
                compound: false,
            },
        };
        let regions = vec![rates.iter().enumerate().map(rule).collect()];
        Self { regions, ..Self::none(Country::parse("DE").unwrap()) }
    }
}

/// What a tax is worked out on: the amount of a line, after discounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taxable<'c> {
    pub base: Money,
    pub quantity: Quantity,
    /// Whether this product is taxed at all.
    pub taxable: bool,
    /// The class of its goods.
    pub class: Option<&'c str>,
    /// Whether goods cross a border: else it is a service.
    pub shipped: bool,
}

/// The tax of one rate on one line. `taxable` is always net.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxLine {
    /// The version of the rate; none where nothing is owed for another reason than a rate.
    pub rate_id: Option<TaxRateId>,
    pub name: String,
    pub jurisdiction: String,
    pub rate: Ppm,
    pub compound: bool,
    pub reason: TaxReason,
    pub taxable: Money,
    pub amount: Money,
}

impl TaxLine {
    fn is_of_same_rate(&self, other: &Self) -> bool {
        (self.rate_id, &self.name, &self.jurisdiction, self.rate, self.compound, self.reason)
            == (other.rate_id, &other.name, &other.jurisdiction, other.rate, other.compound, other.reason)
    }
}

/// One line per rate and reason, in order of appearance.
///
/// # Errors
/// Overflow; two currencies.
pub fn summed<'l>(lines: impl IntoIterator<Item = &'l TaxLine>) -> Result<Vec<TaxLine>, MoneyError> {
    let mut sums: Vec<TaxLine> = Vec::new();
    for line in lines {
        match sums.iter_mut().find(|sum| sum.is_of_same_rate(line)) {
            Some(sum) => {
                sum.taxable = sum.taxable.checked_add(line.taxable)?;
                sum.amount = sum.amount.checked_add(line.amount)?;
            }
            None => sums.push(line.clone()),
        }
    }
    Ok(sums)
}

/// A tax line on the wire.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxLineView {
    /// The version of the rate; null where nothing is owed for another reason than a rate.
    pub tax_rate: Option<TaxRateId>,
    #[schema(example = "VAT")]
    pub name: String,
    #[schema(example = "DE")]
    pub jurisdiction: String,
    pub rate_ppm: Ppm,
    /// Counted on the price and the taxes that are not compound.
    #[schema(example = false)]
    pub compound: bool,
    pub reason: TaxReason,
    /// Net.
    pub taxable: Money,
    pub amount: Money,
}

impl From<&TaxLine> for TaxLineView {
    fn from(line: &TaxLine) -> Self {
        Self {
            tax_rate: line.rate_id,
            name: line.name.clone(),
            jurisdiction: line.jurisdiction.clone(),
            rate_ppm: line.rate,
            compound: line.compound,
            reason: line.reason,
            taxable: line.taxable,
            amount: line.amount,
        }
    }
}
