//! What callers send.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use souk_kernel::{CategoryId, CollectionId, Handle, LongText, Money, ProductId, Text, VariantId};
use utoipa::{IntoParams, ToSchema};

use super::rules::CollectionRules;
use crate::inventory::Policy;
use crate::tax::ClassCode;

/// Whether a product is for sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being written; nobody sees it.
    Draft,
    /// For sale.
    #[default]
    Active,
    /// No longer for sale.
    Archived,
}

impl Status {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }

    /// The status of a word; what is unknown is not for sale.
    pub fn of(word: &str) -> Self {
        match word {
            "active" => Self::Active,
            "archived" => Self::Archived,
            _ => Self::Draft,
        }
    }
}

/// A choice a shopper makes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOption {
    #[schema(value_type = String, example = "Size")]
    pub name: Text<64>,
    /// In the order they are offered.
    #[schema(value_type = Vec<String>, example = json!(["S", "M", "L"]))]
    pub values: Vec<Text<128>>,
}

/// One thing that is sold.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"sku": "SHIRT-M", "options": {"Size": "M"}, "price": {"amount_minor": 4900, "currency": "EUR"}, "stock": 10}))]
pub struct NewVariant {
    /// Unique in the store.
    #[schema(value_type = Option<String>, example = "SHIRT-L")]
    pub sku: Option<Text<64>>,
    #[schema(value_type = Option<String>, example = "4006381333931")]
    pub barcode: Option<Text<64>>,
    /// One value for each option of the product.
    #[serde(default)]
    #[schema(example = json!({ "Size": "L" }))]
    pub options: BTreeMap<String, String>,
    /// In the store's currency.
    pub price: Money,
    /// What it cost before; must be higher than the price.
    pub compare_at: Option<Money>,
    /// Pieces there are at the first location; none when left out.
    #[schema(example = 10, minimum = 0)]
    pub stock: Option<i64>,
    #[schema(example = 350, minimum = 0)]
    pub weight_grams: Option<i64>,
    /// True when left out.
    pub requires_shipping: Option<bool>,
    /// True when left out.
    pub taxable: Option<bool>,
    /// What it is to the state, if it is something special: a tax class, which comes about when it is new.
    #[schema(value_type = Option<String>, max_length = 40, example = "books")]
    pub tax_class: Option<ClassCode>,
    /// `deny` when left out.
    pub inventory_policy: Option<Policy>,
}

/// A new product with everything that belongs to it. Without `variants` it gets one, of `price`, `stock` and `sku`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Linen shirt", "vendor": "Atelier Noord", "tags": ["summer", "linen"], "options": [{"name": "Size", "values": ["S", "L"]}], "variants": [{"sku": "SHIRT-S", "options": {"Size": "S"}, "price": {"amount_minor": 4900, "currency": "EUR"}, "stock": 10}, {"sku": "SHIRT-L", "options": {"Size": "L"}, "price": {"amount_minor": 4900, "currency": "EUR"}, "stock": 10}]}))]
pub struct CreateProduct {
    #[schema(value_type = String, example = "Linen shirt")]
    pub title: Text<255>,
    /// Plain text, or text with simple tags: `p br b strong i em u s ul ol li h2 h3 h4 blockquote` and `a href`.
    #[schema(value_type = Option<String>, example = "<p>Woven in Flanders.</p>")]
    pub description_html: Option<LongText<50000>>,
    /// Its address; made of the title when left out.
    pub handle: Option<Handle>,
    #[schema(value_type = Option<String>, example = "Atelier Noord")]
    pub vendor: Option<LongText<255>>,
    #[schema(value_type = Option<String>, example = "Shirts")]
    pub product_type: Option<LongText<255>>,
    /// `active` when left out.
    pub status: Option<Status>,
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["summer", "linen"]))]
    pub tags: Vec<Text<64>>,
    #[schema(value_type = Option<String>)]
    pub seo_title: Option<Text<255>>,
    #[schema(value_type = Option<String>)]
    pub seo_description: Option<Text<500>>,
    /// Where it belongs.
    pub category: Option<CategoryId>,
    /// At most three.
    #[serde(default)]
    pub options: Vec<NewOption>,
    /// At most 2,048.
    #[serde(default)]
    pub variants: Vec<NewVariant>,
    /// For a product without `variants`.
    pub price: Option<Money>,
    /// For a product without `variants`.
    pub compare_at: Option<Money>,
    /// For a product without `variants`.
    pub stock: Option<i64>,
    /// For a product without `variants`.
    #[schema(value_type = Option<String>)]
    pub sku: Option<Text<64>>,
}

