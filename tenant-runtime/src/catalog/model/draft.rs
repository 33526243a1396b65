//! From a request to rows: every rule about options, variants and prices, and all complaints at once.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use souk_api::FieldError;
use souk_kernel::{
    Currency, Handle, InventoryItemId, LongText, Money, OptionId, OptionValueId, PriceId, ProductId, Text,
    VariantId,
};
use uuid::Uuid;

use super::html;
use super::request::{CreateProduct, EditProduct, NewVariant, Status};
use super::view::{Chosen, ProductView};
use crate::catalog::error::CatalogError;
use crate::inventory::{NewItem, Policy};
use crate::tax::ClassCode;

/// Most options of a product.
pub const OPTIONS: usize = 3;
/// Most values of an option.
const VALUES: usize = 250;
/// Most variants of a product.
pub const VARIANTS: usize = 2048;
/// Most tags of a product.
const TAGS: usize = 250;
/// The highest price, in minor units: times the largest quantity it still fits.
const PRICE: i64 = 1_000_000_000_000;
/// Most pieces given with a new variant, and most grams.
const PIECES: i64 = 999_999_999;

/// A product as rows, ids and all. Serialised, it is what the inserting statements read.
#[derive(Clone, Debug, Serialize)]
pub struct Draft {
    pub product: DraftProduct,
    pub options: Vec<DraftOption>,
    pub values: Vec<DraftValue>,
    pub variants: Vec<DraftVariant>,
    pub currency: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct DraftProduct {
    pub id: Uuid,
    pub handle: String,
    pub title: String,
    pub description_html: String,
    pub vendor: String,
    pub product_type: String,
    pub status: &'static str,
    pub tags: Vec<String>,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
    pub category_id: Option<Uuid>,
}

#[derive(Clone, Debug, Serialize)]
pub struct DraftOption {
    pub id: Uuid,
    pub name: String,
    pub position: usize,
}

#[derive(Clone, Debug, Serialize)]
pub struct DraftValue {
    pub id: Uuid,
    pub option_id: Uuid,
    pub value: String,
    pub position: usize,
}

#[derive(Clone, Debug, Serialize)]
pub struct DraftVariant {
    pub id: Uuid,
    pub product_id: Uuid,
    pub title: String,
    pub sku: Option<String>,
    pub barcode: Option<String>,
    pub options: Vec<Chosen>,
    pub position: usize,
    pub weight_grams: i64,
    pub requires_shipping: bool,
    pub taxable: bool,
    pub tax_class: Option<String>,
    pub inventory_item_id: Uuid,
    pub inventory_policy: Policy,
    pub price_id: Uuid,
    pub amount_minor: i64,
    pub compare_at_minor: Option<i64>,
    /// Not of the variant's row: what the first level starts with.
    #[serde(skip)]
    pub stock: i64,
}

impl DraftVariant {
    /// The inventory item that goes with it.
    pub fn item(&self) -> NewItem {
        NewItem {
            id: InventoryItemId::from_uuid(self.inventory_item_id),
            sku: self.sku.clone(),
            on_hand: self.stock,
            policy: self.inventory_policy,
        }
    }
}

/// Complaints so far.
#[derive(Default)]
struct Complaints(Vec<FieldError>);

impl Complaints {
    fn say(&mut self, pointer: impl Into<String>, code: &'static str, message: &'static str) {
        self.0.push(FieldError::new(pointer.into(), code, message));
    }

