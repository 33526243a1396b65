//! What draft orders tell the rest of the house. Neither the buyer's address nor the link is in any event. Forms only grow.

use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::{DraftOrderId, OrderId};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident = $kind:literal { $($(#[$about:meta])* $field:ident: $type:ty,)* })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
            pub struct $name {
                pub draft_order_id: DraftOrderId,
                /// As people say it: `#D12`.
                pub name: String,
                $($(#[$about])* pub $field: $type,)*
            }

            impl Fact for $name {
                const KIND: &'static str = $kind;
                const VERSION: u16 = 1;
                const AGGREGATE: &'static str = "draft_order";
                fn aggregate_id(&self) -> Uuid {
                    self.draft_order_id.uuid()
                }
            }
        )+
    };
}

facts! {
    /// Staff began to put an order together for somebody.
    DraftOrderCreated = "draft_order.created" {}
    /// Staff changed a draft order.
    DraftOrderUpdated = "draft_order.updated" {}
    /// The mail with the link to pay a draft order is due.
    DraftOrderInvoiceSent = "draft_order.invoice_sent" {}
    /// A draft order is an order: its buyer paid or promised to, or staff said so.
    DraftOrderCompleted = "draft_order.completed" {
        /// The order it became.
        order_id: OrderId,
    }
    /// Staff took a draft order back; its links open nothing to pay any more.
    DraftOrderCancelled = "draft_order.cancelled" {}
    /// Nobody paid a draft order in time.
    DraftOrderExpired = "draft_order.expired" {}
}
