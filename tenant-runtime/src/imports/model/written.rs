//! Products as rows of a table, and as lines of JSON.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use souk_kernel::{CategoryId, InventoryItemId, Money, ProductId, SalesChannelId};

use super::cells::{parts_out, publication_out, tags_out, truth_out, value_out};
use super::columns::{Own, guarded};
use crate::catalog::{
    CategoryName, ComponentView, DefinitionView, MetafieldOwner, MetafieldView, OptionView, ProductView,
    VariantView,
};
use crate::channels::{ChannelName, Placement};

/// The columns that are written, in order.
const COLUMNS: [&str; 33] = [
    "Handle",
    "Title",
    "Body (HTML)",
    "Vendor",
    "Type",
    "Tags",
    "Published",
    "Option1 Name",
    "Option1 Value",
    "Option2 Name",
    "Option2 Value",
    "Option3 Name",
    "Option3 Value",
    "Variant SKU",
    "Variant Grams",
    "Variant Inventory Tracker",
    "Variant Inventory Qty",
    "Variant Inventory Policy",
    "Variant Price",
    "Variant Compare At Price",
    "Variant Requires Shipping",
    "Variant Taxable",
    "Variant Tax Code",
    "Variant Barcode",
    "Image Src",
    "Image Position",
    "Image Alt Text",
    "SEO Title",
    "SEO Description",
    "Status",
    "Product Category",
    "Product Tax Code",
    "Variant Components",
];

/// Where columns begin that a row is put together from.
const OPTIONS: usize = 7;
const VARIANT: usize = 13;
const IMAGE: usize = 24;
const SEO: usize = 27;
const COMPONENTS: usize = 32;

/// What a store has that files of its products name.
pub struct Book {
    /// Columns of its own, behind those that all have.
    own: Vec<Own>,
    categories: HashMap<CategoryId, String>,
    channels: Vec<ChannelName>,
    /// Where its paths begin.
    address: String,
}

/// What lies at the first active location, and what is sold where, of some products.
pub struct Sheet {
    pub on_hand: HashMap<InventoryItemId, i64>,
    pub placements: HashMap<(ProductId, SalesChannelId), Placement>,
}

impl Sheet {
    fn pieces(&self, variant: &VariantView) -> i64 {
        self.on_hand.get(&variant.inventory_item).copied().unwrap_or_default()
    }

    fn placement(&self, product: &ProductView, channel: &ChannelName) -> Option<&Placement> {
        self.placements.get(&(product.id, channel.id))
    }
}

impl Book {
    /// Of a store with these.
    pub fn new(
        definitions: &[DefinitionView],
        categories: Vec<CategoryName>,
        channels: Vec<ChannelName>,
        address: String,
    ) -> Self {
        let others = channels.iter().filter(|channel| !channel.is_default);
        let mut own: Vec<Own> = others.map(|channel| Own::Channel(channel.name.clone())).collect();
        for owner in [MetafieldOwner::Product, MetafieldOwner::Variant] {
            own.extend(definitions.iter().filter(|one| one.owner == owner).map(|one| Own::Metafield {
                owner,
                namespace: one.namespace.clone(),
                key: one.key.clone(),
            }));
        }
        let categories = categories.into_iter().map(|category| (category.id, category.handle)).collect();
        Self { own, categories, channels, address }
    }

    /// The first row of a table.
    pub fn begin(&self) -> String {
        let mut text = String::new();
        let own = self.own.iter().map(Own::name);
        write(&mut text, COLUMNS.iter().map(|column| (*column).to_owned()).chain(own));
        text
    }

    /// A product as rows: one for each variant, more when it has more pictures.
    pub fn table(&self, product: &ProductView, sheet: &Sheet) -> String {
        let mut text = String::new();
        for number in 0..product.variants.len().max(product.images.len()).max(1) {
            let mut cells = vec![String::new(); COLUMNS.len()];
            let mut set = |from: usize, values: &[String]| {
                for (cell, value) in cells.iter_mut().skip(from).zip(values) {
                    cell.clone_from(value);
                }
            };
            set(0, std::slice::from_ref(&product.handle));
            let variant = product.variants.get(number);
            if number == 0 {
                let (title, body) = (product.title.clone(), product.description_html.clone());
                let (vendor, kind) = (product.vendor.clone(), product.product_type.clone());
                let web = self.channels.iter().find(|channel| channel.is_default);
                let sold = publication_out(web.and_then(|channel| sheet.placement(product, channel)));
                set(1, &[title, body, vendor, kind, tags_out(&product.tags), sold]);
                let word = |text: &Option<String>| text.clone().unwrap_or_default();
                let status = product.status.as_str().to_owned();
                let category = product.category.and_then(|category| self.categories.get(&category)).cloned();
                let (seo_title, seo_description) = (word(&product.seo_title), word(&product.seo_description));
                let class = word(&product.tax_class);
                set(SEO, &[seo_title, seo_description, status, category.unwrap_or_default(), class]);
            }
            if let Some(variant) = variant {
                if product.options.is_empty() {
                    let lone = if number == 0 { "Title" } else { "" };
                    set(OPTIONS, &[lone.to_owned(), "Default Title".to_owned()]);
                }
                for (place, chosen) in variant.options.iter().enumerate() {
                    let name = if number == 0 { chosen.name.clone() } else { String::new() };
                    set(OPTIONS + 2 * place, &[name, chosen.value.clone()]);
                }
                set(VARIANT, &of_variant(variant, sheet));
                set(COMPONENTS, &[parts_out(&variant.components)]);
            }
            if let Some(image) = product.images.get(number) {
                let source = format!("{}{}", self.address, image.url);
                set(IMAGE, &[source, (number + 1).to_string(), image.alt.clone()]);
            }
            let of_product = Some(product).filter(|_| number == 0);
            cells.extend(self.own.iter().map(|own| self.own_cell(own, of_product, variant, sheet)));
            write(&mut text, cells.into_iter());
        }
        text
    }