/// Many new products, each on its own: one that is refused does not hold up the others.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"products": [{"title": "Linen shirt", "sku": "SHIRT", "price": {"amount_minor": 4900, "currency": "EUR"}, "stock": 10}]}))]
pub struct CreateBatch {
    /// At most 250. Each is a body of `POST /admin/v1/products`.
    #[schema(value_type = Vec<CreateProduct>)]
    pub products: Vec<serde_json::Value>,
}

/// What is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Linen shirt", "tags": ["summer"]}))]
pub struct EditProduct {
    #[schema(value_type = Option<String>)]
    pub title: Option<Text<255>>,
    #[schema(value_type = Option<String>)]
    pub description_html: Option<LongText<50000>>,
    /// The product still answers under the handle it had.
    pub handle: Option<Handle>,
    #[schema(value_type = Option<String>)]
    pub vendor: Option<LongText<255>>,
    #[schema(value_type = Option<String>)]
    pub product_type: Option<LongText<255>>,
    pub status: Option<Status>,
    /// All of them.
    #[schema(value_type = Option<Vec<String>>)]
    pub tags: Option<Vec<Text<64>>>,
    #[schema(value_type = Option<String>)]
    pub seo_title: Option<Text<255>>,
    #[schema(value_type = Option<String>)]
    pub seo_description: Option<Text<500>>,
    /// Where it belongs; null for nowhere.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<CategoryId>)]
    pub category: Option<Option<CategoryId>>,
}

/// What is left out stays. An empty `sku` or `barcode` takes it away.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"weight_grams": 350}))]
pub struct EditVariant {
    #[schema(value_type = Option<String>)]
    pub sku: Option<LongText<64>>,
    #[schema(value_type = Option<String>)]
    pub barcode: Option<LongText<64>>,
    #[schema(minimum = 0)]
    pub weight_grams: Option<i64>,
    pub requires_shipping: Option<bool>,
    pub taxable: Option<bool>,
    /// A tax class, which comes about when it is new; null for none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 40, example = "books")]
    pub tax_class: Option<Option<ClassCode>>,
    pub inventory_policy: Option<Policy>,
}

/// What a variant costs from now on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"price": {"amount_minor": 3900, "currency": "EUR"}, "compare_at": {"amount_minor": 4900, "currency": "EUR"}}))]
pub struct SetPrice {
    /// In the store's currency, or one of its markets'; each has its own price.
    pub price: Money,
    /// What it cost before; none when left out.
    pub compare_at: Option<Money>,
}

/// What goes with a picture's bytes.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImageWords {
    /// What it shows, for those who cannot see it.
    #[param(value_type = Option<String>)]
    pub alt: Option<Text<512>>,
    /// The variant it shows.
    pub variant: Option<VariantId>,
}

/// What to change about a picture; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditImage {
    /// What it shows, for those who cannot see it; empty when it only decorates.
    #[schema(value_type = Option<String>, example = "A blue mug on a table")]
    pub alt: Option<LongText<512>>,
    /// The variant it shows; null for all of them.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<VariantId>)]
    pub variant: Option<Option<VariantId>>,
    /// Its place among the product's pictures, from 0; beyond the end is the end.
    #[schema(example = 0)]
    pub position: Option<u32>,
}

/// Null is an answer, too.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// The products of a collection: all of them, in their order.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrangeCollection {
    /// At most 1,000, each once.
    pub products: Vec<ProductId>,
}

/// A new group of products.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCollection {
    #[schema(value_type = String, example = "Summer")]
    pub title: Text<255>,
    /// Made of the title when left out.
    pub handle: Option<Handle>,
    #[schema(value_type = Option<String>)]
    pub description_html: Option<LongText<50000>>,
    /// True when left out.
    pub published: Option<bool>,
    /// What puts products into it by themselves. Without, people pick; which of the two it is, stays.
    pub rules: Option<CollectionRules>,
}

/// What is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Summer"}))]
pub struct EditCollection {
    #[schema(value_type = Option<String>)]
    pub title: Option<Text<255>>,
    /// The collection still answers under the handle it had.
    pub handle: Option<Handle>,
    #[schema(value_type = Option<String>)]
    pub description_html: Option<LongText<50000>>,
    pub published: Option<bool>,
    /// All of them; only of a collection that has rules.
    pub rules: Option<CollectionRules>,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Latest first.
    #[default]
    Newest,
    /// By title.
    Title,
    /// Cheapest first.
    Price,
    /// As the merchant arranged the collection; only together with one.
    Manual,
}

