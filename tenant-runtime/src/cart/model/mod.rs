//! Carts as values and as wishes.

mod attributes;
mod quote;
mod terms;
mod view;

use serde::{Deserialize, Deserializer};
use souk_api::FieldError;
use souk_kernel::{
    CartId, CartLineId, Country, CreditId, Currency, CustomerId, Email, Locale, LongText, MarketId, Quantity,
    ShippingRateId, VariantId,
};
use utoipa::ToSchema;

pub use attributes::Attributes;
pub use quote::{Basket, Pricing, Quote, QuotedLine, QuotedShipping, chosen};
pub use terms::{AgreedDelivery, AgreedDiscount, AgreedLine, AgreedWare, Off, Terms};
pub use view::{CartView, Priced, QuoteView, ShippingOptionList, Warning};

use super::state::CartState;
use crate::credit::GiftCode;
pub use crate::customers::Address;
use crate::discounts::Code;
use crate::tax::{Destination, TaxBuyer, VatNumber};

/// The most lines of a cart.
pub const MOST_LINES: usize = 500;
/// The most discount codes of a cart.
pub const MOST_CODES: usize = 5;
/// The most gift cards of a cart.
pub const MOST_GIFT_CARDS: usize = 5;
/// The most pieces of a line.
pub const MOST_PIECES: u32 = 9_999;

/// A cart as of this transaction, without its prices.
#[derive(Clone, Debug)]
pub struct Cart {
    pub id: CartId,
    /// A lease that ran out is taken into account.
    pub state: CartState,
    pub currency: Currency,
    /// The market it was made in.
    pub market: Option<MarketId>,
    /// As in its market; as in the settings without one.
    pub prices_include_tax: Option<bool>,
    pub customer: Option<CustomerId>,
    pub email: Option<Email>,
    pub note: String,
    pub attributes: Attributes,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    /// The one the shopper chose, if any; whether it still fits is for [`super::priced`] to say.
    pub shipping_rate: Option<ShippingRateId>,
    /// What was entered, in capitals; whether they apply is for [`super::priced`] to say.
    pub discount_codes: Vec<String>,
    /// Those entered, in the order they pay.
    pub gift_cards: Vec<CreditId>,
    /// Whether the customer's store credit pays too, last.
    pub use_store_credit: bool,
    /// The language the shopper reads, if they said so.
    pub locale: Option<Locale>,
    /// The buyer's, in its one spelling; what it does is for [`super::priced`] to say.
    pub vat_number: Option<String>,
    /// In the order they were added; none in a draft order, whose lines are in its terms.
    pub lines: Vec<CartLine>,
    /// What staff agreed with somebody: then this is a draft order, and no shopper's cart.
    pub terms: Option<Terms>,
    /// Grows with every change.
    pub version: i64,
}

/// So many of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CartLine {
    pub id: CartLineId,
    pub variant: VariantId,
    pub quantity: Quantity,
    pub position: i32,
}

impl Cart {
    /// The customer whose store credit pays, if it shall.
    pub(super) fn payer(&self) -> Option<CustomerId> {
        self.customer.filter(|_| self.use_store_credit)
    }

    /// What has to be looked up to price it; a variant may be there twice.
    pub(super) fn variants(&self) -> impl Iterator<Item = VariantId> {
        let agreed = self.terms.iter().flat_map(Terms::variants);
        self.lines.iter().map(|line| line.variant).chain(agreed)
    }

    /// Where the goods are taxed: where they go, else where the shopper lives, else at home.
    pub(super) fn destination(&self, home: Country) -> Destination {
        match self.shipping_address.as_ref().or(self.billing_address.as_ref()) {
            Some(address) => Destination {
                country: address.country,
                province: address.province.as_ref().map(|province| province.as_str().to_owned()),
                postal_code: address.postal_code.as_ref().map(|code| code.as_str().to_owned()),
            },
            None => Destination { country: home, province: None, postal_code: None },
        }
    }

    /// Who buys, so far as it matters to the state.
    pub(super) fn tax_buyer(&self) -> TaxBuyer {
        TaxBuyer { customer: self.customer, vat_number: self.vat_number.clone() }
    }
}

/// A cart to be made.
#[derive(Clone, Debug, Default)]
pub struct NewCart {
    pub lines: Vec<NewCartLine>,
    pub email: Option<Email>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub customer: Option<CustomerId>,
    pub note: String,
    pub attributes: Attributes,
    pub discount_codes: Vec<Code>,
    /// Whose market it is priced in; the store's own currency without it.
    pub country: Option<Country>,
    pub locale: Option<Locale>,
}

/// So many of that; the same variant twice adds up.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCartLine {
    pub variant: VariantId,
    /// 1 to 9999.
    #[schema(value_type = u32, minimum = 1, maximum = 9999, example = 1)]
    pub quantity: Quantity,
}

/// A cart to be made, on the wire.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCart {
    /// At most 500.
    #[serde(default)]
    pub lines: Vec<NewCartLine>,
    #[schema(value_type = Option<String>, example = "ada@example.com")]
    pub email: Option<Email>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    #[serde(default)]
    pub note: Option<LongText<2000>>,
    #[serde(default)]
    pub attributes: Attributes,
    /// At most 5.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["SUMMER"]))]
    pub discount_codes: Vec<Code>,
    /// The shopper's country: the cart is priced in the currency of its market, for good. The store's own currency without it.
    pub country: Option<Country>,
    /// The language the shopper reads: mails about the cart and its order are in it where there are words for it, else in the customer's, else in the
    /// store's.
    #[schema(value_type = Option<String>, max_length = 35, example = "de-AT")]
    pub locale: Option<Locale>,
}

