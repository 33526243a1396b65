//! Puts the goods into the demo store: collections, products with variants, prices and stock, pictures.

use super::Opened;
use super::catalogue::{Catalogue, Product};
use super::picture;
use crate::api::{Api, text};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Something that can be bought at once: a variant and how it is called.
pub struct Sold {
    /// Id of the variant.
    pub variant: String,
    /// Title of its product.
    pub title: String,
}

/// Fills the store; every call carries a key made of what it is about, so an interrupted fill goes on.
/// Returns the first variant that is in stock.
///
/// # Errors
/// When the store refuses something.
pub async fn fill(opened: &Opened, catalogue: &Catalogue) -> anyhow::Result<Sold> {
    let api = Api::at(&opened.url)?.with(&opened.secret_key);
    let mut collections = HashMap::new();
    for group in &catalogue.collections {
        let body =
            json!({ "handle": group.handle, "title": group.title, "description_html": group.description });
        let answer = api
            .post("/admin/v1/collections", Some(&format!("demo-collection-{}", group.handle)), &body)
            .await?;
        collections.insert(group.handle.clone(), text(&answer.fine(&group.title)?, "/id")?);
    }
    let mut sold = None;
    for product in &catalogue.products {
        let found = put(&api, product, &catalogue.store.currency, &collections).await?;
        sold = sold.or(found);
    }
    sold.ok_or_else(|| anyhow::anyhow!("nothing in the demo catalogue is in stock"))
}

async fn put(
    api: &Api,
    product: &Product,
    currency: &str,
    collections: &HashMap<String, String>,
) -> anyhow::Result<Option<Sold>> {
    let key = format!("demo-product-{}", product.handle);
    let answer = api.post("/admin/v1/products", Some(&key), &body_of(product, currency)).await?;
    let made = answer.fine(&product.title)?;
    let id = text(&made, "/id")?;
    for (number, png) in picture::draw(&product.picture)?.into_iter().enumerate() {
        let key = format!("demo-picture-{}-{number}", product.handle);
        api.post_png(&format!("/admin/v1/products/{id}/images"), &key, png).await?.fine(&product.title)?;
    }
    for group in &product.collections {
        if let Some(collection) = collections.get(group) {
            api.put(&format!("/admin/v1/collections/{collection}/products/{id}"))
                .await?
                .fine(&product.title)?;
        }
    }
    let variants = made["variants"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut sold = None;
    for (variant, made) in product.variants.iter().zip(variants) {
        let id = text(made, "/id")?;
        let key = format!("demo-stock-{}", variant.sku);
        let body = json!({ "variant": id, "set": variant.stock, "reason": "received" });
        api.post("/admin/v1/inventory-levels:adjust", Some(&key), &body).await?.fine(&product.title)?;
        if variant.stock > 1 && sold.is_none() {
            sold = Some(Sold { variant: id, title: product.title.clone() });
        }
    }
    Ok(sold)
}

/// The body of `POST /admin/v1/products`.
fn body_of(product: &Product, currency: &str) -> Value {
    let money = |minor: i64| json!({ "amount_minor": minor, "currency": currency });
    let variants: Vec<_> = product
        .variants
        .iter()
        .map(|variant| {
            let options: HashMap<_, _> =
                product.options.iter().map(|option| &option.name).zip(&variant.values).collect();
            json!({
                "sku": variant.sku,
                "options": options,
                "price": money(variant.price_minor),
                "compare_at": variant.compare_at_minor.map(money),
                "weight_grams": variant.weight_grams,
            })
        })
        .collect();
    let options: Vec<_> = product
        .options
        .iter()
        .map(|option| json!({ "name": option.name, "values": option.values }))
        .collect();
    json!({
        "handle": product.handle,
        "title": product.title,
        "description_html": product.description,
        "vendor": product.vendor,
        "product_type": product.product_type,
        "tags": product.tags,
        "status": "active",
        "options": options,
        "variants": variants,
    })
}
