//! A product as a file has it, and what it takes to make the catalogue say the same. What the file does not say stays as it is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use souk_api::FieldError;
use souk_kernel::{
    CategoryId, Currency, Handle, InventoryItemId, LongText, Money, OptionValueId, ProductId, Text, VariantId,
};

use super::draft::{DraftValue, DraftVariant, VARIANTS, check_edit, check_price, tags_of};
use super::picture::{ImageWish, MOST_IMAGES};
use super::request::{CreateProduct, EditProduct, NewOption, NewVariant, Status, given};
use super::view::{ProductView, ValueView, VariantView};
use crate::catalog::error::CatalogError;
use crate::inventory::{Policy, Shelf};
use crate::tax::ClassCode;

/// Most pieces and most grams.
const MOST: i64 = 999_999_999;

/// By what a product that is there already is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutBy {
    /// By its handle of today, its variants by their options.
    Handle,
    /// By the SKUs of its variants.
    Sku,
}

/// What became of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was not there.
    Created,
    /// It was another.
    Updated,
    /// It was so already.
    Unchanged,
}

/// The body of a new product in which everything may be left out. Null takes away what may be missing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductWish {
    pub handle: Option<Handle>,
    pub title: Option<Text<255>>,
    pub description_html: Option<LongText<50000>>,
    pub vendor: Option<LongText<255>>,
    pub product_type: Option<LongText<255>>,
    pub status: Option<Status>,
    pub tags: Option<Vec<Text<64>>>,
    #[serde(default, deserialize_with = "given")]
    pub seo_title: Option<Option<Text<255>>>,
    #[serde(default, deserialize_with = "given")]
    pub seo_description: Option<Option<Text<500>>>,
    #[serde(default, deserialize_with = "given")]
    pub category: Option<Option<CategoryId>>,
    #[serde(default)]
    pub options: Vec<NewOption>,
    /// Those that are not named stay.
    #[serde(default)]
    pub variants: Vec<VariantWish>,
    /// For a product without `variants`, as are the next three.
    pub price: Option<Money>,
    #[serde(default, deserialize_with = "given")]
    pub compare_at: Option<Option<Money>>,
    pub stock: Option<i64>,
    #[serde(default, deserialize_with = "given")]
    pub sku: Option<Option<Text<64>>>,
    /// To be fetched, unless the product has them; its others stay.
    #[serde(default)]
    pub images: Vec<ImageWish>,
}

/// The same of a variant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantWish {
    #[serde(default, deserialize_with = "given")]
    pub sku: Option<Option<Text<64>>>,
    #[serde(default, deserialize_with = "given")]
    pub barcode: Option<Option<Text<64>>>,
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    pub price: Option<Money>,
    #[serde(default, deserialize_with = "given")]
    pub compare_at: Option<Option<Money>>,
    /// Pieces on hand at the first active location.
    pub stock: Option<i64>,
    pub weight_grams: Option<i64>,
    pub requires_shipping: Option<bool>,
    pub taxable: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    pub tax_class: Option<Option<ClassCode>>,
    pub inventory_policy: Option<Policy>,
}

/// What is to be done.
#[derive(Debug)]
pub enum Plan {
    Nothing,
    Create(Box<CreateProduct>, Vec<ImageWish>),
    Change(Box<Change>),
}

/// What differs.
#[derive(Debug)]
pub struct Change {
    pub id: ProductId,
    /// As the product's own columns shall be, if they are not.
    pub product: Option<ProductView>,
    pub variants: Vec<VariantChange>,
    /// Their places in the file, and what they shall be.
    pub added: Vec<(String, NewVariant)>,
    /// Where in the file it says so, of what, and how many pieces there shall be.
    pub stock: Vec<(String, InventoryItemId, i64)>,
    /// Pictures to be fetched.
    pub images: Vec<ImageWish>,
}

/// A variant as it shall be.
#[derive(Debug)]
pub struct VariantChange {
    pub now: VariantView,
    /// Whether its own columns differ.
    pub columns: bool,
    pub policy: Option<Policy>,
    pub price: Option<Money>,
}

impl ProductWish {
    /// The variants it speaks of, and whether it names them.
    pub fn variants(&self) -> (Cow<'_, [VariantWish]>, bool) {
        let Self { price, compare_at, stock, sku, .. } = self;
        let lone = price.is_some() || compare_at.is_some() || stock.is_some() || sku.is_some();
        if !self.variants.is_empty() || !lone {
            return (Cow::Borrowed(&self.variants), true);
        }
        let (price, compare_at, stock, sku) = (*price, *compare_at, *stock, sku.clone());
        (Cow::Owned(vec![VariantWish { price, compare_at, stock, sku, ..VariantWish::default() }]), false)
    }

