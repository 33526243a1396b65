//! Where somebody lives.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{AddressId, Country, Text};
use utoipa::ToSchema;

/// The most addresses of one customer.
pub const MOST_ADDRESSES: i64 = 50;

/// Where somebody lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"first_name": "Ada", "last_name": "Lovelace", "address1": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE"}))]
pub struct Address {
    #[schema(example = "Ada")]
    pub first_name: Text<100>,
    #[schema(example = "Lovelace")]
    pub last_name: Text<100>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<Text<120>>,
    #[schema(example = "Unter den Linden 1")]
    pub address1: Text<200>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address2: Option<Text<200>>,
    #[schema(example = "Berlin")]
    pub city: Text<100>,
    /// Where its country has a list of them (see `GET /store/v1/address-rules/{country}`): one of it, by its code or its name; the code is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub province: Option<Text<60>>,
    /// Of a form that its country knows; not everywhere is there one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "10117")]
    pub postal_code: Option<Text<20>>,
    pub country: Country,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "+49 30 901820")]
    pub phone: Option<Text<30>>,
}

/// An address for the book. The first one is the default for both.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAddress {
    pub address: Address,
    /// Goods go here unless said otherwise.
    #[serde(default)]
    pub default_shipping: bool,
    /// Bills go here unless said otherwise.
    #[serde(default)]
    pub default_billing: bool,
}

/// An address of the book.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AddressView {
    pub id: AddressId,
    pub address: Address,
    pub default_shipping: bool,
    pub default_billing: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}
