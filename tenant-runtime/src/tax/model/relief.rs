//! Classes of goods, how delivery is taxed, and who is relieved of tax.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_api::ETag;
use souk_kernel::{Country, CustomerGroupId, CustomerId, TaxExemptionId, Text};
use utoipa::{IntoParams, ToSchema};

use super::TaxReason;

/// What goods are to the state: `books`, `food`. Small letters, digits, `_`, `.` and `-`, at most 40.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClassCode(String);

/// The text was not a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 40 letters, digits, `_`, `.` or `-`")]
pub struct ClassCodeError;

impl ClassCode {
    /// In small letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In small letters.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl TryFrom<String> for ClassCode {
    type Error = ClassCodeError;
    fn try_from(text: String) -> Result<Self, ClassCodeError> {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let is_sound = (1..=40).contains(&text.len()) && text.bytes().all(sound);
        if is_sound { Ok(Self(text.to_ascii_lowercase())) } else { Err(ClassCodeError) }
    }
}

impl std::str::FromStr for ClassCode {
    type Err = ClassCodeError;
    fn from_str(text: &str) -> Result<Self, ClassCodeError> {
        Self::try_from(text.to_owned())
    }
}

impl From<ClassCode> for String {
    fn from(code: ClassCode) -> Self {
        code.0
    }
}

/// A class of goods.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct TaxClassView {
    #[diesel(sql_type = SqlText)]
    #[schema(example = "books")]
    pub code: String,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "Books and newspapers")]
    pub name: String,
    /// How many variants are of it.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    pub variants: i64,
}

/// All classes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxClassList {
    pub data: Vec<TaxClassView>,
}

/// A class as it shall be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Books and newspapers"}))]
pub struct PutTaxClass {
    #[schema(example = "Books and newspapers")]
    pub name: Text<120>,
}

/// How delivery is taxed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShippingTax {
    /// As goods of this class.
    Class(Option<String>),
    /// In parts, as the goods it delivers, in proportion to what they cost.
    Goods,
}

impl Default for ShippingTax {
    fn default() -> Self {
        Self::Class(None)
    }
}

/// From when on a VAT number moves the tax to the buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReverseCharge {
    /// Never.
    Off,
    /// When its letters and digits are sound.
    WellFormed,
    /// When somebody has confirmed that it is in use.
    Confirmed,
}

/// What whoever is relieved of tax pays where prices include it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelievedPay {
    /// The price as it is shown; the store keeps what would have been tax.
    Gross,
    /// The price without the tax that would have been inside it.
    Net,
}

impl ReverseCharge {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::WellFormed => "well_formed",
            Self::Confirmed => "confirmed",
        }
    }

    /// What `as_str` wrote; what is not known relieves nobody.
    pub fn stored(text: &str) -> Self {
        [Self::WellFormed, Self::Confirmed].into_iter().find(|one| one.as_str() == text).unwrap_or(Self::Off)
    }
}

impl RelievedPay {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gross => "gross",
            Self::Net => "net",
        }
    }

    /// What `as_str` wrote; what is not known moves no price.
    pub fn stored(text: &str) -> Self {
        if text == Self::Net.as_str() { Self::Net } else { Self::Gross }
    }
}

/// The one row of settings.
#[derive(Clone, Debug, QueryableByName)]
pub struct TaxSettings {
    #[diesel(sql_type = SqlText)]
    pub shipping: String,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub shipping_class: Option<String>,
    #[diesel(sql_type = SqlText)]
    pub reverse_charge: String,
    #[diesel(sql_type = SqlText)]
    pub relieved_pay: String,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

impl TaxSettings {
    /// The tag that If-Match is held against.
    pub fn etag(&self) -> ETag {
        ETag::new(self.version)
    }

    /// How delivery is taxed.
    pub fn shipping_tax(&self) -> ShippingTax {
        if self.shipping == "goods" {
            ShippingTax::Goods
        } else {
            ShippingTax::Class(self.shipping_class.clone())
        }
    }
}

/// How tax is worked out, beside rounding and level, which are among the store's settings.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxSettingsView {
    /// Delivery in parts as the goods it delivers; else as goods of `shipping_class`.
    #[schema(example = false)]
    pub shipping_follows_goods: bool,
    #[schema(example = "delivery")]
    pub shipping_class: Option<String>,
    pub reverse_charge: ReverseCharge,
    pub relieved_pay: RelievedPay,
    #[schema(example = 1)]
    pub version: i64,
}

impl From<TaxSettings> for TaxSettingsView {
    fn from(settings: TaxSettings) -> Self {
        Self {
            shipping_follows_goods: settings.shipping_tax() == ShippingTax::Goods,
            reverse_charge: ReverseCharge::stored(&settings.reverse_charge),
            relieved_pay: RelievedPay::stored(&settings.relieved_pay),
            shipping_class: settings.shipping_class,
            version: settings.version,
        }
    }
}

