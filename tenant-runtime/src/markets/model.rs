//! A market as a value.

use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Text, Uuid as SqlUuid};
use souk_kernel::{Currency, MarketId};

/// Countries that are sold to in the same way.
#[derive(Clone, Debug, QueryableByName)]
pub struct Market {
    #[diesel(sql_type = SqlUuid)]
    pub id: MarketId,
    #[diesel(sql_type = Text)]
    pub name: String,
    /// ISO 3166-1 codes.
    #[diesel(sql_type = Array<Text>)]
    pub countries: Vec<String>,
    #[diesel(sql_type = Text)]
    pub currency: Currency,
    #[diesel(sql_type = Text)]
    pub locale: String,
    #[diesel(sql_type = Bool)]
    pub prices_include_tax: bool,
}