    /// The SKUs it speaks of.
    pub fn skus(&self) -> Vec<String> {
        let (variants, _) = self.variants();
        variants.iter().filter_map(|variant| Some(variant.sku.as_ref()?.as_ref()?.to_string())).collect()
    }

    /// Whether it says anything about stock.
    pub fn is_about_stock(&self) -> bool {
        let (variants, _) = self.variants();
        variants.iter().any(|variant| variant.stock.is_some() || variant.inventory_policy.is_some())
    }

    /// A product that is not there yet.
    pub fn create(&self) -> Result<Plan, CatalogError> {
        let mut faults = Vec::new();
        let Some(title) = self.title.clone() else {
            faults.push(FieldError::new("/title", "required", "must be given for a new product"));
            return Err(CatalogError::Invalid(faults));
        };
        let mut variants = Vec::new();
        for (number, wish) in self.variants.iter().enumerate() {
            match wish.fresh() {
                Some(variant) => variants.push(variant),
                None => faults.push(required_price(&format!("/variants/{number}"))),
            }
        }
        faults.extend(self.image_faults());
        if !faults.is_empty() {
            return Err(CatalogError::Invalid(faults));
        }
        let made = CreateProduct {
            title,
            description_html: self.description_html.clone(),
            handle: self.handle.clone(),
            vendor: self.vendor.clone(),
            product_type: self.product_type.clone(),
            status: self.status,
            tags: self.tags.clone().unwrap_or_default(),
            seo_title: self.seo_title.clone().flatten(),
            seo_description: self.seo_description.clone().flatten(),
            category: self.category.flatten(),
            options: self.options.clone(),
            variants,
            price: self.price,
            compare_at: self.compare_at.flatten(),
            stock: self.stock,
            sku: self.sku.clone().flatten(),
        };
        Ok(Plan::Create(Box::new(made), self.images.clone()))
    }

    /// A product that is there: what differs, or everything that is wrong with the wish. Pictures at the addresses `asked` are on their way.
    pub fn change(
        &self,
        now: &ProductView,
        asked: &[String],
        by: PutBy,
        shelf: &Shelf,
        may_adjust: bool,
        currency: Currency,
    ) -> Result<Plan, CatalogError> {
        let mut faults = Vec::new();
        faults.extend(complaints(check_edit(&self.as_edit())));
        faults.extend(self.image_faults());
        let names = |product: &ProductView| -> Vec<String> {
            product.options.iter().map(|option| option.name.clone()).collect()
        };
        let wanted: Vec<String> = self.options.iter().map(|option| option.name.to_string()).collect();
        if !wanted.is_empty() && wanted != names(now) {
            let fault = FieldError::new("/options", "unknown", "must be the options the product has");
            faults.push(fault.allowed(names(now)));
        }
        let (wishes, named) = self.variants();
        if named && !self.variants.is_empty() && (self.price.is_some() || self.stock.is_some()) {
            faults.push(FieldError::new("/price", "not_here", "belongs to each of the variants"));
        }
        let mut change = Change {
            id: now.id,
            product: self.edited(now),
            variants: Vec::new(),
            added: Vec::new(),
            stock: Vec::new(),
            images: self.missing_images(now, asked),
        };
        for (number, wish) in wishes.iter().enumerate() {
            let place = if named { format!("/variants/{number}") } else { String::new() };
            match wish.find(now, by) {
                Ok(Some(variant)) => {
                    wish.compare(variant, &place, (shelf, may_adjust), currency, &mut change, &mut faults);
                }
                Ok(None) => match wish.fresh() {
                    Some(variant) => change.added.push((place, variant)),
                    None => faults.push(required_price(&place)),
                },
                Err((part, code, message)) => {
                    faults.push(FieldError::new(format!("{place}{part}"), code, message));
                }
            }
        }
        if now.variants.len() + change.added.len() > VARIANTS {
            faults.push(FieldError::new("/variants", "too_many", "a product has at most 2048 variants"));
        }
        if !faults.is_empty() {
            return Err(CatalogError::Invalid(faults));
        }
        let Change { id: _, product, variants, added, stock, images } = &change;
        let same = product.is_none() && variants.is_empty() && added.is_empty();
        let nothing = same && stock.is_empty() && images.is_empty();
        Ok(if nothing { Plan::Nothing } else { Plan::Change(Box::new(change)) })
    }

