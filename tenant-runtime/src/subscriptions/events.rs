//! What is stated about stock, carts and days, and the one thing that is listened to.

use chrono::NaiveDate;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use souk_event_bus::{Consumer, ConsumerError, Event, Fact};
use souk_kernel::{CartId, Money, ProductId, StoreId, SubscriptionId, VariantId};
use souk_tenancy::WriteTx;
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::SubscriptionError;
use super::queries;

/// `variant.low_on_stock`: something is about to sell out. At most once a day for each variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LowOnStock {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub title: String,
    pub variant_title: String,
    pub sku: Option<String>,
    /// What is left to sell, over all locations.
    pub available: i64,
    /// What the store calls low.
    pub threshold: i64,
}

impl Fact for LowOnStock {
    const KIND: &'static str = "variant.low_on_stock";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "variant";
    fn aggregate_id(&self) -> Uuid {
        self.variant_id.uuid()
    }
}

/// `variant.back_in_stock`: something that was sold out can be bought again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BackInStock {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub title: String,
    pub variant_title: String,
    pub sku: Option<String>,
    /// What there is to sell, over all locations.
    pub available: i64,
}

impl Fact for BackInStock {
    const KIND: &'static str = "variant.back_in_stock";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "variant";
    fn aggregate_id(&self) -> Uuid {
        self.variant_id.uuid()
    }
}

/// Which mail a subscription wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// The link that confirms it.
    Confirm,
    /// That what it waits for is there.
    BackInStock,
}

impl Wanted {
    /// The template's name.
    pub const fn template(self) -> &'static str {
        match self {
            Self::Confirm => "subscription_confirm",
            Self::BackInStock => "back_in_stock",
        }
    }
}

/// `subscription.letter_wanted`: a mail to somebody who wants to be told something is due. The address is in no event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SubscriptionLetterWanted {
    pub subscription_id: SubscriptionId,
    pub letter: Wanted,
}

impl Fact for SubscriptionLetterWanted {
    const KIND: &'static str = "subscription.letter_wanted";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "subscription";
    fn aggregate_id(&self) -> Uuid {
        self.subscription_id.uuid()
    }
}

/// Something in a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CartEventLine {
    pub title: String,
    pub variant_title: String,
    pub sku: Option<String>,
    pub quantity: i64,
}

/// `cart.abandoned`: a cart was left lying whose owner wants to be reminded. Once per cart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CartAbandoned {
    pub cart_id: CartId,
    pub lines: Vec<CartEventLine>,
}

impl Fact for CartAbandoned {
    const KIND: &'static str = "cart.abandoned";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "cart";
    fn aggregate_id(&self) -> Uuid {
        self.cart_id.uuid()
    }
}

/// What sold best on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BestSeller {
    pub title: String,
    pub variant_title: String,
    pub quantity: i64,
}

/// `store.day_told`: what a day sold, for the store's owners. Only of days that sold something or gave something back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DailyDigest {
    pub store_id: StoreId,
    /// In the store's time zone.
    #[schema(value_type = String, format = "date", example = "2026-11-23")]
    pub date: NaiveDate,
    /// Placed and not cancelled since.
    pub orders: i64,
    /// Their totals, one for each currency.
    pub sales: Vec<Money>,
    /// Given back on that day, one for each currency.
    pub refunds: Vec<Money>,
    pub best: Vec<BestSeller>,
    /// Paid orders that are still to be sent.
    pub waiting: i64,
}

impl Fact for DailyDigest {
    const KIND: &'static str = "store.day_told";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "store";
    fn aggregate_id(&self) -> Uuid {
        self.store_id.uuid()
    }
}

/// Wakes those who wait for something that is back.
pub struct Waiting;

impl Consumer for Waiting {
    fn name(&self) -> &'static str {
        "back_in_stock"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == BackInStock::KIND
    }

    fn hear<'a>(
        &'a self,
        tx: &'a mut WriteTx<'_>,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<(), ConsumerError>> {
        async move {
            let back: BackInStock = event.fact()?;
            queries::wake(tx, back.variant_id).await.map_err(ConsumerError::from)
        }
        .boxed()
    }
}

impl From<SubscriptionError> for ConsumerError {
    fn from(error: SubscriptionError) -> Self {
        match error {
            SubscriptionError::Db(error) => error.into(),
            SubscriptionError::Tenancy(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}