/// All of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"shipping_follows_goods": false, "reverse_charge": "well_formed", "relieved_pay": "net"}))]
pub struct PutTaxSettings {
    /// Tax delivery in parts as the goods it delivers, in proportion to what they cost.
    #[serde(default)]
    pub shipping_follows_goods: bool,
    /// Tax delivery as goods of this class; as goods of none if left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 40, example = "delivery")]
    pub shipping_class: Option<ClassCode>,
    /// For buyers with a VAT number of another EU country, of a store in the EU.
    pub reverse_charge: ReverseCharge,
    pub relieved_pay: RelievedPay,
}

/// Why a customer is exempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExemptionReason {
    Resale,
    Charity,
    Government,
    Diplomatic,
    Education,
    Other,
}

impl ExemptionReason {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resale => "resale",
            Self::Charity => "charity",
            Self::Government => "government",
            Self::Diplomatic => "diplomatic",
            Self::Education => "education",
            Self::Other => "other",
        }
    }
}

/// An exemption of a customer, or of whoever is in a group.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct TaxExemptionView {
    #[diesel(sql_type = SqlUuid)]
    pub id: TaxExemptionId,
    /// Whose it is; null when it is of a group.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    #[diesel(column_name = customer_id)]
    pub customer: Option<CustomerId>,
    /// The group that it is of: of each of its members while they are in it.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    #[diesel(column_name = group_id)]
    pub customer_group: Option<CustomerGroupId>,
    /// Where it holds; everywhere if null.
    #[diesel(sql_type = Nullable<SqlText>)]
    pub country: Option<Country>,
    #[diesel(sql_type = Nullable<SqlText>)]
    #[schema(example = "CA")]
    pub province: Option<String>,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "resale")]
    pub reason: String,
    /// What proves it.
    #[diesel(sql_type = SqlText)]
    #[schema(example = "Resale certificate 12-345678")]
    pub certificate: String,
    #[diesel(sql_type = Timestamptz)]
    pub valid_from: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub valid_to: Option<DateTime<Utc>>,
}

/// All exemptions of the filter, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxExemptionList {
    pub data: Vec<TaxExemptionView>,
}

/// Which exemptions.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TaxExemptionFilter {
    /// Only those of this customer, by themselves or by a group they are in.
    pub customer: Option<CustomerId>,
    /// Only those of this group.
    pub customer_group: Option<CustomerGroupId>,
}

/// An exemption to be granted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"customer": "cus_01h455vb4pex5vsknk084sn02q", "country": "US", "province": "CA", "reason": "resale", "certificate": "Resale certificate 12-345678"}))]
pub struct NewTaxExemption {
    /// Either a customer, or a group.
    pub customer: Option<CustomerId>,
    /// Whoever is in this group, while they are in it.
    pub customer_group: Option<CustomerGroupId>,
    /// Where it holds; everywhere if left out.
    pub country: Option<Country>,
    /// Of that country.
    #[schema(example = "CA")]
    pub province: Option<Text<60>>,
    pub reason: ExemptionReason,
    /// What proves it.
    #[schema(example = "Resale certificate 12-345678")]
    pub certificate: Text<500>,
    /// Left out: now.
    pub valid_from: Option<DateTime<Utc>>,
    /// In force until the moment before; without an end if left out.
    pub valid_to: Option<DateTime<Utc>>,
}

/// Why a buyer owes no tax; an order keeps it as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaxRelief {
    /// `reverse_charge`, or the reason of an exemption.
    #[schema(example = "reverse_charge")]
    pub reason: String,
    /// The buyer's number, of a reverse charge.
    #[serde(default)]
    #[schema(example = "ATU13585627")]
    pub vat_number: Option<String>,
    /// When somebody confirmed that the number is in use; null when nobody did.
    #[serde(default)]
    pub confirmed_at: Option<DateTime<Utc>>,
    /// What proves an exemption.
    #[serde(default)]
    #[schema(example = "Resale certificate 12-345678")]
    pub certificate: Option<String>,
}

impl TaxRelief {
    /// The buyer owes the tax.
    pub fn reverse_charge(vat_number: String, confirmed_at: Option<DateTime<Utc>>) -> Self {
        Self {
            reason: TaxReason::ReverseCharge.as_str().to_owned(),
            vat_number: Some(vat_number),
            confirmed_at,
            certificate: None,
        }
    }

    /// The buyer is exempt.
    pub fn exemption(reason: String, certificate: String) -> Self {
        Self { reason, vat_number: None, confirmed_at: None, certificate: Some(certificate) }
    }

    /// What a line says: goods that cross a border within the EU are another case than services.
    pub(super) fn on(&self, shipped: bool) -> (&'static str, TaxReason) {
        match (&self.vat_number, shipped) {
            (Some(_), true) => ("Intra-Community supply", TaxReason::IntraCommunitySupply),
            (Some(_), false) => ("Reverse charge", TaxReason::ReverseCharge),
            (None, _) => ("Customer exempt", TaxReason::CustomerExempt),
        }
    }
}
