//! The settings as values, as answers and as wishes.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Integer, Text as SqlText};
use serde::{Deserialize, Serialize};
use souk_api::ETag;
use souk_kernel::{Country, Currency, Email, Rounding, StoreId, Text};
use souk_tenancy::StoreEntry;
use utoipa::ToSchema;

/// Where tax is rounded.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, diesel::deserialize::FromSqlRow,
)]
#[serde(rename_all = "snake_case")]
pub enum TaxLevel {
    /// Once per line. What a new store has.
    Line,
    /// On the price of one piece, then times the pieces.
    Unit,
    /// Once per rate over the whole document, then shared out over its lines.
    Document,
}

/// The text was not a tax level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be line, unit or document")]
pub struct TaxLevelError;

impl TaxLevel {
    /// As in the column and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Unit => "unit",
            Self::Document => "document",
        }
    }
}

impl diesel::deserialize::FromSql<SqlText, diesel::pg::Pg> for TaxLevel {
    fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
        let text: String = diesel::deserialize::FromSql::<SqlText, diesel::pg::Pg>::from_sql(value)?;
        Ok(Self::try_from(text)?)
    }
}

impl TryFrom<String> for TaxLevel {
    type Error = TaxLevelError;
    fn try_from(text: String) -> Result<Self, TaxLevelError> {
        [Self::Line, Self::Unit, Self::Document]
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or(TaxLevelError)
    }
}

/// Whole minutes, as the column keeps them: a CHECK holds them between 1 and 60.
#[derive(diesel::deserialize::FromSqlRow)]
struct Minutes(u32);

impl diesel::deserialize::FromSql<Integer, diesel::pg::Pg> for Minutes {
    fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
        let minutes: i32 = diesel::deserialize::FromSql::<Integer, diesel::pg::Pg>::from_sql(value)?;
        Ok(Self(u32::try_from(minutes)?))
    }
}

impl From<Minutes> for u32 {
    fn from(minutes: Minutes) -> Self {
        minutes.0
    }
}

/// How this store counts, as of this transaction.
#[derive(Clone, Debug, QueryableByName)]
pub struct Settings {
    #[diesel(sql_type = SqlText)]
    pub name: String,
    #[diesel(sql_type = SqlText)]
    pub country: Country,
    #[diesel(sql_type = SqlText)]
    pub currency: Currency,
    #[diesel(sql_type = SqlText)]
    pub locale: String,
    #[diesel(sql_type = SqlText)]
    pub time_zone: String,
    #[diesel(sql_type = SqlText)]
    pub contact_email: String,
    /// Whether prices hold the tax already.
    #[diesel(sql_type = Bool)]
    pub prices_include_tax: bool,
    #[diesel(sql_type = SqlText)]
    pub tax_rounding: Rounding,
    #[diesel(sql_type = SqlText)]
    pub tax_level: TaxLevel,
    /// How long a checkout holds stock, 1 to 60 minutes.
    #[diesel(sql_type = Integer, deserialize_as = Minutes)]
    pub reservation_minutes: u32,
    /// What stands before the number of an order.
    #[diesel(sql_type = SqlText)]
    pub order_prefix: String,
    /// Whether a checkout must say which version of the terms the shopper agreed to.
    #[diesel(sql_type = Bool)]
    pub terms_required: bool,
    /// Grows with every change.
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

impl Settings {
    /// The tag that If-Match is held against.
    pub fn etag(&self) -> ETag {
        ETag::new(self.version)
    }
}

/// The settings as staff see them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SettingsView {
    #[schema(example = "Acme Mugs")]
    pub name: String,
    pub country: Country,
    pub currency: Currency,
    #[schema(example = "de-DE")]
    pub locale: String,
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    #[schema(example = "hello@acme.example")]
    pub contact_email: String,
    #[schema(example = true)]
    pub prices_include_tax: bool,
    pub tax_rounding: Rounding,
    pub tax_level: TaxLevel,
    #[schema(example = 15)]
    pub reservation_minutes: u32,
    #[schema(example = "#")]
    pub order_prefix: String,
    /// Whether a checkout must say which version of the terms the shopper agreed to (`accepted_terms`), while there are terms.
    #[schema(example = false)]
    pub terms_required: bool,
    #[schema(example = 1)]
    pub version: i64,
}

impl From<Settings> for SettingsView {
    fn from(settings: Settings) -> Self {
        Self {
            name: settings.name,
            country: settings.country,
            currency: settings.currency,
            locale: settings.locale,
            time_zone: settings.time_zone,
            contact_email: settings.contact_email,
            prices_include_tax: settings.prices_include_tax,
            tax_rounding: settings.tax_rounding,
            tax_level: settings.tax_level,
            reservation_minutes: settings.reservation_minutes,
            order_prefix: settings.order_prefix,
            terms_required: settings.terms_required,
            version: settings.version,
        }
    }
}

/// What a store answers at its first address.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IndexView {
    pub store: StoreId,
    #[schema(example = "Acme Mugs")]
    pub name: String,
    /// The reference, for people.
    #[schema(example = "/docs")]
    pub docs: &'static str,
    /// The reference, for programs.
    #[schema(example = "/openapi.json")]
    pub openapi: &'static str,
    pub storefront: StorefrontLinks,
    /// Below it is what staff and machines do; it asks for a token or a secret key.
    #[schema(example = "/admin/v1")]
    pub admin: &'static str,
}

