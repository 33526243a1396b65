//! What discounts tell the rest of the house.

use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::DiscountId;
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
            pub struct $name {
                /// Which discount.
                pub discount: DiscountId,
            }

            impl Fact for $name {
                const KIND: &'static str = $kind;
                const VERSION: u16 = 1;
                const AGGREGATE: &'static str = "discount";
                fn aggregate_id(&self) -> Uuid {
                    self.discount.uuid()
                }
            }
        )+
    };
}

facts! {
    /// There is a new discount.
    DiscountCreated = "discount.created";
    /// A discount's terms, codes or limits changed, or it was paused or resumed.
    DiscountUpdated = "discount.updated";
    /// A discount is gone. Orders keep their copy.
    DiscountDeleted = "discount.deleted";
}
