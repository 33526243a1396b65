//! Goods that are delivered in a way of their own.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{ShippingProfileId, Text};
use utoipa::ToSchema;

/// A shipping profile: products are of it by their `shipping_profile`, and zones of its own deliver them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShippingProfileView {
    pub id: ShippingProfileId,
    #[schema(example = "Bulky goods")]
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A shipping profile as it shall be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Bulky goods"}))]
pub struct ShippingProfileWish {
    /// Unique in the store.
    pub name: Text<60>,
}