/// What a shopper's client begins with.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StorefrontLinks {
    #[schema(example = "/store/v1/store")]
    pub store: &'static str,
    #[schema(example = "/store/v1/products")]
    pub products: &'static str,
    #[schema(example = "/store/v1/collections")]
    pub collections: &'static str,
    /// `POST` makes one.
    #[schema(example = "/store/v1/carts")]
    pub carts: &'static str,
    /// `POST` makes one: a cart and a page to buy it on, in one call.
    #[schema(example = "/store/v1/checkout-sessions")]
    pub checkout_sessions: &'static str,
}

impl IndexView {
    /// The index of a store.
    pub fn of(store: &StoreEntry) -> Self {
        Self {
            store: store.id,
            name: store.name.clone(),
            docs: "/docs",
            openapi: "/openapi.json",
            storefront: StorefrontLinks {
                store: "/store/v1/store",
                products: "/store/v1/products",
                collections: "/store/v1/collections",
                carts: "/store/v1/carts",
                checkout_sessions: "/store/v1/checkout-sessions",
            },
            admin: "/admin/v1",
        }
    }
}

/// What anybody may know about a store.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StoreView {
    #[schema(example = "Acme Mugs")]
    pub name: String,
    pub country: Country,
    pub currency: Currency,
    #[schema(example = "de-DE")]
    pub locale: String,
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    #[schema(example = "hello@acme.example")]
    pub contact_email: String,
    /// Whether prices hold the tax already.
    #[schema(example = true)]
    pub prices_include_tax: bool,
    /// Whether a checkout must say which version of the terms the shopper agreed to (`accepted_terms`), while there are terms.
    #[schema(example = false)]
    pub terms_required: bool,
}

impl From<Settings> for StoreView {
    fn from(settings: Settings) -> Self {
        Self {
            name: settings.name,
            country: settings.country,
            currency: settings.currency,
            locale: settings.locale,
            time_zone: settings.time_zone,
            contact_email: settings.contact_email,
            prices_include_tax: settings.prices_include_tax,
            terms_required: settings.terms_required,
        }
    }
}

/// What to change; what is left out stays. The currency is settled when the store is made.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"contact_email": "hello@acme.example", "order_prefix": "#"}))]
pub struct EditSettings {
    pub name: Option<Text<120>>,
    pub country: Option<Country>,
    #[schema(example = "de-DE")]
    pub locale: Option<Text<35>>,
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<Text<64>>,
    #[schema(value_type = Option<String>, example = "hello@acme.example")]
    pub contact_email: Option<Email>,
    pub prices_include_tax: Option<bool>,
    pub tax_rounding: Option<Rounding>,
    pub tax_level: Option<TaxLevel>,
    /// 1 to 60 minutes.
    #[schema(minimum = 1, maximum = 60)]
    pub reservation_minutes: Option<u32>,
    #[schema(example = "#")]
    pub order_prefix: Option<Text<10>>,
    /// Whether a checkout must say which version of the terms the shopper agreed to, while there are terms.
    pub terms_required: Option<bool>,
}

impl EditSettings {
    /// What the types cannot say: pointer and what would have been right.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.locale.as_ref().is_some_and(|locale| !is_locale(locale.as_str())) {
            return Err(("/locale", "must be a language tag such as de-DE"));
        }
        if self.time_zone.as_ref().is_some_and(|zone| !is_time_zone(zone.as_str())) {
            return Err(("/time_zone", "must be a name of the time zone database such as Europe/Berlin"));
        }
        if self.reservation_minutes.is_some_and(|minutes| !(1..=60).contains(&minutes)) {
            return Err(("/reservation_minutes", "must be 1 to 60"));
        }
        Ok(())
    }
}

/// A language of two or three letters and subtags of two to eight letters or digits.
fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts
        .next()
        .is_some_and(|part| matches!(part.len(), 2 | 3) && part.bytes().all(|b| b.is_ascii_lowercase()));
    language
        && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The form of a name of the time zone database; whether the zone exists is the database's to know.
fn is_time_zone(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-');
    text == "UTC"
        || (text.contains('/') && text.split('/').all(|part| !part.is_empty() && part.bytes().all(letter)))
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn forms_of_names_are_checked() {
        for good in ["de", "de-DE", "zh-Hant-TW"] {
            assert!(is_locale(good), "{good}");
        }
        for bad in ["", "d", "DE", "de_DE", "de-", "de-x"] {
            assert!(!is_locale(bad), "{bad}");
        }
        for good in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
            assert!(is_time_zone(good), "{good}");
        }
        for bad in ["", "Berlin", "Europe/", "Europe/Ber lin", "/"] {
            assert!(!is_time_zone(bad), "{bad}");
        }
    }

    #[test]
    fn the_hold_is_bounded() {
        let edit = |minutes| EditSettings { reservation_minutes: Some(minutes), ..EditSettings::default() };
        assert!(edit(1).check().is_ok() && edit(60).check().is_ok());
        assert!(edit(0).check().is_err() && edit(61).check().is_err());
    }
}