    fn image_faults(&self) -> Vec<FieldError> {
        let fault = |(number, image): (usize, &ImageWish)| {
            let pointer = format!("/images/{number}/src");
            image.fault().map(|cause| FieldError::new(pointer, "invalid", cause))
        };
        let mut faults: Vec<_> = self.images.iter().enumerate().filter_map(fault).collect();
        if self.images.len() > MOST_IMAGES {
            faults.push(FieldError::new("/images", "too_many", "a product has at most 250 pictures"));
        }
        faults
    }

    fn missing_images(&self, now: &ProductView, asked: &[String]) -> Vec<ImageWish> {
        let there =
            |wish: &&ImageWish| now.images.iter().any(|image| wish.is(image)) || asked.contains(&wish.src);
        self.images.iter().filter(|wish| !there(wish)).cloned().collect()
    }

    fn as_edit(&self) -> EditProduct {
        EditProduct {
            description_html: self.description_html.clone(),
            vendor: self.vendor.clone(),
            product_type: self.product_type.clone(),
            tags: self.tags.clone(),
            ..EditProduct::default()
        }
    }

    /// The product with its own columns as they shall be, if they differ.
    fn edited(&self, now: &ProductView) -> Option<ProductView> {
        let mut next = now.clone();
        let mut differs = false;
        let mut set = |column: &mut String, wish: Option<String>| {
            if let Some(wish) = wish.filter(|wish| wish != column) {
                *column = wish;
                differs = true;
            }
        };
        set(&mut next.title, self.title.as_ref().map(ToString::to_string));
        set(&mut next.description_html, self.description_html.as_ref().map(ToString::to_string));
        set(&mut next.handle, self.handle.as_ref().map(ToString::to_string));
        set(&mut next.vendor, self.vendor.as_ref().map(ToString::to_string));
        set(&mut next.product_type, self.product_type.as_ref().map(ToString::to_string));
        differs |= replace(&mut next.status, self.status);
        differs |= replace(&mut next.tags, self.tags.as_ref().map(|tags| tags_of(tags)));
        let words = |text: &Option<Text<255>>| text.as_ref().map(ToString::to_string);
        differs |= replace(&mut next.seo_title, self.seo_title.as_ref().map(words));
        let words = |text: &Option<Text<500>>| text.as_ref().map(ToString::to_string);
        differs |= replace(&mut next.seo_description, self.seo_description.as_ref().map(words));
        differs |= replace(&mut next.category, self.category);
        differs.then_some(next)
    }
}

/// Writes what is wished; whether that made a difference.
fn replace<T: PartialEq>(column: &mut T, wish: Option<T>) -> bool {
    match wish {
        Some(wish) if wish != *column => {
            *column = wish;
            true
        }
        _ => false,
    }
}

fn required_price(place: &str) -> FieldError {
    FieldError::new(format!("{place}/price"), "required", "must be given for a new variant")
}

fn complaints(verdict: Result<(), CatalogError>) -> Vec<FieldError> {
    match verdict {
        Err(CatalogError::Invalid(faults)) => faults,
        _ => Vec::new(),
    }
}