    fn verdict(self) -> Result<(), CatalogError> {
        if self.0.is_empty() { Ok(()) } else { Err(CatalogError::Invalid(self.0)) }
    }
}

impl Draft {
    /// The rows of a new product under this handle, or everything that is wrong with it.
    pub fn of(wish: &CreateProduct, handle: &Handle, currency: Currency) -> Result<Self, CatalogError> {
        let mut complaints = Complaints::default();
        let words = Words {
            description: wish.description_html.as_ref(),
            tags: &wish.tags,
            vendor: wish.vendor.as_ref(),
            product_type: wish.product_type.as_ref(),
        };
        words.check(&mut complaints);
        let lone = lone_variant(wish, &mut complaints);
        let wanted = lone.as_ref().map_or(wish.variants.as_slice(), std::slice::from_ref);
        let choices = choices(wish, &mut complaints);
        if wanted.len() > VARIANTS {
            complaints.say("/variants", "too_many", "must be at most 2048");
        }
        let id = ProductId::new();
        let (mut variants, mut seen, mut skus) = (Vec::new(), HashSet::new(), HashSet::new());
        for (position, variant) in wanted.iter().take(VARIANTS).enumerate() {
            let place = if lone.is_some() { String::new() } else { format!("/variants/{position}") };
            check_variant(variant, currency, &place, &mut complaints);
            let chosen = chosen(variant, &choices, &place, &mut complaints);
            if !seen.insert(chosen.iter().map(|choice| choice.value.clone()).collect::<Vec<_>>()) {
                complaints.say(
                    format!("{place}/options"),
                    "duplicate",
                    "another variant has the same values",
                );
            }
            if variant.sku.as_ref().is_some_and(|sku| !skus.insert(sku.as_str())) {
                complaints.say(format!("{place}/sku"), "duplicate", "another variant has the same SKU");
            }
            variants.push(row(id, variant, chosen, position));
        }
        complaints.verdict()?;
        let (mut options, mut values) = (Vec::new(), Vec::new());
        for (position, option) in wish.options.iter().enumerate() {
            let option_id = OptionId::new().uuid();
            options.push(DraftOption { id: option_id, name: option.name.to_string(), position });
            values.extend(option.values.iter().enumerate().map(|(position, value)| DraftValue {
                id: OptionValueId::new().uuid(),
                option_id,
                value: value.to_string(),
                position,
            }));
        }
        let text =
            |words: &Option<LongText<255>>| words.as_ref().map_or_else(String::new, ToString::to_string);
        let product = DraftProduct {
            id: id.uuid(),
            handle: handle.to_string(),
            title: wish.title.to_string(),
            description_html: wish.description_html.as_ref().map_or_else(String::new, ToString::to_string),
            vendor: text(&wish.vendor),
            product_type: text(&wish.product_type),
            status: wish.status.unwrap_or(Status::Active).as_str(),
            tags: tags_of(&wish.tags),
            seo_title: wish.seo_title.as_ref().map(ToString::to_string),
            seo_description: wish.seo_description.as_ref().map(ToString::to_string),
            category_id: wish.category.map(|category| category.uuid()),
        };
        Ok(Self { product, options, values, variants, currency: currency.code().to_owned() })
    }
}

/// Once each, in the order they came.
pub fn tags_of(tags: &[Text<64>]) -> Vec<String> {
    let mut seen = HashSet::new();
    tags.iter().map(ToString::to_string).filter(|tag| seen.insert(tag.to_lowercase())).collect()
}

/// The variant of a product without choices.
fn lone_variant(wish: &CreateProduct, complaints: &mut Complaints) -> Option<NewVariant> {
    if !wish.variants.is_empty() {
        for (pointer, given) in [
            ("/price", wish.price.is_some()),
            ("/compare_at", wish.compare_at.is_some()),
            ("/stock", wish.stock.is_some()),
            ("/sku", wish.sku.is_some()),
        ] {
            if given {
                complaints.say(pointer, "not_here", "belongs to each of the variants");
            }
        }
        return None;
    }
    if !wish.options.is_empty() {
        complaints.say("/variants", "required", "must be given for a product with options");
        return None;
    }
    let Some(price) = wish.price else {
        complaints.say("/price", "required", "must be given, or variants with prices");
        return None;
    };
    Some(NewVariant {
        sku: wish.sku.clone(),
        barcode: None,
        options: BTreeMap::new(),
        price,
        compare_at: wish.compare_at,
        stock: wish.stock,
        weight_grams: None,
        requires_shipping: None,
        taxable: None,
        tax_class: None,
        inventory_policy: None,
    })
}

/// Options by name with their values, checked.
fn choices(wish: &CreateProduct, complaints: &mut Complaints) -> Vec<(String, Vec<String>)> {
    if wish.options.len() > OPTIONS {
        complaints.say("/options", "too_many", "must be at most 3");
    }
    let mut names = HashSet::new();
    for (number, option) in wish.options.iter().enumerate() {
        if !names.insert(option.name.as_str().to_lowercase()) {
            complaints.say(format!("/options/{number}/name"), "duplicate", "another option has this name");
        }
        if option.values.is_empty() || option.values.len() > VALUES {
            complaints.say(format!("/options/{number}/values"), "out_of_range", "must be 1 to 250 values");
        }
        let mut values = HashSet::new();
        for (place, value) in option.values.iter().enumerate() {
            if !values.insert(value.as_str()) {
                complaints.say(format!("/options/{number}/values/{place}"), "duplicate", "is there already");
            }
        }
    }
    let choice = |option: &super::request::NewOption| {
        (option.name.to_string(), option.values.iter().map(ToString::to_string).collect())
    };
    wish.options.iter().take(OPTIONS).map(choice).collect()
}

/// A variant's values in the order of the options.
fn chosen(
    variant: &NewVariant,
    choices: &[(String, Vec<String>)],
    place: &str,
    complaints: &mut Complaints,
) -> Vec<Chosen> {
    for name in variant.options.keys() {
        if !choices.iter().any(|choice| choice.0 == *name) {
            complaints.say(pointer(place, name), "unknown", "the product has no such option");
        }
    }
    let mut chosen = Vec::new();
    for (name, values) in choices {
        match variant.options.get(name) {
            None => complaints.say(pointer(place, name), "required", "must be one of the option's values"),
            Some(value) if !values.contains(value) => {
                let error =
                    FieldError::new(pointer(place, name), "unknown", "must be one of the option's values");
                complaints.0.push(error.allowed(values.iter().take(20).cloned()));
            }
            Some(value) => chosen.push(Chosen { name: name.clone(), value: value.clone() }),
        }
    }
    chosen
}

fn pointer(place: &str, name: &str) -> String {
    format!("{place}/options/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn check_variant(variant: &NewVariant, currency: Currency, place: &str, complaints: &mut Complaints) {
    check_amounts(variant.price, variant.compare_at, currency, place, complaints);
    if variant.stock.is_some_and(|stock| !(0..=PIECES).contains(&stock)) {
        complaints.say(format!("{place}/stock"), "out_of_range", "must be 0 to 999999999");
    }
    check_weight(variant.weight_grams, place, complaints);
}

fn check_weight(grams: Option<i64>, place: &str, complaints: &mut Complaints) {
    if grams.is_some_and(|grams| !(0..=PIECES).contains(&grams)) {
        complaints.say(format!("{place}/weight_grams"), "out_of_range", "must be 0 to 999999999");
    }
}

fn check_amounts(
    price: Money,
    compare: Option<Money>,
    currency: Currency,
    place: &str,
    complaints: &mut Complaints,
) {
    for (name, amount) in [("price", Some(price)), ("compare_at", compare)] {
        let Some(amount) = amount else { continue };
        if amount.currency() != currency {
            let pointer = format!("{place}/{name}/currency");
            let error = FieldError::new(pointer, "wrong_currency", "must be the store's currency");
            complaints.0.push(error.allowed([currency.code()]));
        }
        if !(0..=PRICE).contains(&amount.minor()) {
            complaints.say(
                format!("{place}/{name}/amount_minor"),
                "out_of_range",
                "must be 0 to 1000000000000",
            );
        }
    }
    if compare.is_some_and(|compare| compare.minor() <= price.minor()) {
        complaints.say(format!("{place}/compare_at"), "out_of_range", "must be more than the price");
    }
}

/// The rules of a price alone.
pub fn check_price(
    price: Money,
    compare_at: Option<Money>,
    currencies: &[Currency],
) -> Result<(), CatalogError> {
    let mut complaints = Complaints::default();
    if !currencies.contains(&price.currency()) {
        let message = "must be the currency of the store or of one of its markets";
        let error = FieldError::new("/price/currency", "wrong_currency", message);
        complaints.0.push(error.allowed(currencies.iter().map(|currency| currency.code())));
    }
    check_amounts(price, compare_at, price.currency(), "", &mut complaints);
    complaints.verdict()
}

fn row(product: ProductId, variant: &NewVariant, options: Vec<Chosen>, position: usize) -> DraftVariant {
    let title = options.iter().map(|choice| choice.value.as_str()).collect::<Vec<_>>().join(" / ");
    DraftVariant {
        id: VariantId::new().uuid(),
        product_id: product.uuid(),
        title: if title.is_empty() { "Default".to_owned() } else { title },
        sku: variant.sku.as_ref().map(ToString::to_string),
        barcode: variant.barcode.as_ref().map(ToString::to_string),
        options,
        position,
        weight_grams: variant.weight_grams.unwrap_or_default(),
        requires_shipping: variant.requires_shipping.unwrap_or(true),
        taxable: variant.taxable.unwrap_or(true),
        tax_class: variant.tax_class.clone().map(ClassCode::into_string),
        inventory_item_id: InventoryItemId::new().uuid(),
        inventory_policy: variant.inventory_policy.unwrap_or_default(),
        price_id: PriceId::new().uuid(),
        amount_minor: variant.price.minor(),
        compare_at_minor: variant.compare_at.map(Money::minor),
        stock: variant.stock.unwrap_or_default(),
    }
}

/// One more variant of a product that is there. A value its options do not have yet becomes their last.
pub fn one_more(
    product: &ProductView,
    wish: &NewVariant,
    currency: Currency,
) -> Result<(DraftVariant, Vec<DraftValue>), CatalogError> {
    let mut complaints = Complaints::default();
    check_variant(wish, currency, "", &mut complaints);
    if product.variants.len() >= VARIANTS {
        complaints.say("", "too_many", "a product has at most 2048 variants");
    }
    let (mut choices, mut values) = (Vec::new(), Vec::new());
    for option in &product.options {
        let mut known: Vec<String> = option.values.iter().map(|value| value.value.clone()).collect();
        if let Some(value) = wish.options.get(&option.name).filter(|value| !known.contains(value)) {
            if Text::<128>::parse(value).is_ok_and(|text| text.as_str() == value) && known.len() < VALUES {
                let (id, option_id) = (OptionValueId::new().uuid(), option.id.uuid());
                values.push(DraftValue { id, option_id, value: value.clone(), position: known.len() });
                known.push(value.clone());
            } else {
                complaints.say(
                    pointer("", &option.name),
                    "invalid",
                    "must be 1 to 128 characters, of 250 values",
                );
            }
        }
        choices.push((option.name.clone(), known));
    }
    let options = chosen(wish, &choices, "", &mut complaints);
    complaints.verdict()?;
    let position = product.variants.iter().map(|variant| variant.position + 1).max().unwrap_or_default();
    Ok((row(product.id, wish, options, usize::try_from(position).unwrap_or_default()), values))
}

struct Words<'a> {
    description: Option<&'a LongText<50000>>,
    tags: &'a [Text<64>],
    vendor: Option<&'a LongText<255>>,
    product_type: Option<&'a LongText<255>>,
}

impl Words<'_> {
    fn check(&self, complaints: &mut Complaints) {
        if self.description.is_some_and(|text| !html::is_harmless(text.as_str())) {
            complaints.say(
                "/description_html",
                "markup",
                "must be plain text or simple tags without attributes",
            );
        }
        if self.tags.len() > TAGS {
            complaints.say("/tags", "too_many", "must be at most 250");
        }
        for (pointer, line) in [("/vendor", self.vendor), ("/product_type", self.product_type)] {
            if line.is_some_and(|line| line.as_str().contains(char::is_control)) {
                complaints.say(pointer, "invalid", "must be one line");
            }
        }
    }
}

