//! What a file says of a product beside its own columns: metafields, what bundles are made of, where it is sold. Pure.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use souk_api::FieldError;
use souk_kernel::{Quantity, Text, VariantId};

use super::bundle::{ComponentView, MOST as MOST_PARTS, NewComponent};
use super::metafields::{
    CUSTOM, DefinitionView, Fitting, MOST as MOST_DEFINITIONS, MetafieldOwner, MetafieldView, SetMetafield,
    fitted,
};
use super::view::{ProductView, VariantView};
use super::wish::{ProductWish, PutBy, VariantWish};

/// One of the things that a bundle is made of, named by its SKU or by itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartWish {
    pub sku: Option<Text<64>>,
    pub variant: Option<VariantId>,
    pub quantity: Quantity,
}

impl PartWish {
    fn is(&self, now: &ComponentView) -> bool {
        let sku = self.sku.as_ref();
        self.quantity.get() == now.quantity
            && self.variant.is_none_or(|variant| variant == now.variant)
            && sku.is_none_or(|sku| now.sku.as_deref() == Some(sku.as_str()))
    }

    /// By the variant itself; `known`: SKUs and whose they are.
    pub fn named(&self, known: &[(String, VariantId)]) -> Option<NewComponent> {
        let owner = |sku: &Text<64>| known.iter().find(|(known, _)| known == sku.as_str());
        let by_sku = || self.sku.as_ref().and_then(owner).map(|(_, variant)| *variant);
        let variant = self.variant.or_else(by_sku)?;
        Some(NewComponent { variant, quantity: self.quantity })
    }
}

/// Whether a product is sold on a channel, and when that changes. Times that are over count as over. The sales channels carry it out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicationWish {
    /// The channel's name; the default one when left out.
    pub channel: Option<String>,
    /// Whether it is there now; true when left out, unless a time to come is given.
    pub published: Option<bool>,
    pub publish_at: Option<DateTime<Utc>>,
    pub unpublish_at: Option<DateTime<Utc>>,
}

/// What metafields there may be.
#[derive(Debug, Default)]
pub struct Definitions {
    product: Vec<DefinitionView>,
    variant: Vec<DefinitionView>,
}

impl From<Vec<DefinitionView>> for Definitions {
    fn from(all: Vec<DefinitionView>) -> Self {
        let of = |owner: MetafieldOwner| -> Vec<DefinitionView> {
            all.iter().filter(|one| one.owner == owner).cloned().collect()
        };
        Self { product: of(MetafieldOwner::Product), variant: of(MetafieldOwner::Variant) }
    }
}

/// A variant that shall be made of other things than it is.
#[derive(Debug)]
pub struct Bundle {
    /// Where in the file it says so.
    pub place: String,
    pub variant: VariantView,
    pub parts: Vec<PartWish>,
}

/// What differs of it.
#[derive(Debug, Default)]
pub struct Belongings {
    pub product: Vec<Fitting>,
    pub variants: Vec<(VariantId, Vec<Fitting>)>,
    pub bundles: Vec<Bundle>,
}

impl Belongings {
    /// Whether all of it is so already.
    pub fn is_empty(&self) -> bool {
        self.product.is_empty() && self.variants.is_empty() && self.bundles.is_empty()
    }
}

impl VariantWish {
    fn has_belongings(&self) -> bool {
        self.components.is_some() || !self.metafields.is_empty()
    }
}

impl ProductWish {
    /// Whether it says anything of metafields or of bundles.
    pub fn has_belongings(&self) -> bool {
        !self.metafields.is_empty() || self.variants.iter().any(VariantWish::has_belongings)
    }

    /// Whether it says anything of metafields.
    pub fn is_about_metafields(&self) -> bool {
        !self.metafields.is_empty() || self.variants.iter().any(|variant| !variant.metafields.is_empty())
    }

    /// Whether it makes a variant of others.
    pub fn is_about_bundles(&self) -> bool {
        self.variants.iter().any(|variant| variant.components.as_ref().is_some_and(|parts| !parts.is_empty()))
    }

    /// What differs from the product as it is. Of a variant that is not there, only whether it may be so.
    ///
    /// # Errors
    /// Everything that is wrong with it, at its place.
    pub fn belongings(
        &self,
        now: &ProductView,
        by: PutBy,
        definitions: &Definitions,
    ) -> Result<Belongings, Vec<FieldError>> {
        let (mut found, mut faults) = (Belongings::default(), Vec::new());
        match differing(&self.metafields, &now.metafields, &definitions.product) {
            Ok(values) => found.product = values,
            Err(refused) => faults.extend(refused),
        }
        for (number, wish) in self.variants.iter().enumerate().filter(|(_, wish)| wish.has_belongings()) {
            let place = format!("/variants/{number}");
            let variant = match wish.find(now, by) {
                Ok(variant) => variant,
                Err((part, code, message)) => {
                    faults.push(FieldError::new(format!("{place}{part}"), code, message));
                    continue;
                }
            };
            let said = variant.map(|variant| variant.metafields.as_slice()).unwrap_or_default();
            match (differing(&wish.metafields, said, &definitions.variant), variant) {
                (Ok(values), Some(variant)) if !values.is_empty() => {
                    found.variants.push((variant.id, values))
                }
                (Ok(_), _) => {}
                (Err(refused), _) => faults.extend(refused.into_iter().map(|fault| fault.below(&place))),
            }
            let Some(parts) = &wish.components else { continue };
            faults.extend(complaints_of(parts).into_iter().map(|fault| fault.below(&place)));
            let same = |now: &VariantView| {
                now.components.len() == parts.len()
                    && parts.iter().zip(&now.components).all(|(part, now)| part.is(now))
            };
            if let Some(variant) = variant.filter(|variant| !same(variant)) {
                found.bundles.push(Bundle { place, variant: variant.clone(), parts: parts.clone() });
            }
        }
        if faults.is_empty() { Ok(found) } else { Err(faults) }
    }
}

/// What is wrong with parts whatever there is.
fn complaints_of(parts: &[PartWish]) -> Vec<FieldError> {
    if parts.len() > MOST_PARTS {
        return vec![FieldError::new("/components", "too_many", "must be at most 30")];
    }
    let unnamed = |(_, part): &(usize, &PartWish)| part.sku.is_some() == part.variant.is_some();
    let complaint = |(number, _): (usize, &PartWish)| {
        let message = "must name a variant, by its SKU or by its id";
        FieldError::new(format!("/components/{number}"), "required", message)
    };
    parts.iter().enumerate().filter(unnamed).map(complaint).collect()
}

fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// The values that are others than those there are. An empty text is as good as none to who takes it away.
fn differing(
    wishes: &[SetMetafield],
    now: &[MetafieldView],
    definitions: &[DefinitionView],
) -> Result<Vec<Fitting>, Vec<FieldError>> {
    let is_so = |wish: &SetMetafield| {
        let namespace = wish.namespace.as_deref().unwrap_or(CUSTOM);
        match now.iter().find(|known| known.namespace == namespace && known.key == wish.key) {
            Some(known) => known.value == wish.value || (wish.value.is_null() && is_blank(&known.value)),
            None => wish.value.is_null(),
        }
    };
    let fitting = fitted(wishes, definitions, MOST_DEFINITIONS)?;
    let differs = |(fitting, wish): (Fitting, &SetMetafield)| (!is_so(wish)).then_some(fitting);
    Ok(fitting.into_iter().zip(wishes).filter_map(differs).collect())
}
