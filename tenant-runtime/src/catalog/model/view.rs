//! What callers see.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{
    CategoryId, CollectionId, Currency, ImageId, InventoryItemId, Money, OptionId, OptionValueId, ProductId,
    VariantId,
};
use utoipa::ToSchema;

use super::bundle::{Component, ComponentView};
use super::metafields::MetafieldView;
use super::picture::ImageView;
use super::pricing::Offer;
use super::request::Status;
use super::rules::CollectionRules;
use crate::inventory::Policy;

/// What other rooms need to know about a variant to sell it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sellable {
    pub variant: VariantId,
    pub product: ProductId,
    pub title: String,
    pub variant_title: String,
    pub sku: Option<String>,
    /// `[{"name", "value"}]` in option order.
    pub options: serde_json::Value,
    /// The base price, until a cart has worked out what so many pieces cost.
    pub unit_price: Money,
    pub compare_at: Option<Money>,
    /// What price lists in force say.
    pub offers: Vec<Offer>,
    /// What one piece takes from the stock; of itself where there are none.
    pub components: Vec<Component>,
    pub image: Option<ImageId>,
    pub weight_grams: i64,
    pub requires_shipping: bool,
    pub taxable: bool,
    /// What it is to the state, if it is something special.
    pub tax_class: Option<String>,
    pub item: InventoryItemId,
    pub policy: Policy,
    /// Whether the product is for sale.
    pub live: bool,
}

/// A value chosen for an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Chosen {
    #[schema(example = "Size")]
    pub name: String,
    #[schema(example = "L")]
    pub value: String,
}

/// A choice with its values in order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OptionView {
    pub id: OptionId,
    #[schema(example = "Size")]
    pub name: String,
    pub values: Vec<ValueView>,
}

/// One value of an option.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ValueView {
    pub id: OptionValueId,
    #[schema(example = "L")]
    pub value: String,
}

/// One thing that is sold.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VariantView {
    pub id: VariantId,
    /// The values chosen, or `Default`.
    #[schema(example = "L / White")]
    pub title: String,
    #[schema(example = "SHIRT-L-W")]
    pub sku: Option<String>,
    pub barcode: Option<String>,
    pub options: Vec<Chosen>,
    pub position: i32,
    /// Null when it has no price in the store's currency; then it cannot be bought.
    pub price: Option<Money>,
    pub compare_at: Option<Money>,
    pub weight_grams: i64,
    pub requires_shipping: bool,
    pub taxable: bool,
    /// What it is to the state; missing when it is nothing special.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "books")]
    pub tax_class: Option<String>,
    /// Not looked at while the variant is a bundle: then its components' are.
    pub inventory_policy: Policy,
    pub inventory_item: InventoryItemId,
    /// Whether it can be bought now.
    pub available: bool,
    /// Pieces left to sell; only for those who run the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 9)]
    pub stock: Option<i64>,
    /// What one piece of it is made of; missing unless it is a bundle.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentView>,
    /// What else is said of it; missing when nothing is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metafields: Vec<MetafieldView>,
    /// The ETag of its price, in quotes.
    pub version: i64,
}

impl VariantView {
    /// Whether it is sold without regard to stock. A bundle never is: its components may be.
    pub fn is_endless(&self) -> bool {
        self.inventory_policy == Policy::Continue && self.components.is_empty()
    }
}

/// A product, whole.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProductView {
    pub id: ProductId,
    #[schema(example = "linen-shirt")]
    pub handle: String,
    #[schema(example = "Linen shirt")]
    pub title: String,
    pub description_html: String,
    pub vendor: String,
    pub product_type: String,
    pub status: Status,
    /// Whether it is published on any sales channel now.
    pub published: bool,
    pub tags: Vec<String>,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
    /// The lowest price; null without one.
    pub price_from: Option<Money>,
    /// The highest price; null without one.
    pub price_to: Option<Money>,
    /// Whether any variant can be bought now.
    pub available: bool,
    pub options: Vec<OptionView>,
    pub variants: Vec<VariantView>,
    pub images: Vec<ImageView>,
    pub collections: Vec<CollectionId>,
    /// Where it belongs in the tree of categories.
    pub category: Option<CategoryId>,
    /// What else is said of it; for shoppers, what is for them.
    pub metafields: Vec<MetafieldView>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl ProductView {
    /// Takes away what is not for shoppers.
    pub fn for_shoppers(&mut self) {
        self.metafields.retain(|field| field.shown);
        for variant in &mut self.variants {
            variant.metafields.retain(|field| field.shown);
        }
    }

    /// Fills in what the stock says. Numbers are shown only to those who run the store.
    pub fn stocked(&mut self, stock: &HashMap<InventoryItemId, i64>, numbers: bool) {
        for variant in &mut self.variants {
            let pieces = stock.get(&variant.inventory_item).copied().unwrap_or_default();
            variant.stock = numbers.then_some(pieces);
            let there = pieces > 0 || variant.is_endless();
            let for_sale = self.status == Status::Active && self.published;
            variant.available = for_sale && variant.price.is_some() && there;
        }
        self.available = self.variants.iter().any(|variant| variant.available);
        let prices = || self.variants.iter().filter_map(|variant| variant.price);
        self.price_from = prices().min_by_key(|price| price.minor());
        self.price_to = prices().max_by_key(|price| price.minor());
    }
}

