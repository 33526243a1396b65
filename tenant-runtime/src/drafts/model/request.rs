//! What staff wishes.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use souk_api::FieldError;
use souk_kernel::{
    CartLineId, Country, Currency, CustomerId, DiscountId, Email, Locale, LongText, Money, Ppm, Quantity,
    ShippingRateId, Text, VariantId,
};
use utoipa::ToSchema;

use crate::cart::{
    Address, AgreedDelivery, AgreedDiscount, AgreedLine, AgreedWare, Attributes, Change, MOST_LINES,
    MOST_PIECES, Off,
};
use crate::catalog::{self, Sellable};

/// The most tags of a draft order.
const MOST_TAGS: usize = 50;
/// Stock is kept for at most so many days.
const MOST_DAYS_KEPT: i64 = 180;
/// It can be paid for at most so many days.
const MOST_DAYS_VALID: i64 = 3650;

/// A draft order to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "lines": [
        {"variant": "var_01h455vb4pex5vsknk084sn02q", "quantity": 2, "discount": {"title": "Regular customer", "rate_ppm": 100_000}},
        {"title": "Engraving", "price": {"amount_minor": 500, "currency": "EUR"}, "requires_shipping": false, "quantity": 2}
    ],
    "email": "ada@example.com",
    "shipping_address": {"first_name": "Ada", "last_name": "Lovelace", "address1": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE"},
    "shipping": {"title": "By van", "price": {"amount_minor": 900, "currency": "EUR"}},
    "tags": ["phone"]
}))]
pub struct CreateDraftOrder {
    /// At most 500. The same variant may stand in several.
    #[serde(default)]
    pub lines: Vec<DraftLineWish>,
    /// A customer of the store, who sees the order later. An e-mail address or an address that is left out is taken from their account.
    pub customer: Option<CustomerId>,
    #[schema(value_type = Option<String>, example = "ada@example.com")]
    pub email: Option<Email>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    /// Whose market it is priced in, for good; the store's own currency without it.
    pub country: Option<Country>,
    /// The language the buyer reads; the customer's, else the store's, without it.
    #[schema(value_type = Option<String>, max_length = 35, example = "de-AT")]
    pub locale: Option<Locale>,
    /// The order will have it.
    #[serde(default)]
    pub note: Option<LongText<2000>>,
    #[serde(default)]
    pub attributes: Attributes,
    /// Words to find it by; at most 50.
    #[serde(default)]
    pub tags: Vec<Text<64>>,
    /// Off all lines together, after what is off each.
    pub discount: Option<DiscountWish>,
    /// The cheapest rate that delivers there without it.
    pub shipping: Option<ShippingWish>,
    /// It cannot be paid from then on; within ten years.
    pub valid_until: Option<DateTime<Utc>>,
    /// Stock is kept for it until then, at most 180 days. Without it stock is kept only while somebody pays.
    pub reserve_until: Option<DateTime<Utc>>,
}

/// A line: pieces of a variant, or something of staff's own.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftLineWish {
    /// Also one of a product that is not for sale now.
    pub variant: Option<VariantId>,
    /// For a line of your own, instead of a variant.
    #[schema(value_type = Option<String>, max_length = 255, example = "Engraving")]
    pub title: Option<Text<255>>,
    /// For a line of your own.
    #[schema(value_type = Option<String>, max_length = 64, example = "ENGRAVE")]
    pub sku: Option<Text<64>>,
    /// For one piece. A variant's price of today if it is left out, kept from now on.
    pub price: Option<Money>,
    /// For a line of your own: whether it is taxed. Yes if it is left out.
    pub taxable: Option<bool>,
    /// For a line of your own: whether it has to be delivered. Yes if it is left out.
    pub requires_shipping: Option<bool>,
    /// 1 to 9999.
    #[schema(value_type = u32, minimum = 1, maximum = 9999, example = 1)]
    pub quantity: Quantity,
    /// Off this line.
    pub discount: Option<DiscountWish>,
}

/// A discount by hand: a share or an amount.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscountWish {
    /// What the buyer reads; `Discount` if it is left out.
    #[schema(value_type = Option<String>, max_length = 120, example = "Regular customer")]
    pub title: Option<Text<120>>,
    /// 1 to 1000000 (everything); 100000 is 10 %.
    #[schema(value_type = Option<u32>, example = 100_000)]
    pub rate_ppm: Option<Ppm>,
    /// In all, not for each piece.
    pub amount: Option<Money>,
}

