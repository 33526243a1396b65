//! Goods that are delivered together, and what delivers them.

use souk_kernel::{CartLineId, Money, MoneyError, ShippingProfileId, ShippingRateId};

use super::{Basket, Good, MOST_GRAMS};
use crate::cart::model::{Address, Cart};
use crate::shipping::{Ask, DeliveryDates, Parcel, Pickup, ShippingOption};
use crate::tax::{self, TaxLine};

/// Goods that are delivered together: those of a shipping profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryGroup {
    /// None for the general one.
    pub profile: Option<ShippingProfileId>,
    pub lines: Vec<CartLineId>,
    /// Cheapest first; none without an address.
    pub options: Vec<ShippingOption>,
}

/// All that may bring a basket to its buyer.
#[derive(Debug, Default)]
pub struct Deliveries {
    pub groups: Vec<DeliveryGroup>,
    /// For all groups at once: what staff agreed, or else where they may be collected.
    pub whole: Vec<ShippingOption>,
    /// Whom to ask for all options; until then fallbacks stand there.
    pub asks: Vec<Ask>,
}

/// A delivery that was chosen.
#[derive(Clone, Debug)]
pub struct QuotedShipping {
    pub rate: ShippingRateId,
    pub title: String,
    /// What is taken off.
    pub discount: Money,
    /// What is to be paid for it.
    pub price: Money,
    pub dates: DeliveryDates,
    pub pickup: Option<Pickup>,
    /// Never empty.
    pub tax_lines: Vec<TaxLine>,
}

impl Deliveries {
    /// What each group is delivered by: the option chosen last that is still one of it, else its cheapest. One for all of them where staff agreed
    /// on it, or if they are to be collected. None if there is a group that nothing delivers.
    pub fn chosen(&self, cart: &Cart) -> Vec<&ShippingOption> {
        let last = cart.shipping_rates.first();
        if let Some(whole) =
            self.whole.iter().find(|option| option.pickup.is_none() || Some(&option.id) == last)
        {
            return vec![whole];
        }
        let options = self.groups.iter().map(|group| {
            let of = |rate: &ShippingRateId| group.options.iter().find(|option| option.id == *rate);
            cart.shipping_rates.iter().find_map(of).or_else(|| group.options.first())
        });
        options.collect::<Option<Vec<_>>>().unwrap_or_default()
    }

    /// Every option.
    pub fn options_mut(&mut self) -> impl Iterator<Item = &mut ShippingOption> {
        self.groups.iter_mut().flat_map(|group| &mut group.options).chain(&mut self.whole)
    }
}

impl QuotedShipping {
    /// Deliveries as one, if there are any; what several have on their own, it has not.
    pub fn whole(deliveries: &[Self]) -> Result<Option<Self>, MoneyError> {
        let [first, others @ ..] = deliveries else { return Ok(None) };
        let mut whole = first.clone();
        for other in others {
            whole.title = format!("{}, {}", whole.title, other.title);
            whole.discount = whole.discount.checked_add(other.discount)?;
            whole.price = whole.price.checked_add(other.price)?;
            whole.dates = DeliveryDates::default();
        }
        if !others.is_empty() {
            whole.tax_lines = tax::summed(deliveries.iter().flat_map(|delivery| &delivery.tax_lines))?;
        }
        Ok(Some(whole))
    }
}

impl Basket {
    /// What has to be delivered, by profile, in the order of the lines; nothing is offered yet.
    pub fn groups(&self) -> Vec<DeliveryGroup> {
        let mut groups: Vec<DeliveryGroup> = Vec::new();
        for good in self.goods.iter().filter(|good| good.ware.requires_shipping) {
            let profile = good.ware.shipping_profile;
            match groups.iter_mut().find(|group| group.profile == profile) {
                Some(group) => group.lines.push(good.id),
                None => groups.push(DeliveryGroup { profile, lines: vec![good.id], options: Vec::new() }),
            }
        }
        groups
    }

    /// What each group has to bring there. One alone counts all goods in its total, each of several its own.
    pub fn parcels(&self, groups: &[DeliveryGroup], to: &Address) -> Result<Vec<Parcel>, MoneyError> {
        let alone = groups.len() == 1;
        groups.iter().map(|group| self.parcel(group.profile, alone, to)).collect()
    }

    fn parcel(
        &self,
        profile: Option<ShippingProfileId>,
        alone: bool,
        to: &Address,
    ) -> Result<Parcel, MoneyError> {
        let sent = || {
            let goods = self.goods.iter().filter(|good| good.ware.requires_shipping);
            goods.filter(move |good| good.ware.shipping_profile == profile)
        };
        let pieces = |good: &Good| i64::from(good.quantity.get());
        let merchandise_total = if alone {
            self.subtotal
        } else {
            Money::sum(sent().map(|good| good.total), self.subtotal.currency())?
        };
        Ok(Parcel {
            profile,
            to: to.country,
            province: to.province.as_ref().map(|province| province.as_str().to_owned()),
            postal_code: to.postal_code.as_ref().map(|code| code.as_str().to_owned()).unwrap_or_default(),
            merchandise_total,
            weight_grams: sent()
                .fold(0_i64, |sum, good| {
                    sum.saturating_add(good.ware.weight_grams.saturating_mul(pieces(good)))
                })
                .min(MOST_GRAMS),
            pieces: sent().map(pieces).sum(),
        })
    }
}
