//! What bundles are made of. Pure.

use serde::{Deserialize, Serialize};
use souk_api::FieldError;
use souk_kernel::{InventoryItemId, Quantity, VariantId};
use utoipa::ToSchema;
use uuid::Uuid;

/// Most things that one bundle is made of.
pub const MOST: usize = 30;
/// Most pieces of one of them.
const MOST_PIECES: u32 = 100;

/// One of the things that a bundle is made of. Kept in orders as JSON; forms only grow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    item_id: Uuid,
    variant_id: Uuid,
    quantity: u32,
    title: String,
    variant_title: String,
    sku: Option<String>,
}

/// What one piece of something takes from the stock: so many of each of its components, or of a plain thing one of itself.
pub fn made_of(item: InventoryItemId, components: &[Component]) -> Vec<(InventoryItemId, u32)> {
    if components.is_empty() {
        return vec![(item, 1)];
    }
    let part = |component: &Component| (InventoryItemId::from_uuid(component.item_id), component.quantity);
    components.iter().map(part).collect()
}

/// One of the things that a bundle is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ComponentView {
    pub variant: VariantId,
    #[schema(example = "Enamel mug")]
    pub title: String,
    #[schema(example = "Blue")]
    pub variant_title: String,
    pub sku: Option<String>,
    /// Pieces of it in one piece of the bundle.
    #[schema(example = 2)]
    pub quantity: u32,
}

impl From<Component> for ComponentView {
    fn from(component: Component) -> Self {
        Self {
            variant: VariantId::from_uuid(component.variant_id),
            title: component.title,
            variant_title: component.variant_title,
            sku: component.sku,
            quantity: component.quantity,
        }
    }
}

/// So many of a variant.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewComponent {
    pub variant: VariantId,
    /// 1 to 100.
    #[schema(value_type = u32, minimum = 1, maximum = 100, example = 2)]
    pub quantity: Quantity,
}

/// What a variant is made of, all of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"components": []}))]
pub struct SetComponents {
    /// At most 30, each variant once. None: it is no bundle, and sold from its own stock.
    #[schema(max_items = 30)]
    pub components: Vec<NewComponent>,
}

/// A variant that is to be part of a bundle, as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub variant: VariantId,
    pub item: InventoryItemId,
    /// Whether it is made of others itself.
    pub is_bundle: bool,
}

/// Whether a variant may be made of these; `is_part`: of it, another bundle is made.
///
/// # Errors
/// Every complaint by its place. Bundles of bundles are refused, and with them circles.
pub fn check_components(
    bundle: VariantId,
    is_part: bool,
    wishes: &[NewComponent],
    known: &[Candidate],
) -> Result<(), Vec<FieldError>> {
    let mut errors = Vec::new();
    if wishes.len() > MOST {
        errors.push(FieldError::new("/components", "too_many", "must be at most 30"));
    }
    if is_part && !wishes.is_empty() {
        let message =
            "must be empty: another bundle is made of this variant, and bundles are not made of bundles";
        errors.push(FieldError::new("/components", "circular", message));
    }
    for (place, wish) in wishes.iter().enumerate() {
        let at = |field: &str| format!("/components/{place}/{field}");
        let twice = wishes.iter().take(place).any(|earlier| earlier.variant == wish.variant);
        let found = known.iter().find(|known| known.variant == wish.variant);
        let wrong = match found {
            _ if wish.variant == bundle => Some(("circular", "must not be the bundle itself")),
            _ if twice => Some(("duplicate", "must be named once")),
            None => Some(("unknown", "must be a variant of this store")),
            Some(found) if found.is_bundle => Some(("circular", "must not be made of others itself")),
            Some(_) => None,
        };
        errors.extend(wrong.map(|(code, message)| FieldError::new(at("variant"), code, message)));
        if wish.quantity.get() > MOST_PIECES {
            errors.push(FieldError::new(at("quantity"), "out_of_range", "must be 1 to 100"));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(variant: VariantId, quantity: u32) -> NewComponent {
        NewComponent { variant, quantity: Quantity::new(quantity).unwrap() }
    }

    #[test]
    fn bundles_are_made_of_plain_things() {
        let [bundle, plain, nested, lost] = [(); 4].map(|()| VariantId::new());
        let known = [(plain, false), (nested, true), (bundle, false)].map(|(variant, is_bundle)| Candidate {
            variant,
            item: InventoryItemId::new(),
            is_bundle,
        });
        let says = |is_part, wishes: &[NewComponent]| {
            let errors = check_components(bundle, is_part, wishes, &known).err().unwrap_or_default();
            errors.iter().map(|error| format!("{} {}", error.pointer, error.code)).collect::<Vec<_>>()
        };
        assert_eq!(says(false, &[wish(plain, 100)]), [""; 0]);
        assert_eq!(says(true, &[]), [""; 0]);
        assert_eq!(says(false, &[wish(bundle, 1)]), ["/components/0/variant circular"]);
        assert_eq!(says(false, &[wish(nested, 1)]), ["/components/0/variant circular"]);
        assert_eq!(says(false, &[wish(lost, 1)]), ["/components/0/variant unknown"]);
        assert_eq!(says(true, &[wish(plain, 1)]), ["/components circular"]);
        assert_eq!(
            says(false, &[wish(plain, 1), wish(plain, 101)]),
            ["/components/1/variant duplicate", "/components/1/quantity out_of_range"]
        );
        assert_eq!(says(false, &[wish(plain, 1); 31])[0], "/components too_many");
    }

    #[test]
    fn a_piece_takes_its_components_or_itself() {
        let (own, other) = (InventoryItemId::new(), InventoryItemId::new());
        let component = Component {
            item_id: other.uuid(),
            variant_id: VariantId::new().uuid(),
            quantity: 3,
            title: "Mug".into(),
            variant_title: String::new(),
            sku: None,
        };
        assert_eq!(made_of(own, &[]), [(own, 1)]);
        assert_eq!(made_of(own, &[component]), [(other, 3)]);
    }
}