type Fault = (&'static str, &'static str, &'static str);

impl VariantWish {
    /// A variant that is not there yet; it needs a price.
    fn fresh(&self) -> Option<NewVariant> {
        Some(NewVariant {
            sku: self.sku.clone().flatten(),
            barcode: self.barcode.clone().flatten(),
            options: self.options.clone(),
            price: self.price?,
            compare_at: self.compare_at.flatten(),
            stock: self.stock,
            weight_grams: self.weight_grams,
            requires_shipping: self.requires_shipping,
            taxable: self.taxable,
            tax_class: self.tax_class.clone().flatten(),
            inventory_policy: self.inventory_policy,
        })
    }

    /// Which of the product's variants it means, if it is there.
    fn find<'p>(&self, product: &'p ProductView, by: PutBy) -> Result<Option<&'p VariantView>, Fault> {
        if by == PutBy::Sku {
            let Some(Some(sku)) = &self.sku else {
                return Err(("/sku", "required", "must be given to find the variant by it"));
            };
            let known = |variant: &&VariantView| variant.sku.as_deref() == Some(sku.as_str());
            return Ok(product.variants.iter().find(known));
        }
        if self.options.is_empty() {
            return match product.variants.as_slice() {
                [lone] => Ok(Some(lone)),
                _ => Err(("/options", "required", "must say which of the variants it is")),
            };
        }
        Ok(product.variants.iter().find(|variant| variant.has(&self.options)))
    }

    /// Notes what differs from the variant that is there.
    fn compare(
        &self,
        now: &VariantView,
        place: &str,
        (shelf, may_adjust): (&Shelf, bool),
        currency: Currency,
        change: &mut Change,
        faults: &mut Vec<FieldError>,
    ) {
        let mut next = now.clone();
        let words = |text: &Option<Text<64>>| text.as_ref().map(ToString::to_string);
        let mut columns = replace(&mut next.sku, self.sku.as_ref().map(words));
        columns |= replace(&mut next.barcode, self.barcode.as_ref().map(words));
        columns |= replace(&mut next.weight_grams, self.weight_grams);
        columns |= replace(&mut next.requires_shipping, self.requires_shipping);
        columns |= replace(&mut next.taxable, self.taxable);
        let class = self.tax_class.clone().map(|class| class.map(ClassCode::into_string));
        columns |= replace(&mut next.tax_class, class);
        let policy =
            self.inventory_policy.filter(|policy| replace(&mut next.inventory_policy, Some(*policy)));
        if self.weight_grams.is_some_and(|grams| !(0..=MOST).contains(&grams)) {
            let pointer = format!("{place}/weight_grams");
            faults.push(FieldError::new(pointer, "out_of_range", "must be 0 to 999999999"));
        }
        let mut priced = replace(&mut next.price, self.price.map(Some));
        priced |= replace(&mut next.compare_at, self.compare_at);
        let price = next.price.filter(|_| priced);
        match (price, priced) {
            (Some(price), _) => {
                faults.extend(complaints(check_price(price, next.compare_at, &[currency])).into_iter().map(
                    |fault| FieldError { pointer: format!("{place}{}", fault.pointer).into(), ..fault },
                ));
            }
            (None, true) => faults.push(required_price(place)),
            (None, false) => {}
        }
        if columns || policy.is_some() || price.is_some() {
            let columns = columns || policy.is_some();
            change.variants.push(VariantChange { now: next, columns, policy, price });
        }
        let there = shelf.on_hand.get(&now.inventory_item).copied().unwrap_or_default();
        let Some(pieces) = self.stock.filter(|pieces| *pieces != there) else { return };
        let pointer = format!("{place}/stock");
        if !(0..=MOST).contains(&pieces) {
            faults.push(FieldError::new(pointer, "out_of_range", "must be 0 to 999999999"));
        } else if !may_adjust {
            let message = "may be changed only by those who may adjust the inventory; leave it out";
            faults.push(FieldError::new(pointer, "forbidden", message));
        } else if shelf.location.is_none() {
            faults.push(FieldError::new(pointer, "unknown", "needs an active location"));
        } else {
            change.stock.push((pointer, now.inventory_item, pieces));
        }
    }
}

impl VariantView {
    /// Whether it is the one with these options.
    pub fn has(&self, options: &BTreeMap<String, String>) -> bool {
        self.options.len() == options.len()
            && self.options.iter().all(|chosen| options.get(&chosen.name) == Some(&chosen.value))
    }
}

impl ProductView {
    /// With one more variant and the values it brought along, as far as the next one has to know.
    pub fn grow(&mut self, variant: &DraftVariant, values: &[DraftValue]) {
        for value in values {
            let mut options = self.options.iter_mut();
            if let Some(option) = options.find(|option| option.id.uuid() == value.option_id) {
                option
                    .values
                    .push(ValueView { id: OptionValueId::from_uuid(value.id), value: value.value.clone() });
            }
        }
        self.variants.push(VariantView {
            id: VariantId::from_uuid(variant.id),
            title: variant.title.clone(),
            sku: variant.sku.clone(),
            barcode: variant.barcode.clone(),
            options: variant.options.clone(),
            position: i32::try_from(variant.position).unwrap_or(i32::MAX - 1),
            price: None,
            compare_at: None,
            weight_grams: variant.weight_grams,
            requires_shipping: variant.requires_shipping,
            taxable: variant.taxable,
            tax_class: variant.tax_class.clone(),
            inventory_policy: variant.inventory_policy,
            inventory_item: InventoryItemId::from_uuid(variant.inventory_item_id),
            available: false,
            stock: None,
            components: Vec::new(),
            metafields: Vec::new(),
            version: 1,
        });
    }
}