/// The rules of an edit.
pub fn check_edit(wish: &EditProduct) -> Result<(), CatalogError> {
    let mut complaints = Complaints::default();
    let words = Words {
        description: wish.description_html.as_ref(),
        tags: wish.tags.as_deref().unwrap_or_default(),
        vendor: wish.vendor.as_ref(),
        product_type: wish.product_type.as_ref(),
    };
    words.check(&mut complaints);
    complaints.verdict()
}

/// The rules of a collection's description.
pub fn check_collection(description: Option<&LongText<50000>>) -> Result<(), CatalogError> {
    let mut complaints = Complaints::default();
    Words { description, tags: &[], vendor: None, product_type: None }.check(&mut complaints);
    complaints.verdict()
}

/// An edited SKU or barcode: `None` keeps, empty takes away, else one line.
pub fn sku_of(
    pointer: &'static str,
    wish: Option<&LongText<64>>,
    now: Option<String>,
) -> Result<Option<String>, CatalogError> {
    let Some(wish) = wish else { return Ok(now) };
    if wish.is_empty() {
        return Ok(None);
    }
    let text = Text::<64>::parse(wish.as_str());
    let invalid = |error: souk_kernel::text::TextError| {
        CatalogError::Invalid(vec![FieldError::new(pointer, "invalid", error.to_string())])
    };
    text.map(|text| Some(text.to_string())).map_err(invalid)
}

#[cfg(test)]
mod tests;