/// Which products, for those who run the store.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProductFilter {
    /// Every word must occur in title, vendor, a tag or a SKU.
    #[param(value_type = Option<String>)]
    pub q: Option<LongText<200>>,
    pub status: Option<Status>,
    /// Only of this collection: its handle or id.
    pub collection: Option<String>,
    /// Only of this category and those below it: its handle or id.
    pub category: Option<String>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// `manual` within a collection, else `newest`, when left out.
    #[param(inline)]
    pub sort: Option<Sort>,
}

/// Which products, for shoppers.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ShopFilter {
    /// Every word must occur in title, vendor, a tag or a SKU.
    #[param(value_type = Option<String>)]
    pub q: Option<LongText<200>>,
    /// Only of this collection: its handle or id.
    pub collection: Option<String>,
    /// Only of this category and those below it: its handle or id.
    pub category: Option<String>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// `manual` within a collection, else `newest`, when left out.
    #[param(inline)]
    pub sort: Option<Sort>,
}

impl From<ShopFilter> for ProductFilter {
    fn from(shop: ShopFilter) -> Self {
        let ShopFilter { q, collection, category, tag, sort } = shop;
        Self { q, status: Some(Status::Active), collection, category, tag, sort }
    }
}

impl ProductFilter {
    /// The words sought, as patterns for `ILIKE`; at most eight.
    pub fn patterns(&self) -> Vec<String> {
        let words = self.q.as_ref().map_or("", |q| q.as_str()).split_whitespace().take(8);
        words.map(|word| format!("%{}%", escaped(word))).collect()
    }

    /// Whether it leaves nothing out but by status, in the usual order.
    pub fn is_plain(&self) -> bool {
        let Self { q, status: _, collection, category, tag, sort } = self;
        let all = q.is_none() && collection.is_none() && category.is_none() && tag.is_none();
        all && sort.is_none_or(|sort| sort == Sort::Newest)
    }

    /// In which order: within a collection as it is arranged, unless another is asked for.
    pub fn order(&self) -> Sort {
        let usual = if self.collection.is_some() { Sort::Manual } else { Sort::Newest };
        self.sort.unwrap_or(usual)
    }

    /// The collection sought: its id, or else its handle.
    pub fn collection(&self) -> (Option<CollectionId>, Option<String>) {
        id_or_handle(self.collection.as_deref())
    }

    /// The category sought: its id, or else its handle.
    pub fn category(&self) -> (Option<CategoryId>, Option<String>) {
        id_or_handle(self.category.as_deref())
    }
}

/// What looks like an id is one.
fn id_or_handle<T: FromStr>(text: Option<&str>) -> (Option<T>, Option<String>) {
    match text.map(|text| text.parse::<T>().map_err(|_| text)) {
        Some(Ok(id)) => (Some(id), None),
        Some(Err(handle)) => (None, Some(handle.to_owned())),
        None => (None, None),
    }
}

/// Signs that mean something to `ILIKE` mean themselves.
fn escaped(word: &str) -> String {
    word.chars().flat_map(|c| matches!(c, '%' | '_' | '\\').then_some('\\').into_iter().chain([c])).collect()
}

/// Whether unpublished ones count: nothing to choose so far.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CollectionFilter {
    /// Only published ones, or only the others.
    pub published: Option<bool>,
}

/// Whether to say why.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Explain {
    /// `1` lists what is missing.
    #[param(minimum = 0, maximum = 1)]
    pub explain: Option<u8>,
}

/// A product in a path: its id or its handle, also one it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProductRef {
    Id(ProductId),
    Handle(String),
}

impl ProductRef {
    /// What looks like an id is one.
    pub fn of(text: &str) -> Self {
        ProductId::from_str(text).map_or_else(|_| Self::Handle(text.to_owned()), Self::Id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sought_is_taken_literally() {
        let q = LongText::parse("50%_off  linen").unwrap();
        let filter = ProductFilter { q: Some(q), ..ProductFilter::default() };
        assert_eq!(filter.patterns(), [r"%50\%\_off%", "%linen%"]);
    }

    #[test]
    fn a_product_is_named_by_id_or_handle() {
        let id = ProductId::new();
        assert_eq!(ProductRef::of(&id.to_string()), ProductRef::Id(id));
        assert_eq!(ProductRef::of("linen-shirt"), ProductRef::Handle("linen-shirt".into()));
    }
}
