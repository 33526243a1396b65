//! Draft orders as wishes and as they are shown. Pure.

mod request;
mod view;

use chrono::{DateTime, Utc};
use souk_access::LinkSecret;
use souk_kernel::{CartId, DraftOrderId};
use url::Url;

pub use request::{
    CreateDraftOrder, Delivered, EditDraftOrder, SendInvoice, agree, delivered, faults_of_times,
};
pub use view::{DraftOrderSummary, DraftOrderView, PaymentLinkView, ShopperDraftOrderView};

use super::queries::DraftRow;
use super::state::DraftOrderState;
use crate::cart::{Cart, CartState, Quote};

/// The cart that a draft order is.
pub const fn cart_of(id: DraftOrderId) -> CartId {
    CartId::from_uuid(id.uuid())
}

/// What people call a draft order.
pub fn name_of(number: i64) -> String {
    format!("#D{number}")
}

/// Where the buyer pays: a page of the storefront, below the origin of `pages`. The secret is in the fragment, which browsers send to nobody.
pub fn link(pages: &str, id: DraftOrderId, secret: &LinkSecret) -> String {
    let shop = Url::parse(pages).map_or_else(|_| pages.to_owned(), |url| url.origin().ascii_serialization());
    format!("{shop}/draft-orders/{id}#{}", secret.expose())
}

/// A draft order with its cart and what it costs now.
#[derive(Debug)]
pub struct Draft {
    pub row: DraftRow,
    pub cart: Cart,
    pub quote: Quote,
}

/// Where it stands: one whose time is over is expired before anybody has written so.
pub fn standing(stored: DraftOrderState, cart: &Cart) -> DraftOrderState {
    match (stored, cart.state) {
        (DraftOrderState::Open | DraftOrderState::InvoiceSent, CartState::Expired) => {
            DraftOrderState::Expired
        }
        (stored, _) => stored,
    }
}

/// Parts that are missing before it can be paid, by name.
pub fn missing(cart: &Cart, quote: &Quote) -> Vec<&'static str> {
    let mut missing = quote.missing(cart);
    if !quote.unavailable.is_empty() && !missing.contains(&"lines") {
        missing.push("lines");
    }
    missing
}

/// When the clock is to look at it.
pub fn ends_at(cart: &Cart) -> Option<DateTime<Utc>> {
    cart.terms.as_ref().and_then(|terms| terms.valid_until)
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn a_link_leads_to_the_shop_and_tells_its_server_nothing() {
        let (id, secret) = (DraftOrderId::new(), LinkSecret::mint().unwrap());
        let wanted = format!("https://shop.example/draft-orders/{id}#{}", secret.expose());
        assert_eq!(link("https://shop.example/de/account", id, &secret), wanted);
        assert_eq!(name_of(12), "#D12");
        assert_eq!(cart_of(id).uuid(), id.uuid());
    }
}
