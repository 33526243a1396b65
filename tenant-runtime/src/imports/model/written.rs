//! Products as rows of a table, and as lines of JSON.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use souk_kernel::{InventoryItemId, Money};

use super::cells::tags_out;
use super::columns::guarded;
use crate::catalog::{ProductView, Status, VariantView};

/// The columns that are written, in order.
const COLUMNS: [&str; 30] = [
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
];

/// Where columns begin that a row is put together from.
const OPTIONS: usize = 7;
const VARIANT: usize = 13;
const IMAGE: usize = 24;
const SEO: usize = 27;

/// The first row of a table.
pub fn begin() -> String {
    let mut text = String::new();
    write(&mut text, COLUMNS.iter().map(|column| (*column).to_owned()));
    text
}

/// A product as rows: one for each variant, more when it has more pictures. `address` is where the store's paths begin.
pub fn table(product: &ProductView, shelf: &HashMap<InventoryItemId, i64>, address: &str) -> String {
    let mut text = String::new();
    for number in 0..product.variants.len().max(product.images.len()).max(1) {
        let mut cells = vec![String::new(); COLUMNS.len()];
        let mut set = |from: usize, values: &[String]| {
            for (cell, value) in cells.iter_mut().skip(from).zip(values) {
                cell.clone_from(value);
            }
        };
        set(0, std::slice::from_ref(&product.handle));
        if number == 0 {
            let live = truth(product.status == Status::Active);
            let (title, body) = (product.title.clone(), product.description_html.clone());
            let (vendor, kind) = (product.vendor.clone(), product.product_type.clone());
            set(1, &[title, body, vendor, kind, tags_out(&product.tags), live]);
            let seo = |text: &Option<String>| text.clone().unwrap_or_default();
            let status = product.status.as_str().to_owned();
            set(SEO, &[seo(&product.seo_title), seo(&product.seo_description), status]);
        }
        if let Some(variant) = product.variants.get(number) {
            if product.options.is_empty() {
                let lone = if number == 0 { "Title" } else { "" };
                set(OPTIONS, &[lone.to_owned(), "Default Title".to_owned()]);
            }
            for (place, chosen) in variant.options.iter().enumerate() {
                let name = if number == 0 { chosen.name.clone() } else { String::new() };
                set(OPTIONS + 2 * place, &[name, chosen.value.clone()]);
            }
            set(VARIANT, &of_variant(variant, shelf));
        }
        if let Some(image) = product.images.get(number) {
            let source = format!("{address}{}", image.url);
            set(IMAGE, &[source, (number + 1).to_string(), image.alt.clone()]);
        }
        write(&mut text, cells.into_iter());
    }
    text
}

fn of_variant(variant: &VariantView, shelf: &HashMap<InventoryItemId, i64>) -> [String; 11] {
    let amount = |amount: Option<Money>| amount.map(Money::decimal_string).unwrap_or_default();
    let pieces = shelf.get(&variant.inventory_item).copied().unwrap_or_default();
    [
        variant.sku.clone().unwrap_or_default(),
        variant.weight_grams.to_string(),
        "shopify".to_owned(),
        pieces.to_string(),
        variant.inventory_policy.as_str().to_owned(),
        amount(variant.price),
        amount(variant.compare_at),
        truth(variant.requires_shipping),
        truth(variant.taxable),
        variant.tax_class.clone().unwrap_or_default(),
        variant.barcode.clone().unwrap_or_default(),
    ]
}

fn truth(is: bool) -> String {
    if is { "TRUE" } else { "FALSE" }.to_owned()
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

/// A product as a line that is a body of `POST /admin/v1/products`.
pub fn line(product: &ProductView, shelf: &HashMap<InventoryItemId, i64>) -> String {
    let values = |option: &crate::catalog::OptionView| {
        let values: Vec<&str> = option.values.iter().map(|value| value.value.as_str()).collect();
        json!({ "name": option.name, "values": values })
    };
    let options: Vec<Value> = product.options.iter().map(values).collect();
    let variants: Vec<Value> = product.variants.iter().map(|variant| variant_line(variant, shelf)).collect();
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
        "options": options,
        "variants": variants,
    })
    .to_string();
    line.push('\n');
    line
}

fn variant_line(variant: &VariantView, shelf: &HashMap<InventoryItemId, i64>) -> Value {
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
        "stock": shelf.get(&variant.inventory_item).copied().unwrap_or_default(),
        "weight_grams": variant.weight_grams,
        "requires_shipping": variant.requires_shipping,
        "taxable": variant.taxable,
        "tax_class": variant.tax_class,
        "inventory_policy": variant.inventory_policy,
    })
}
