//! What a discount does.

use serde::{Deserialize, Serialize};
use souk_kernel::{CollectionId, Country, Money, Ppm, ProductId, Quantity, VariantId};
use utoipa::ToSchema;

/// How one comes by a discount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Whoever enters a code.
    Code,
    /// Every cart it fits.
    Automatic,
}

impl Method {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Automatic => "automatic",
        }
    }
}

/// What a discount takes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Lines of certain goods.
    Product,
    /// The sum of all goods.
    Order,
    /// Delivery.
    Shipping,
}

impl Class {
    const ALL: [Self; 3] = [Self::Product, Self::Order, Self::Shipping];

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Order => "order",
            Self::Shipping => "shipping",
        }
    }

    /// Reads what [`Class::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }
}

/// A code as somebody typed it: 1 to 64 letters, digits, `-`, `_` and `.`; capitals make no difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(String);

/// The text was not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 64 letters, digits, hyphens, underscores and points")]
pub struct CodeError;

impl Code {
    /// The longest code.
    pub const MAX: usize = 64;

    /// Trim and check.
    ///
    /// # Errors
    /// See [`CodeError`].
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let text = text.trim();
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if (1..=Self::MAX).contains(&text.len()) && text.bytes().all(letter) {
            Ok(Self(text.to_owned()))
        } else {
            Err(CodeError)
        }
    }

    /// As typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As compared.
    pub fn key(&self) -> String {
        self.0.to_ascii_uppercase()
    }
}

impl TryFrom<String> for Code {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        Self::parse(&text)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

/// Certain goods: whatever any of the lists names. At most 500 in each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    #[serde(default)]
    pub products: Vec<ProductId>,
    #[serde(default)]
    pub collections: Vec<CollectionId>,
    #[serde(default)]
    pub variants: Vec<VariantId>,
}

impl Selection {
    /// The longest list.
    pub const MOST: usize = 500;

    /// Whether this is one of them.
    pub fn names(&self, product: ProductId, variant: VariantId, collections: &[CollectionId]) -> bool {
        self.variants.contains(&variant)
            || self.products.contains(&product)
            || self.collections.iter().any(|named| collections.contains(named))
    }

    /// What is wrong with it.
    pub fn fault(&self) -> Option<&'static str> {
        let lists = [self.products.len(), self.collections.len(), self.variants.len()];
        if lists.iter().all(|length| *length == 0) {
            Some("must name a product, a collection or a variant")
        } else if lists.iter().any(|length| *length > Self::MOST) {
            Some("must name at most 500 of each")
        } else {
            None
        }
    }
}

/// So many pieces of certain goods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    #[schema(value_type = u32, minimum = 1, example = 2)]
    pub quantity: Quantity,
    /// Anything, when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Selection>,
}

/// What a discount does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Terms {
    /// A share of the price.
    Percentage {
        /// 1 to 1000000 (everything); 150000 is 15 %.
        #[schema(example = 150_000)]
        rate_ppm: Ppm,
        /// Which goods; the whole order when it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<Selection>,
    },
    /// An amount.
    FixedAmount {
        amount: Money,
        /// Which goods; the whole order when it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<Selection>,
        /// Off each piece of `on`, instead of once.
        #[serde(default)]
        each: bool,
    },
    /// Who buys some gets others for less. The dearest pieces count as bought, the cheapest are given.
    BuyXGetY {
        buy: Part,
        get: Part,
        /// What is taken off the pieces one gets; everything when it is left out.
        #[serde(default = "everything")]
        #[schema(default = 1_000_000, example = 1_000_000)]
        rate_ppm: Ppm,
        /// How often in one order; as often as it fits when it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(minimum = 1, example = 1)]
        most_per_order: Option<u32>,
    },
    /// Delivery costs nothing.
    FreeShipping {
        /// To these countries; everywhere when it is empty.
        #[serde(default)]
        countries: Vec<Country>,
        /// Not for deliveries that cost more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        up_to: Option<Money>,
    },
}

const fn everything() -> Ppm {
    Ppm::WHOLE
}

impl Terms {
    /// What it takes from.
    pub const fn class(&self) -> Class {
        match self {
            Self::Percentage { on: None, .. } | Self::FixedAmount { on: None, .. } => Class::Order,
            Self::Percentage { .. } | Self::FixedAmount { .. } | Self::BuyXGetY { .. } => Class::Product,
            Self::FreeShipping { .. } => Class::Shipping,
        }
    }

    /// As stored.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Percentage { .. } => "percentage",
            Self::FixedAmount { .. } => "fixed_amount",
            Self::BuyXGetY { .. } => "buy_x_get_y",
            Self::FreeShipping { .. } => "free_shipping",
        }
    }

    /// The goods it names.
    pub fn selections(&self) -> Vec<&Selection> {
        match self {
            Self::Percentage { on, .. } | Self::FixedAmount { on, .. } => on.iter().collect(),
            Self::BuyXGetY { buy, get, .. } => buy.of.iter().chain(&get.of).collect(),
            Self::FreeShipping { .. } => Vec::new(),
        }
    }

    /// The goods whose price and pieces a minimum counts: what it is for, and what must be bought.
    pub const fn counted(&self) -> Option<&Selection> {
        match self {
            Self::Percentage { on, .. } | Self::FixedAmount { on, .. } => on.as_ref(),
            Self::BuyXGetY { buy, .. } => buy.of.as_ref(),
            Self::FreeShipping { .. } => None,
        }
    }

    /// The amount it speaks of, if it does.
    pub const fn amount(&self) -> Option<Money> {
        match self {
            Self::FixedAmount { amount, .. } => Some(*amount),
            Self::FreeShipping { up_to, .. } => *up_to,
            Self::Percentage { .. } | Self::BuyXGetY { .. } => None,
        }
    }
}

/// What a cart must have first, of what the discount is for, at prices before any discount. Both, if both are given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Minimum {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, example = 3)]
    pub quantity: Option<u32>,
}
