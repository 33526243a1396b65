//! The demo store's goods, as data.

use anyhow::Context;
use serde::Deserialize;

/// Everything the demo store sells.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The store.
    pub store: Store,
    /// Groups of products.
    pub collections: Vec<Collection>,
    /// The products.
    pub products: Vec<Product>,
}

/// The store itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Shown to shoppers.
    pub name: String,
    /// Its host.
    pub handle: String,
    /// ISO 3166-1.
    pub country: String,
    /// ISO 4217.
    pub currency: String,
}

/// A group of products.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// Its address.
    pub handle: String,
    /// Its name.
    pub title: String,
    /// What it is about.
    pub description: String,
}

/// A product.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Its address.
    pub handle: String,
    /// Its name.
    pub title: String,
    /// What a shopper wants to know.
    pub description: String,
    /// Who makes it.
    pub vendor: String,
    /// What kind of thing it is.
    pub product_type: String,
    /// For filters.
    pub tags: Vec<String>,
    /// Handles of its collections.
    pub collections: Vec<String>,
    /// What its pictures show.
    pub picture: Picture,
    /// What a shopper chooses; empty when there is nothing to choose.
    pub options: Vec<ProductOption>,
    /// What is sold; one value per option, in their order.
    pub variants: Vec<Variant>,
}

/// What to draw.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// The form, see `shapes`.
    pub shape: String,
    /// Main colours, `#rrggbb`, one picture each.
    pub colours: Vec<String>,
    /// Second colour.
    pub accent: String,
}

/// A choice.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductOption {
    /// What is chosen.
    pub name: String,
    /// From what.
    pub values: Vec<String>,
}

/// Something that can be bought.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// One value per option.
    pub values: Vec<String>,
    /// Unique in the store.
    pub sku: String,
    /// In minor units of the store's currency, tax included.
    pub price_minor: i64,
    /// Former price, if lowered.
    #[serde(default)]
    pub compare_at_minor: Option<i64>,
    /// On hand.
    pub stock: u32,
    /// In grams.
    pub weight_grams: u32,
}

impl Catalogue {
    /// The catalogue that is built into this command.
    ///
    /// # Errors
    /// When it is damaged, which a test excludes.
    pub fn read() -> anyhow::Result<Self> {
        serde_json::from_str(include_str!("catalogue.json")).context("the demo catalogue is damaged")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::picture;
    use std::collections::HashSet;

    #[test]
    fn the_catalogue_is_sound() {
        let catalogue = Catalogue::read().unwrap();
        assert!(catalogue.products.len() >= 40, "{} products", catalogue.products.len());
        let collections: HashSet<_> = catalogue.collections.iter().map(|group| &group.handle).collect();
        let (mut handles, mut skus) = (HashSet::new(), HashSet::new());
        for product in &catalogue.products {
            assert!(handles.insert(&product.handle), "{} twice", product.handle);
            assert!(product.handle.parse::<souk_kernel::Handle>().is_ok(), "{}", product.handle);
            assert!(
                product.collections.iter().all(|group| collections.contains(group)),
                "{}",
                product.handle
            );
            assert!(!product.collections.is_empty() && product.description.len() > 60, "{}", product.handle);
            assert!(picture::form_of(&product.picture).is_ok(), "{}", product.picture.shape);
            let combinations: usize = product.options.iter().map(|option| option.values.len()).product();
            assert_eq!(product.variants.len(), combinations, "{}: every combination once", product.handle);
            let mut chosen = HashSet::new();
            for variant in &product.variants {
                assert!(skus.insert(&variant.sku), "{} twice", variant.sku);
                assert!(chosen.insert(&variant.values), "{}: {:?} twice", product.handle, variant.values);
                assert_eq!(variant.values.len(), product.options.len());
                assert!(
                    product
                        .options
                        .iter()
                        .zip(&variant.values)
                        .all(|(option, value)| option.values.contains(value))
                );
                assert!(variant.price_minor > 0 && variant.weight_grams > 0);
                assert!(variant.compare_at_minor.is_none_or(|former| former > variant.price_minor));
            }
        }
        assert!(
            collections
                .iter()
                .all(|group| catalogue.products.iter().any(|product| product.collections.contains(group)))
        );
    }
}
