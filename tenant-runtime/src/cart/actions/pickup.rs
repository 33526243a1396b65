//! Collecting what is bought where it lies.

use souk_kernel::{Money, ShippingRateId};
use souk_tenancy::ReadTx;

use crate::cart::error::CartError;
use crate::cart::model::{Basket, Cart};
use crate::inventory::{self, PickupPlace};
use crate::settings::Settings;
use crate::shipping::{DeliveryDates, Pickup, ShippingOption};
use crate::tax::Destination;

/// An option for each location where all of the basket can be collected; none for draft orders, and where nothing has to be handed over. One
/// statement if shoppers may collect anywhere, else none.
pub async fn pickups(
    tx: &mut ReadTx<'_>,
    cart: &Cart,
    basket: &Basket,
    settings: &Settings,
) -> Result<Vec<ShippingOption>, CartError> {
    if !settings.offers_pickup || !basket.shipping_required || cart.terms.is_some() {
        return Ok(Vec::new());
    }
    let places = inventory::pickups(tx, cart.id, &basket.demands()).await?;
    let option = |place: PickupPlace| ShippingOption {
        id: ShippingRateId::from_uuid(place.location.uuid()),
        title: place.name,
        price: Money::zero(cart.currency),
        min_days: None,
        max_days: None,
        dates: DeliveryDates::default(),
        pickup: Some(Pickup {
            location: place.location,
            country: place.country,
            instructions: place.instructions,
            opening_hours: place.opening_hours,
            ready_hours: place.ready_hours,
        }),
    };
    Ok(places.into_iter().map(option).collect())
}

/// Where the goods are taxed: what is collected, where it lies when it is handed over; all else, where it goes.
pub fn destination(cart: &Cart, settings: &Settings, pickups: &[ShippingOption]) -> Destination {
    let chosen = pickups.iter().find(|option| Some(&option.id) == cart.shipping_rates.first());
    match chosen.and_then(|option| option.pickup.as_ref()) {
        Some(pickup) => Destination { country: pickup.country, province: None, postal_code: None },
        None => cart.destination(settings.country),
    }
}
