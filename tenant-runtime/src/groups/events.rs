//! What groups tell the rest of the house.

use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::CustomerGroupId;
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
            pub struct $name {
                /// Which group.
                pub customer_group: CustomerGroupId,
            }

            impl Fact for $name {
                const KIND: &'static str = $kind;
                const VERSION: u16 = 1;
                const AGGREGATE: &'static str = "customer_group";
                fn aggregate_id(&self) -> Uuid {
                    self.customer_group.uuid()
                }
            }
        )+
    };
}

facts! {
    /// There is a new group of customers.
    CustomerGroupCreated = "customer_group.created";
    /// A group has another name, handle or note, or other members.
    CustomerGroupUpdated = "customer_group.updated";
    /// A group is gone. Orders stay as they are.
    CustomerGroupDeleted = "customer_group.deleted";
}
