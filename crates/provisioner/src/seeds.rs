//! What a store holds at birth, so that it can sell its first product without further set-up. Data, handed to `seeds/*.sql` as one JSON.
use serde::{Deserialize, Serialize};
use souk_kernel::{Country, Currency};
use tokio_postgres::Client;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use crate::error::ProvisionError;
use crate::ledger::StoreRecord;

const COUNTRIES: &str = include_str!("seeds/countries.csv");

/// One statement each, run as the store's own role inside the transaction that makes the store live. `$1` = [`StoreSeeds`] as JSON.
const STATEMENTS: &[&str] = &[
    include_str!("seeds/settings.sql"),
    include_str!("seeds/roles.sql"),
    include_str!("seeds/staff.sql"),
    include_str!("seeds/api_keys.sql"),
    include_str!("seeds/tax.sql"),
    include_str!("seeds/places.sql"),
    include_str!("seeds/shipping.sql"),
    include_str!("seeds/money.sql"),
    include_str!("seeds/email_templates.sql"),
];

/// Everything a new store is given. Begin with [`StoreSeeds::standard`] and add roles, owner, keys and templates.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoreSeeds {
    pub settings: SettingsSeed,
    pub roles: Vec<RoleSeed>,
    /// The first member of staff; `role` must be one of `roles`.
    pub owner: Option<StaffSeed>,
    pub api_keys: Vec<ApiKeySeed>,
    pub tax: Vec<TaxSeed>,
    pub locations: Vec<LocationSeed>,
    pub shipping_zones: Vec<ZoneSeed>,
    pub payment_providers: Vec<ProviderSeed>,
    pub markets: Vec<MarketSeed>,
    pub ledger_accounts: Vec<LedgerAccountSeed>,
    pub email_templates: Vec<EmailTemplateSeed>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SettingsSeed {
    pub name: String,
    pub country: Country,
    pub currency: Currency,
    pub locale: String,
    pub time_zone: String,
    pub contact_email: String,
    pub prices_include_tax: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoleSeed {
    pub id: Uuid,
    pub name: String,
    pub permissions: Vec<PermissionSeed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionSeed {
    pub object: String,
    pub action: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StaffSeed {
    pub id: Uuid,
    pub account_id: Uuid,
    pub email: String,
    /// The normalised form that is unique (`souk_kernel::Email::key`).
    pub email_key: String,
    pub name: String,
    pub role: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiKeySeed {
    pub id: Uuid,
    /// `publishable` or `secret`.
    pub kind: String,
    /// `test` or `live`.
    pub mode: String,
    pub name: String,
    pub prefix: String,
    /// SHA-256 of the key in hex; the key itself never comes here.
    pub hash: String,
    pub scopes: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TaxSeed {
    pub region_id: Uuid,
    pub rate_id: Uuid,
    pub country: Country,
    pub province: Option<String>,
    pub name: String,
    pub rate_ppm: u32,
    pub reason: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LocationSeed {
    pub id: Uuid,
    pub name: String,
    pub country: Country,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ZoneSeed {
    pub id: Uuid,
    pub name: String,
    pub countries: Vec<Country>,
    pub rest_of_world: bool,
    pub rates: Vec<RateSeed>,
}

/// Amounts in minor units of the store's currency.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RateSeed {
    pub id: Uuid,
    pub name: String,
    pub amount_minor: i64,
    pub min_total_minor: Option<i64>,
    pub max_total_minor: Option<i64>,
    pub position: i32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProviderSeed {
    pub code: String,
    pub title: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MarketSeed {
    pub id: Uuid,
    pub name: String,
    pub countries: Vec<Country>,
    pub currency: Currency,
    pub locale: String,
    pub prices_include_tax: bool,
    pub is_default: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LedgerAccountSeed {
    pub id: Uuid,
    pub code: String,
    pub name: String,
    pub kind: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EmailTemplateSeed {
    pub name: String,
    pub locale: String,
    pub subject: String,
    pub body_text: String,
    pub body_html: String,
}

/// What the committed table says of a country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountryFacts {
    pub country: Country,
    pub currency: Currency,
    pub rate_ppm: u32,
    pub prices_include_tax: bool,
    pub tax_name: &'static str,
    pub reason: &'static str,
}

impl CountryFacts {
    /// `None` only for a row that the table lacks or got wrong; a test reads every row.
    pub fn of(country: Country) -> Option<Self> {
        let row = COUNTRIES.lines().find(|line| line.split(',').next() == Some(country.code()))?;
        let mut cells = row.split(',').skip(1);
        Some(Self {
            country,
            currency: Currency::parse(cells.next()?).ok()?,
            rate_ppm: cells.next()?.parse().ok()?,
            prices_include_tax: cells.next()? == "y",
            tax_name: cells.next()?,
            reason: cells.next()?,
        })
    }
}

/// The few things a person says about a new store.
#[derive(Clone, Debug)]
pub struct Basics<'a> {
    pub name: &'a str,
    pub country: Country,
    /// The country's own when none is given.
    pub currency: Option<Currency>,
    pub locale: &'a str,
    pub time_zone: &'a str,
    pub contact_email: &'a str,
}

impl StoreSeeds {
    /// Settings, tax, one location, one market, flat and free shipping at home and flat abroad, payment by `manual` and `test`,
    /// the chart of accounts. No roles, no owner, no keys yet. Refused only for a country the table does not know.
    pub fn standard(basics: &Basics<'_>) -> Result<Self, ProvisionError> {
        let country = basics.country;
        let facts = CountryFacts::of(country).ok_or_else(|| {
            ProvisionError::Refused(format!("no currency and tax are known for {}", country.code()))
        })?;
        let currency = basics.currency.unwrap_or(facts.currency);
        let flat = flat_rate(currency);
        let rate = |name: &str, amount_minor, min_total_minor, position| RateSeed {
            id: Uuid::now_v7(),
            name: name.into(),
            amount_minor,
            min_total_minor,
            max_total_minor: None,
            position,
        };
        Ok(Self {
            settings: SettingsSeed {
                name: basics.name.into(),
                country,
                currency,
                locale: basics.locale.into(),
                time_zone: basics.time_zone.into(),
                contact_email: basics.contact_email.into(),
                prices_include_tax: facts.prices_include_tax,
            },
            roles: Vec::new(),
            owner: None,
            api_keys: Vec::new(),
            tax: vec![TaxSeed {
                region_id: Uuid::now_v7(),
                rate_id: Uuid::now_v7(),
                country,
                province: None,
                name: facts.tax_name.into(),
                rate_ppm: facts.rate_ppm,
                reason: facts.reason.into(),
            }],
            locations: vec![LocationSeed { id: Uuid::now_v7(), name: "Main location".into(), country }],
            shipping_zones: vec![
                ZoneSeed {
                    id: Uuid::now_v7(),
                    name: "Domestic".into(),
                    countries: vec![country],
                    rest_of_world: false,
                    rates: vec![rate("Standard", flat, None, 0), rate("Free", 0, Some(flat * 10), 1)],
                },
                ZoneSeed {
                    id: Uuid::now_v7(),
                    name: "International".into(),
                    countries: Vec::new(),
                    rest_of_world: true,
                    rates: vec![rate("International", flat * 4, None, 0)],
                },
            ],
            payment_providers: vec![
                ProviderSeed { code: "manual".into(), title: "Bank transfer or cash".into() },
                ProviderSeed { code: "test".into(), title: "Test payment".into() },
            ],
            markets: vec![MarketSeed {
                id: Uuid::now_v7(),
                name: country.name().into(),
                countries: vec![country],
                currency,
                locale: basics.locale.into(),
                prices_include_tax: facts.prices_include_tax,
                is_default: true,
            }],
            ledger_accounts: chart_of_accounts(),
            email_templates: Vec::new(),
        })
    }

    /// Checks what the tables would refuse late: the owner's role, key hashes.
    pub(crate) fn check(&self) -> Result<(), ProvisionError> {
        let refuse = |text: String| Err(ProvisionError::Refused(text));
        if let Some(owner) = &self.owner
            && !self.roles.iter().any(|role| role.name == owner.role)
        {
            return refuse(format!("the owner's role {:?} is not among the seeded roles", owner.role));
        }
        for key in &self.api_keys {
            if key.hash.len() != 64 || !key.hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return refuse(format!("API key {:?}: the hash must be 64 hex digits", key.name));
            }
        }
        Ok(())
    }
}

/// Reads `role, object, action` lines (`#` begins a comment) into roles, in order of appearance.
pub fn roles_from_csv(text: &str) -> Result<Vec<RoleSeed>, ProvisionError> {
    let mut roles: Vec<RoleSeed> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let [name, object, action] = cells[..] else {
            return Err(ProvisionError::Refused(format!("{line:?}: a role line is `role, object, action`")));
        };
        let permission = PermissionSeed { object: object.into(), action: action.into() };
        match roles.iter_mut().find(|role| role.name == name) {
            Some(role) => role.permissions.push(permission),
            None => {
                roles.push(RoleSeed { id: Uuid::now_v7(), name: name.into(), permissions: vec![permission] })
            }
        }
    }
    Ok(roles)
}

/// A parcel at home in minor units: about 5 euro where the currency is worth much less than the euro, 5 units elsewhere.
fn flat_rate(currency: Currency) -> i64 {
    let units = match currency.code() {
        "JPY" => 500,
        "KRW" => 3_000,
        "INR" | "TRY" | "CZK" | "MXN" | "RUB" | "THB" | "PHP" => 99,
        "SEK" | "NOK" | "DKK" | "ZAR" | "TWD" | "UAH" | "HKD" => 49,
        "PLN" | "RON" | "BRL" | "ILS" | "CNY" | "SAR" | "AED" | "MYR" => 19,
        "HUF" => 1_490,
        "ISK" | "LKR" | "PKR" | "KES" => 900,
        "IDR" | "VND" | "IRR" | "LAK" | "LBP" => 25_000,
        "CLP" | "CRC" | "KZT" | "NGN" | "XOF" | "XAF" | "XPF" | "ARS" => 3_000,
        "COP" | "KHR" | "MMK" | "TZS" | "UGX" | "PYG" | "UZS" => 15_000,
        _ => 5,
    };
    units * 10_i64.pow(currency.exponent())
}

fn chart_of_accounts() -> Vec<LedgerAccountSeed> {
    [
        ("1000", "Cash clearing", "asset"),
        ("1100", "Accounts receivable", "asset"),
        ("2100", "Customer prepayments", "liability"),
        ("2200", "Sales tax payable", "liability"),
        ("2300", "Refunds payable", "liability"),
        ("4000", "Sales", "revenue"),
        ("4100", "Shipping income", "revenue"),
        ("4900", "Sales returns", "revenue"),
    ]
    .map(|(code, name, kind)| LedgerAccountSeed {
        id: Uuid::now_v7(),
        code: code.into(),
        name: name.into(),
        kind: kind.into(),
    })
    .into()
}

/// Fills an empty store as its own role, in the caller's transaction, all statements in one round trip.
pub(crate) async fn plant(
    client: &Client,
    store: &StoreRecord,
    seeds: &StoreSeeds,
) -> Result<(), ProvisionError> {
    let prologue =
        format!("SET LOCAL ROLE {}; SET LOCAL search_path = {}, extensions;", store.role, store.schema);
    client.batch_execute(&prologue).await?;
    let seeds = Json(seeds);
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 1] = [(&seeds, Type::JSONB)];
    let planting = STATEMENTS.iter().map(|sql| client.query_typed(sql, &parameters));
    futures_util::future::try_join_all(planting).await?;
    client.batch_execute("RESET ROLE; SET LOCAL search_path = '';").await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_a_currency_and_a_tax() {
        for country in Country::all() {
            let facts = CountryFacts::of(country).unwrap_or_else(|| panic!("{} is missing", country.code()));
            assert!(facts.rate_ppm <= 300_000, "{}", country.code());
            assert_eq!(facts.rate_ppm == 0, facts.reason == "not_collecting", "{}", country.code());
        }
        let of = |code: &str| CountryFacts::of(Country::parse(code).unwrap()).unwrap();
        assert_eq!((of("DE").rate_ppm, of("DE").currency.code()), (190_000, "EUR"));
        assert_eq!((of("FI").rate_ppm, of("CH").rate_ppm, of("US").rate_ppm), (255_000, 81_000, 0));
        assert!(!of("CA").prices_include_tax && of("GB").prices_include_tax);
    }

    #[test]
    fn roles_are_read_in_order() {
        let roles =
            roles_from_csv("# roles\nowner, product, *\nviewer, product, view\nowner, order, *\n").unwrap();
        assert_eq!(roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>(), ["owner", "viewer"]);
        assert_eq!(roles[0].permissions.len(), 2);
        assert!(roles_from_csv("owner, product").is_err());
    }

    #[test]
    fn shipping_costs_something_everywhere() {
        for country in Country::all() {
            let facts = CountryFacts::of(country).unwrap();
            assert!(flat_rate(facts.currency) > 0);
        }
    }
}