/// A product in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SummaryView {
    pub id: ProductId,
    #[schema(example = "linen-shirt")]
    pub handle: String,
    #[schema(example = "Linen shirt")]
    pub title: String,
    pub vendor: String,
    pub product_type: String,
    pub status: Status,
    pub tags: Vec<String>,
    /// The lowest price; null without one.
    pub price_from: Option<Money>,
    /// The highest price; null without one.
    pub price_to: Option<Money>,
    /// The highest former price; null without one.
    pub compare_at: Option<Money>,
    /// Whether any variant can be bought now.
    pub available: bool,
    /// Pieces left to sell of all variants; only for those who run the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock: Option<i64>,
    #[schema(example = 3)]
    pub variant_count: i64,
    /// The variant to put into a cart without asking, when there is only one.
    pub only_variant: Option<VariantId>,
    /// The first picture.
    pub image: Option<ImageView>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An amount of the store's currency, if there is one.
pub fn summary_price(minor: Option<i64>, currency: Currency) -> Option<Money> {
    minor.map(|minor| Money::new(minor, currency))
}

/// A group of products.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CollectionView {
    pub id: CollectionId,
    #[schema(example = "summer")]
    pub handle: String,
    #[schema(example = "Summer")]
    pub title: String,
    pub description_html: String,
    /// Whether shoppers see it.
    pub published: bool,
    /// What puts products into it by themselves; missing where people pick them, and for shoppers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<CollectionRules>,
    /// Products in it; for shoppers, those for sale.
    #[schema(example = 12)]
    pub product_count: i64,
    /// What else is said of it; for shoppers, what is for them.
    pub metafields: Vec<MetafieldView>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// How one of many went.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BatchResult {
    /// Its place in the request, from 0.
    pub index: usize,
    /// 201, or the status of the problem.
    #[schema(example = 201)]
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductView>,
    /// A problem document.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub problem: Option<serde_json::Value>,
}

/// How all of them went, in the order of the request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BatchView {
    pub results: Vec<BatchResult>,
    pub created: usize,
    pub refused: usize,
}

/// Something that must be so before a product can be bought, and is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Failed {
    /// `product_active`, `published`, `has_variants`, `has_price` or `in_stock`.
    #[schema(example = "in_stock")]
    pub condition: &'static str,
    /// The variant concerned; null for the whole product.
    pub variant: Option<VariantId>,
    /// What to do about it.
    #[schema(example = "Receive stock, or let the variant be sold without stock.")]
    pub hint: &'static str,
}

/// Whether a product can be bought now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AvailabilityView {
    pub product: ProductId,
    /// Whether any variant can be bought.
    pub available: bool,
    /// The variants that can be bought.
    pub variants: Vec<VariantId>,
    /// With `explain=1`: every condition that is not met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<Vec<Failed>>,
}

/// Looks through all conditions; a stocked product is asked.
pub fn availability(product: &ProductView, explain: bool) -> AvailabilityView {
    let mut failed = Vec::new();
    let whole = |condition, hint| Failed { condition, variant: None, hint };
    if product.status != Status::Active {
        failed.push(whole("product_active", "Set the product's status to active."));
    }
    if !product.published {
        failed
            .push(whole("published", "Publish it: PUT /admin/v1/products/{product}/publications/{channel}."));
    }
    if product.variants.is_empty() {
        failed.push(whole("has_variants", "Add a variant."));
    }
    for variant in &product.variants {
        let mut say = |condition, hint| failed.push(Failed { condition, variant: Some(variant.id), hint });
        if variant.price.is_none() {
            say("has_price", "Set a price in the store's currency.");
        }
        if variant.stock.unwrap_or_default() <= 0 && !variant.is_endless() {
            say("in_stock", "Receive stock, or let the variant be sold without stock.");
        }
    }
    let sold = product.variants.iter().filter(|variant| variant.available);
    AvailabilityView {
        product: product.id,
        available: product.available,
        variants: sold.map(|variant| variant.id).collect(),
        failed: explain.then_some(failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(status: Status, price: Option<i64>, policy: Policy) -> ProductView {
        let variant = VariantView {
            id: VariantId::new(),
            title: "Default".into(),
            sku: None,
            barcode: None,
            options: Vec::new(),
            position: 0,
            price: summary_price(price, Currency::EUR),
            compare_at: None,
            weight_grams: 0,
            requires_shipping: true,
            taxable: true,
            tax_class: None,
            inventory_policy: policy,
            inventory_item: InventoryItemId::new(),
            available: false,
            stock: None,
            components: Vec::new(),
            metafields: Vec::new(),
            version: 1,
        };
        ProductView {
            id: ProductId::new(),
            handle: "mug".into(),
            title: "Mug".into(),
            description_html: String::new(),
            vendor: String::new(),
            product_type: String::new(),
            status,
            published: true,
            tags: Vec::new(),
            seo_title: None,
            seo_description: None,
            price_from: None,
            price_to: None,
            available: false,
            options: Vec::new(),
            variants: vec![variant],
            images: Vec::new(),
            collections: Vec::new(),
            category: None,
            metafields: Vec::new(),
            version: 1,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    fn failed(mut product: ProductView, pieces: i64) -> (bool, Vec<&'static str>) {
        let stock = HashMap::from([(product.variants[0].inventory_item, pieces)]);
        product.stocked(&stock, true);
        let view = availability(&product, true);
        (view.available, view.failed.unwrap().iter().map(|failed| failed.condition).collect())
    }

    #[test]
    fn every_condition_that_fails_is_named() {
        assert_eq!(failed(product(Status::Active, Some(5), Policy::Deny), 3), (true, vec![]));
        assert_eq!(failed(product(Status::Active, Some(5), Policy::Continue), -3), (true, vec![]));
        assert_eq!(
            failed(product(Status::Draft, None, Policy::Deny), 0),
            (false, vec!["product_active", "has_price", "in_stock"])
        );
    }
}
