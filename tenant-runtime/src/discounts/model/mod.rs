//! Discounts as values. Pure.

mod pieces;
mod reckoning;
mod request;
mod terms;
mod view;

pub use reckoning::{Applied, Delivery, Goods, Purchase, Reckoning, reckon};
pub use request::PutDiscount;
pub use terms::{Class, Code, Method, Minimum, Terms};
pub use view::{CodeView, DiscountFilter, DiscountStatus, DiscountView};

use chrono::{DateTime, Utc};
use souk_kernel::{DiscountId, Money};

/// A discount as a cart meets it.
#[derive(Clone, Debug)]
pub struct Discount {
    pub id: DiscountId,
    pub title: String,
    pub terms: Terms,
    pub minimum: Minimum,
    /// The classes it may be combined with.
    pub combines: Vec<Class>,
    /// The code it was entered by; none for an automatic one.
    pub code: Option<String>,
    pub usage_limit: Option<i64>,
    pub used: i64,
    pub per_customer_limit: Option<i64>,
    /// By the address of this cart; 0 without one.
    pub used_by_customer: i64,
    /// Whether it is for whoever buys.
    pub audience: Audience,
    pub paused: bool,
    pub starts_at: DateTime<Utc>,
    pub ends_at: Option<DateTime<Utc>>,
}

/// Whether a discount is for whoever buys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// It is for everybody, or for a group that they are in.
    Admitted,
    /// It is only for certain groups, and nobody is signed in.
    Unknown,
    /// It is only for groups that they are not in.
    Others,
}

impl Audience {
    /// As the statement says it.
    pub fn stored(text: &str) -> Self {
        match text {
            "admitted" => Self::Admitted,
            "unknown" => Self::Unknown,
            _ => Self::Others,
        }
    }
}

/// Why a discount does not apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No discount has this code.
    Unknown,
    Paused,
    NotStarted(DateTime<Utc>),
    Ended,
    /// It is only for certain customers, and who buys is not signed in.
    SignInFirst,
    /// It is only for other customers.
    OtherCustomers,
    /// All uses are taken.
    UsedUp,
    /// This customer has had theirs.
    UsedByCustomer,
    /// It is an amount in another currency than the cart's.
    OtherCurrency,
    /// Nothing in the cart is what it is for.
    NothingEligible,
    /// This much more of what it is for.
    MinimumAmount(Money),
    /// So many pieces more of what it is for.
    MinimumQuantity(u32),
    /// There is nothing to deliver, or no delivery chosen yet.
    NoDelivery,
    /// It is for deliveries elsewhere, or for cheaper ones.
    OtherDelivery,
    /// Another discount, which takes off more, does not go with it.
    NotCombinable(String),
    /// Others have taken off all there was for it.
    NothingLeft,
}

impl Refusal {
    /// As on the wire.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_code",
            Self::Paused => "paused",
            Self::NotStarted(_) => "not_started",
            Self::Ended => "ended",
            Self::SignInFirst => "sign_in_first",
            Self::OtherCustomers => "other_customers",
            Self::UsedUp => "used_up",
            Self::UsedByCustomer => "used_by_customer",
            Self::OtherCurrency => "other_currency",
            Self::NothingEligible => "nothing_eligible",
            Self::MinimumAmount(_) => "minimum_amount",
            Self::MinimumQuantity(_) => "minimum_quantity",
            Self::NoDelivery => "no_delivery",
            Self::OtherDelivery => "other_delivery",
            Self::NotCombinable(_) => "not_combinable",
            Self::NothingLeft => "nothing_left",
        }
    }

    /// For people.
    pub fn message(&self) -> String {
        match self {
            Self::Unknown => "There is no such code.".to_owned(),
            Self::Paused | Self::Ended => "This code is not valid any more.".to_owned(),
            Self::NotStarted(at) => format!("This code is valid from {}.", at.format("%Y-%m-%d %H:%M UTC")),
            Self::SignInFirst => "This offer is for certain customers: sign in first.".to_owned(),
            Self::OtherCustomers => "This offer is for other customers.".to_owned(),
            Self::UsedUp => "This code has been used as often as it may be.".to_owned(),
            Self::UsedByCustomer => "You have used this code already.".to_owned(),
            Self::OtherCurrency => "This code is for another currency.".to_owned(),
            Self::NothingEligible => "Nothing in the cart is part of this offer.".to_owned(),
            Self::MinimumAmount(missing) => format!("{missing} are missing for this offer."),
            Self::MinimumQuantity(missing) => format!("{missing} more pieces are needed for this offer."),
            Self::NoDelivery => "It applies once a delivery is chosen.".to_owned(),
            Self::OtherDelivery => "It is not for this delivery.".to_owned(),
            Self::NotCombinable(other) => format!("It cannot be combined with \u{201c}{other}\u{201d}."),
            Self::NothingLeft => "Other discounts have taken off all it is for.".to_owned(),
        }
    }

    /// Whether no change of the cart can help, so that a code need not be kept.
    pub const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Unknown
                | Self::Paused
                | Self::NotStarted(_)
                | Self::Ended
                | Self::OtherCustomers
                | Self::UsedUp
                | Self::OtherCurrency
        )
    }
}

impl Discount {
    /// Whether it may be used at all now, whatever is in the cart.
    ///
    /// # Errors
    /// Why not.
    pub fn stands(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        if self.paused {
            Err(Refusal::Paused)
        } else if self.starts_at > now {
            Err(Refusal::NotStarted(self.starts_at))
        } else if self.ends_at.is_some_and(|end| end <= now) {
            Err(Refusal::Ended)
        } else if self.audience == Audience::Unknown {
            Err(Refusal::SignInFirst)
        } else if self.audience == Audience::Others {
            Err(Refusal::OtherCustomers)
        } else if self.usage_limit.is_some_and(|limit| self.used >= limit) {
            Err(Refusal::UsedUp)
        } else if self.per_customer_limit.is_some_and(|limit| self.used_by_customer >= limit) {
            Err(Refusal::UsedByCustomer)
        } else {
            Ok(())
        }
    }

    /// Whether both may be had together.
    pub fn goes_with(&self, other: &Self) -> bool {
        self.combines.contains(&other.terms.class()) && other.combines.contains(&self.terms.class())
    }
}

/// Whether any of them asks which collections a product is in.
pub fn names_collections(discounts: &[Discount]) -> bool {
    let selections = discounts.iter().flat_map(|discount| discount.terms.selections());
    selections.into_iter().any(|selection| !selection.collections.is_empty())
}