/// How it is delivered: a rate of the store's, or title and price by hand.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingWish {
    /// One of the draft order's `shipping_options`.
    pub rate: Option<ShippingRateId>,
    #[schema(value_type = Option<String>, max_length = 120, example = "By van")]
    pub title: Option<Text<120>>,
    pub price: Option<Money>,
}

/// What to change; what is left out stays, `null` clears.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"note": "Call before delivery", "tags": ["phone", "urgent"]}))]
pub struct EditDraftOrder {
    /// All of them. Variants without a `price` get today's.
    #[serde(default)]
    pub lines: Option<Vec<DraftLineWish>>,
    #[serde(default)]
    #[schema(value_type = Option<CustomerId>)]
    pub customer: Change<CustomerId>,
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
    #[schema(value_type = Option<String>, max_length = 35, example = "de-AT")]
    pub locale: Change<Locale>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub note: Change<LongText<2000>>,
    /// All of them.
    #[serde(default)]
    #[schema(value_type = Option<Attributes>)]
    pub attributes: Change<Attributes>,
    /// All of them.
    #[serde(default)]
    pub tags: Option<Vec<Text<64>>>,
    #[serde(default)]
    #[schema(value_type = Option<DiscountWish>)]
    pub discount: Change<DiscountWish>,
    #[serde(default)]
    #[schema(value_type = Option<ShippingWish>)]
    pub shipping: Change<ShippingWish>,
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub valid_until: Change<DateTime<Utc>>,
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub reserve_until: Change<DateTime<Utc>>,
}

/// What to say in the mail with the link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"message": "As we agreed on the telephone."}))]
pub struct SendInvoice {
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub message: Option<LongText<2000>>,
}

fn set<T>(wish: Option<T>) -> Change<T> {
    wish.map_or(Change::Keep, Change::Set)
}

impl CreateDraftOrder {
    /// What is to be changed in a draft order that is empty.
    pub fn edit(self) -> EditDraftOrder {
        EditDraftOrder {
            lines: Some(self.lines),
            customer: set(self.customer),
            email: set(self.email),
            shipping_address: set(self.shipping_address),
            billing_address: set(self.billing_address),
            locale: set(self.locale),
            note: set(self.note),
            attributes: Change::Set(self.attributes),
            tags: Some(self.tags),
            discount: set(self.discount),
            shipping: set(self.shipping),
            valid_until: set(self.valid_until),
            reserve_until: set(self.reserve_until),
        }
    }
}

impl EditDraftOrder {
    /// The tags, each once.
    ///
    /// # Errors
    /// Too many.
    pub fn tags(&self) -> Result<Option<Vec<String>>, FieldError> {
        let Some(wished) = &self.tags else { return Ok(None) };
        if wished.len() > MOST_TAGS {
            return Err(FieldError::new("/tags", "too_many", "must be at most 50"));
        }
        let mut tags: Vec<String> = Vec::with_capacity(wished.len());
        for tag in wished {
            if tags.iter().all(|known| known.to_lowercase() != tag.as_str().to_lowercase()) {
                tags.push(tag.as_str().to_owned());
            }
        }
        Ok(Some(tags))
    }
}

/// What is wrong about times that were just set.
pub fn faults_of_times(edit: &EditDraftOrder, now: DateTime<Utc>) -> Vec<FieldError> {
    let times = [
        ("/valid_until", &edit.valid_until, MOST_DAYS_VALID, "must be within ten years"),
        ("/reserve_until", &edit.reserve_until, MOST_DAYS_KEPT, "must be within 180 days"),
    ];
    let fault =
        |(pointer, time, days, too_far): (&'static str, &Change<DateTime<Utc>>, i64, &'static str)| {
            let Change::Set(at) = time else { return None };
            let message = if *at <= now {
                "must be in the future"
            } else if *at > now + TimeDelta::days(days) {
                too_far
            } else {
                return None;
            };
            Some(FieldError::new(pointer, "out_of_range", message))
        };
    times.into_iter().filter_map(fault).collect()
}