/// A code the shopper has.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterCode {
    #[schema(value_type = String, example = "SUMMER", max_length = 64)]
    pub code: Code,
}

/// A gift card the shopper has.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterGiftCard {
    /// Its 16 letters and digits; hyphens, spaces and capitals make no difference.
    #[schema(value_type = String, example = "7KQ2-9F4M-X0TZ-3HAB")]
    pub code: GiftCode,
}

/// Addresses of a new cart, as their countries write them.
fn settled(address: Option<Address>, at: &str) -> Result<Option<Address>, Vec<FieldError>> {
    address.map(|address| address.settled(at)).transpose()
}

impl NewCart {
    /// With its addresses settled.
    ///
    /// # Errors
    /// What their countries do not allow, by its field.
    pub fn settled(self) -> Result<Self, Vec<FieldError>> {
        let shipping_address = settled(self.shipping_address, "/shipping_address")?;
        let billing_address = settled(self.billing_address, "/billing_address")?;
        Ok(Self { shipping_address, billing_address, ..self })
    }
}

impl CreateCart {
    /// The wish, for this customer if there is one.
    pub fn of(self, customer: Option<CustomerId>) -> NewCart {
        NewCart {
            lines: self.lines,
            email: self.email,
            shipping_address: self.shipping_address,
            billing_address: self.billing_address,
            customer,
            note: self.note.map(LongText::into_string).unwrap_or_default(),
            attributes: self.attributes,
            discount_codes: self.discount_codes,
            country: self.country,
            locale: self.locale,
        }
    }
}

/// What a change does to a part that may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// The member was left out.
    #[default]
    Keep,
    /// The member was `null`.
    Clear,
    Set(T),
}

impl<T> Change<T> {
    /// Does it.
    pub fn apply(self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *to = None,
            Self::Set(value) => *to = Some(value),
        }
    }

    /// The same of what is set, which may be refused.
    ///
    /// # Errors
    /// Those of `checked`.
    pub fn checked<E>(self, checked: impl FnOnce(T) -> Result<T, E>) -> Result<Self, E> {
        match self {
            Self::Set(value) => checked(value).map(Self::Set),
            Self::Keep => Ok(Self::Keep),
            Self::Clear => Ok(Self::Clear),
        }
    }

    /// Does it to a part that is never absent: cleared, it is as in a new cart.
    pub fn apply_or_default(self, to: &mut T)
    where
        T: Default,
    {
        match self {
            Self::Keep => {}
            Self::Clear => *to = T::default(),
            Self::Set(value) => *to = value,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(from)?.map_or(Self::Clear, Self::Set))
    }
}

/// What to change; what is left out stays, `null` clears.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditCart {
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "ada@example.com")]
    pub email: Change<Email>,
    #[serde(default)]
    #[schema(value_type = Option<Address>)]
    pub shipping_address: Change<Address>,
    #[serde(default)]
    #[schema(value_type = Option<Address>)]
    pub billing_address: Change<Address>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub note: Change<LongText<2000>>,
    /// Whether the store credit of the customer who made the cart pays too; a guest has none.
    #[serde(default)]
    pub use_store_credit: Option<bool>,
    /// All of them.
    #[serde(default)]
    #[schema(value_type = Option<Attributes>)]
    pub attributes: Change<Attributes>,
    /// The language the shopper reads.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 35, example = "de-AT")]
    pub locale: Change<Locale>,
}

/// The VAT number of the business that buys.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"vat_number": "ATU13585627"}))]
pub struct PutVatNumber {
    /// Of a country of the EU, GB, CH or NO; spaces, points and hyphens make no difference. `null` takes it out.
    #[schema(value_type = Option<String>, max_length = 40, example = "ATU13585627")]
    pub vat_number: Option<VatNumber>,
}

/// A new quantity of a line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditCartLine {
    /// 1 to 9999.
    #[schema(value_type = u32, minimum = 1, maximum = 9999, example = 2)]
    pub quantity: Quantity,
}

/// One of the cart's shipping options.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChooseShipping {
    pub shipping_rate: ShippingRateId,
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn left_out_and_null_are_different() {
        let edit: EditCart = serde_json::from_str(r#"{"email": null, "note": "ring twice"}"#).unwrap();
        assert_eq!(edit.email, Change::Clear);
        assert_eq!(edit.shipping_address, Change::Keep);
        let mut note = None;
        edit.note.apply(&mut note);
        assert_eq!(note.unwrap().as_str(), "ring twice");
        assert!(serde_json::from_str::<EditCart>(r#"{"mail": null}"#).is_err());
    }

    #[test]
    fn an_address_comes_back_as_it_was_kept() {
        let text = r#"{"first_name":"Ada","last_name":"Lovelace","address1":"Unter den Linden 1","city":"Berlin",
                       "postal_code":"10117","country":"DE"}"#;
        let address: Address = serde_json::from_str(text).unwrap();
        let kept = serde_json::to_value(&address).unwrap();
        assert_eq!(serde_json::from_value::<Address>(kept).unwrap(), address);
    }
}
