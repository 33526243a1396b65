//! What the catalogue tells the rest of the house.

use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::ProductId;
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
            pub struct $name {
                /// Which product.
                pub product: ProductId,
            }

            impl Fact for $name {
                const KIND: &'static str = $kind;
                const VERSION: u16 = 1;
                const AGGREGATE: &'static str = "product";
                fn aggregate_id(&self) -> Uuid {
                    self.product.uuid()
                }
            }
        )+
    };
}

facts! {
    /// There is a new product.
    ProductCreated = "product.created";
    /// A product, its variants, prices or pictures changed.
    ProductUpdated = "product.updated";
    /// A product is gone.
    ProductDeleted = "product.deleted";
}