/// The lines as they are agreed from now on.
///
/// # Errors
/// Every fault, with its place in the request.
pub fn agree(
    wishes: &[DraftLineWish],
    sold: &[Sellable],
    currency: Currency,
) -> Result<Vec<AgreedLine>, Vec<FieldError>> {
    if wishes.len() > MOST_LINES {
        return Err(vec![FieldError::new("/lines", "too_many", "must be at most 500 lines")]);
    }
    let (mut lines, mut faults) = (Vec::with_capacity(wishes.len()), Vec::new());
    for (place, wish) in wishes.iter().enumerate() {
        match wish.agree(&format!("/lines/{place}"), sold, currency) {
            Ok(line) => lines.push(line),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(lines) } else { Err(faults) }
}

impl DraftLineWish {
    fn agree(&self, at: &str, sold: &[Sellable], currency: Currency) -> Result<AgreedLine, FieldError> {
        let quantity = self.quantity;
        if quantity.get() > MOST_PIECES {
            return Err(FieldError::new(format!("{at}/quantity"), "out_of_range", "must be 1 to 9999"));
        }
        if self.price.is_some_and(|price| price.is_negative() || price.currency() != currency) {
            let message = format!("must be zero or more, in {currency}");
            return Err(FieldError::new(format!("{at}/price"), "out_of_range", message));
        }
        let (ware, unit_price) = match (self.variant, &self.title) {
            (Some(variant), None) => {
                (AgreedWare::Variant(variant), self.price_of(variant, at, sold, currency)?)
            }
            (None, Some(title)) => {
                let price = self.price.ok_or_else(|| {
                    FieldError::new(format!("{at}/price"), "required", "must be given for a line of your own")
                })?;
                let ware = AgreedWare::Free {
                    title: title.as_str().to_owned(),
                    sku: self.sku.as_ref().map(|sku| sku.as_str().to_owned()),
                    taxable: self.taxable.unwrap_or(true),
                    requires_shipping: self.requires_shipping.unwrap_or(true),
                };
                (ware, price)
            }
            (Some(_), Some(_)) | (None, None) => {
                return Err(FieldError::new(at.to_owned(), "invalid", "give either variant or title"));
            }
        };
        let agreed = |discount: &DiscountWish| discount.agree(&format!("{at}/discount"), currency);
        let discount = self.discount.as_ref().map(agreed).transpose()?;
        Ok(AgreedLine { id: CartLineId::new(), ware, quantity, unit_price, discount })
    }

    /// What a piece of a variant costs: as staff says, else as a shopper who buys so many pays today.
    fn price_of(
        &self,
        variant: VariantId,
        at: &str,
        sold: &[Sellable],
        currency: Currency,
    ) -> Result<Money, FieldError> {
        let own = [
            ("sku", self.sku.is_some()),
            ("taxable", self.taxable.is_some()),
            ("requires_shipping", self.requires_shipping.is_some()),
        ];
        if let Some((field, _)) = own.iter().find(|(_, given)| *given) {
            let message = "must be left out: the variant says it";
            return Err(FieldError::new(format!("{at}/{field}"), "not_allowed", message));
        }
        let found = sold.iter().find(|sold| sold.variant == variant).ok_or_else(|| {
            let message = format!("must be a variant of this store with a price in {currency}");
            FieldError::new(format!("{at}/variant"), "unknown", message)
        })?;
        if let Some(price) = self.price {
            return Ok(price);
        }
        let price = catalog::price_of(found.unit_price, &found.offers, self.quantity);
        price.map(|(price, _)| price).map_err(|_| {
            FieldError::new(
                format!("{at}/quantity"),
                "out_of_range",
                "must be fewer: the price cannot be counted",
            )
        })
    }
}

impl DiscountWish {
    /// The discount by hand.
    ///
    /// # Errors
    /// What is wrong about it.
    pub fn agree(&self, at: &str, currency: Currency) -> Result<AgreedDiscount, FieldError> {
        let off = match (self.rate_ppm, self.amount) {
            (Some(rate), None) if (1..=Ppm::WHOLE.get()).contains(&rate.get()) => Off::Rate(rate),
            (Some(_), None) => {
                return Err(FieldError::new(
                    format!("{at}/rate_ppm"),
                    "out_of_range",
                    "must be 1 to 1000000",
                ));
            }
            (None, Some(amount)) if amount.is_positive() && amount.currency() == currency => {
                Off::Amount(amount)
            }
            (None, Some(_)) => {
                let message = format!("must be above zero, in {currency}");
                return Err(FieldError::new(format!("{at}/amount"), "out_of_range", message));
            }
            (Some(_), Some(_)) | (None, None) => {
                return Err(FieldError::new(at.to_owned(), "invalid", "give either rate_ppm or amount"));
            }
        };
        let title = self.title.as_ref().map_or("Discount", |title| title.as_str()).to_owned();
        Ok(AgreedDiscount { id: DiscountId::new(), title, off })
    }
}

/// How it is delivered.
#[derive(Debug)]
pub enum Delivered {
    Rate(ShippingRateId),
    ByHand(AgreedDelivery),
}

/// What a wish about delivery comes to.
///
/// # Errors
/// What is wrong about it.
pub fn delivered(wish: ShippingWish, currency: Currency) -> Result<Delivered, FieldError> {
    match (wish.rate, wish.title, wish.price) {
        (Some(rate), None, None) => Ok(Delivered::Rate(rate)),
        (None, Some(title), Some(price)) if !price.is_negative() && price.currency() == currency => {
            let title = title.into_string();
            Ok(Delivered::ByHand(AgreedDelivery { id: ShippingRateId::new(), title, price }))
        }
        (None, Some(_), Some(_)) => {
            let message = format!("must be zero or more, in {currency}");
            Err(FieldError::new("/shipping/price", "out_of_range", message))
        }
        _ => Err(FieldError::new("/shipping", "invalid", "give either rate, or title and price")),
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    fn eur(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    fn own(title: &str, price: Option<Money>) -> DraftLineWish {
        DraftLineWish {
            variant: None,
            title: Text::parse(title).ok(),
            sku: None,
            price,
            taxable: None,
            requires_shipping: None,
            quantity: Quantity::ONE,
            discount: None,
        }
    }

    fn pointer(wish: DraftLineWish) -> String {
        let faults = agree(&[own("Fine", Some(eur(1))), wish], &[], eur(0).currency()).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].pointer.to_string()
    }

    #[test]
    fn a_line_of_ones_own_needs_a_title_and_a_price() {
        let lines = agree(&[own("Engraving", Some(eur(500)))], &[], eur(0).currency()).unwrap();
        assert_eq!(lines[0].unit_price, eur(500));
        assert!(matches!(&lines[0].ware, AgreedWare::Free { taxable: true, requires_shipping: true, .. }));
        assert_eq!(pointer(own("Engraving", None)), "/lines/1/price");
        assert_eq!(pointer(own("Engraving", Some(eur(-1)))), "/lines/1/price");
        assert_eq!(pointer(own("Engraving", Some(Money::new(1, "CHF".parse().unwrap())))), "/lines/1/price");
        assert_eq!(pointer(own("", Some(eur(1)))), "/lines/1");
        let variant = Some(VariantId::new());
        assert_eq!(pointer(DraftLineWish { variant, ..own("Both", Some(eur(1))) }), "/lines/1");
        assert_eq!(pointer(DraftLineWish { variant, ..own("", None) }), "/lines/1/variant");
        assert_eq!(
            pointer(DraftLineWish { variant, taxable: Some(false), ..own("", None) }),
            "/lines/1/taxable"
        );
        let many = Quantity::new(10_000).unwrap();
        assert_eq!(
            pointer(DraftLineWish { quantity: many, ..own("Nails", Some(eur(1))) }),
            "/lines/1/quantity"
        );
    }

    #[test]
    fn a_discount_is_a_share_or_an_amount() {
        let agree = |rate: Option<u32>, amount: Option<Money>| {
            let rate_ppm = rate.map(|rate| Ppm::new(rate).unwrap());
            let wish = DiscountWish { title: None, rate_ppm, amount };
            wish.agree("/discount", eur(0).currency()).map_err(|fault| fault.pointer.to_string())
        };
        assert_eq!(agree(Some(1), None).unwrap().title, "Discount");
        assert_eq!(agree(None, Some(eur(1))).unwrap().off, Off::Amount(eur(1)));
        for (rate, amount, at) in [
            (Some(0), None, "/discount/rate_ppm"),
            (Some(1_000_001), None, "/discount/rate_ppm"),
            (None, Some(eur(0)), "/discount/amount"),
            (None, None, "/discount"),
            (Some(1), Some(eur(1)), "/discount"),
        ] {
            assert_eq!(agree(rate, amount), Err(at.to_owned()));
        }
    }
}
