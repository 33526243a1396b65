//! What brings a cart to its buyer.

use souk_tenancy::ReadTx;

use crate::cart::error::CartError;
use crate::cart::model::{Basket, Cart, Deliveries};
use crate::shipping::{self, ShippingOption};

/// What staff agreed, or else what delivers each group, and where all may be collected. At most one statement.
pub async fn deliveries(
    tx: &mut ReadTx<'_>,
    cart: &Cart,
    basket: &Basket,
    pickups: Vec<ShippingOption>,
) -> Result<Deliveries, CartError> {
    let mut groups = basket.groups();
    if let Some(by_hand) = cart.terms.as_ref().and_then(|terms| terms.delivery.as_ref()) {
        return Ok(Deliveries { groups, whole: vec![by_hand.option()], asks: Vec::new() });
    }
    let mut asks = Vec::new();
    if let Some(address) = &cart.shipping_address {
        let offers = shipping::options(tx, &basket.parcels(&groups, address)?).await?;
        for (group, offers) in groups.iter_mut().zip(offers) {
            group.options = offers.options;
            asks.extend(offers.asks);
        }
    }
    Ok(Deliveries { groups, whole: pickups, asks })
}