    /// What stands in a column of the store's own: of the product in its first row, of the variant in that of the variant.
    fn own_cell(
        &self,
        own: &Own,
        product: Option<&ProductView>,
        variant: Option<&VariantView>,
        sheet: &Sheet,
    ) -> String {
        let (fields, namespace, key) = match own {
            Own::Channel(name) => {
                let channel = self.channels.iter().find(|channel| channel.name == *name);
                let sold = product.zip(channel).map(|(product, channel)| sheet.placement(product, channel));
                return sold.map(publication_out).unwrap_or_default();
            }
            Own::Metafield { owner: MetafieldOwner::Product, namespace, key } => {
                (product.map(|product| &product.metafields), namespace, key)
            }
            Own::Metafield { owner: MetafieldOwner::Variant, namespace, key } => {
                (variant.map(|variant| &variant.metafields), namespace, key)
            }
            Own::Metafield { owner: MetafieldOwner::Collection, .. } => return String::new(),
        };
        let is_it = |field: &&MetafieldView| field.namespace == *namespace && field.key == *key;
        fields.and_then(|fields| fields.iter().find(is_it)).map(value_out).unwrap_or_default()
    }

    /// A product as a line: a body of `POST /admin/v1/products`, and what else an import takes.
    pub fn line(&self, product: &ProductView, sheet: &Sheet) -> String {
        let values = |option: &OptionView| {
            let values: Vec<&str> = option.values.iter().map(|value| value.value.as_str()).collect();
            json!({ "name": option.name, "values": values })
        };
        let options: Vec<Value> = product.options.iter().map(values).collect();
        let variants: Vec<Value> =
            product.variants.iter().map(|variant| variant_line(variant, sheet)).collect();
        let publication = |channel: &ChannelName| {
            let placement = sheet.placement(product, channel);
            json!({
                "channel": Some(&channel.name).filter(|_| !channel.is_default),
                "published": placement.is_some_and(|placement| placement.published),
                "publish_at": placement.and_then(|placement| placement.publish_at),
                "unpublish_at": placement.and_then(|placement| placement.unpublish_at),
            })
        };
        let publications: Vec<Value> = self.channels.iter().map(publication).collect();
        let mut line = json!({
            "handle": product.handle,
            "title": product.title,
            "description_html": product.description_html,
            "vendor": product.vendor,
            "product_type": product.product_type,
            "status": product.status,
            "tags": product.tags,
            "seo_title": product.seo_title,
            "seo_description": product.seo_description,
            "category": product.category,
            "tax_class": product.tax_class,
            "options": options,
            "variants": variants,
            "metafields": metafields(&product.metafields),
            "publications": publications,
        })
        .to_string();
        line.push('\n');
        line
    }
}

fn of_variant(variant: &VariantView, sheet: &Sheet) -> [String; 11] {
    let amount = |amount: Option<Money>| amount.map(Money::decimal_string).unwrap_or_default();
    [
        variant.sku.clone().unwrap_or_default(),
        variant.weight_grams.to_string(),
        "shopify".to_owned(),
        sheet.pieces(variant).to_string(),
        variant.inventory_policy.as_str().to_owned(),
        amount(variant.price),
        amount(variant.compare_at),
        truth_out(variant.requires_shipping),
        truth_out(variant.taxable),
        variant.tax_class.clone().unwrap_or_default(),
        variant.barcode.clone().unwrap_or_default(),
    ]
}

/// One row, quoted where it must be (RFC 4180).
fn write(text: &mut String, cells: impl Iterator<Item = String>) {
    for (number, cell) in cells.enumerate() {
        if number > 0 {
            text.push(',');
        }
        let cell = guarded(&cell);
        if cell.contains([',', ';', '"', '\n', '\r', '\t']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&cell);
        }
    }
    text.push_str("\r\n");
}

fn variant_line(variant: &VariantView, sheet: &Sheet) -> Value {
    let options: Map<String, Value> = variant
        .options
        .iter()
        .map(|chosen| (chosen.name.clone(), Value::from(chosen.value.clone())))
        .collect();
    json!({
        "sku": variant.sku,
        "barcode": variant.barcode,
        "options": options,
        "price": variant.price,
        "compare_at": variant.compare_at,
        "stock": sheet.pieces(variant),
        "weight_grams": variant.weight_grams,
        "requires_shipping": variant.requires_shipping,
        "taxable": variant.taxable,
        "tax_class": variant.tax_class,
        "inventory_policy": variant.inventory_policy,
        "components": variant.components.iter().map(part).collect::<Vec<_>>(),
        "metafields": metafields(&variant.metafields),
    })
}

/// By its SKU, so that it is found in another store too; without one by its id.
fn part(part: &ComponentView) -> Value {
    match &part.sku {
        Some(sku) => json!({ "sku": sku, "quantity": part.quantity }),
        None => json!({ "variant": part.variant, "quantity": part.quantity }),
    }
}

fn metafields(fields: &[MetafieldView]) -> Vec<Value> {
    let line = |field: &MetafieldView| json!({ "namespace": field.namespace, "key": field.key, "value": field.value });
    fields.iter().map(line).collect()
}
