//! What a draft refuses, and where it says so.

use serde_json::{Value, json};

use super::*;

fn draft(body: Value) -> Result<Draft, CatalogError> {
    let wish: CreateProduct = serde_json::from_value(body).unwrap();
    Draft::of(&wish, &Handle::slug_of(wish.title.as_str()), Currency::EUR)
}

fn pointers(body: Value) -> Vec<String> {
    match draft(body) {
        Err(CatalogError::Invalid(errors)) => errors.iter().map(|error| error.pointer.to_string()).collect(),
        other => panic!("{other:?}"),
    }
}

fn euro(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

#[test]
fn a_product_without_choices_has_one_variant() {
    let draft = draft(json!({ "title": "Mug", "price": euro(900), "stock": 4, "tags": ["a", "A"] })).unwrap();
    assert_eq!(draft.variants.len(), 1);
    assert_eq!(draft.variants[0].title, "Default");
    assert_eq!(draft.variants[0].item().on_hand, 4);
    assert_eq!(draft.product.tags, ["a"]);
}

#[test]
fn variants_take_their_values_in_option_order() {
    let draft = draft(json!({
        "title": "Shirt",
        "options": [{ "name": "Size", "values": ["S", "L"] }, { "name": "Colour", "values": ["White"] }],
        "variants": [{ "options": { "Colour": "White", "Size": "L" }, "price": euro(100) }],
    }))
    .unwrap();
    assert_eq!(draft.variants[0].title, "L / White");
    assert_eq!(draft.values.len(), 3);
}

#[test]
fn every_mistake_is_named_where_it_is() {
    assert_eq!(pointers(json!({ "title": "Mug" })), ["/price"]);
    assert_eq!(pointers(json!({ "title": "Mug", "price": euro(-1) })), ["/price/amount_minor"]);
    let dollars = json!({ "amount_minor": 5, "currency": "USD" });
    assert_eq!(pointers(json!({ "title": "Mug", "price": dollars })), ["/price/currency"]);
    let shirt = |variants: Value| json!({ "title": "S", "options": [{ "name": "Size", "values": ["S", "L"] }], "variants": variants });
    assert_eq!(pointers(shirt(json!([]))), ["/variants"]);
    let wrong = json!([{ "options": { "Size": "XL" }, "price": euro(1) }, { "options": { "Fit": "slim" }, "price": euro(1) }]);
    assert_eq!(
        pointers(shirt(wrong))[..3],
        ["/variants/0/options/Size", "/variants/1/options/Fit", "/variants/1/options/Size"]
    );
    let twice = json!([{ "sku": "a", "options": { "Size": "S" }, "price": euro(1) }, { "sku": "a", "options": { "Size": "S" }, "price": euro(1) }]);
    assert_eq!(pointers(shirt(twice)), ["/variants/1/options", "/variants/1/sku"]);
    let cheap = json!({ "title": "Mug", "price": euro(500), "compare_at": euro(500) });
    assert_eq!(pointers(cheap), ["/compare_at"]);
    let script = json!({ "title": "Mug", "price": euro(1), "description_html": "<script>" });
    assert_eq!(pointers(script), ["/description_html"]);
}

#[test]
fn three_options_are_the_most() {
    let options: Vec<_> = (0..4).map(|n| json!({ "name": n.to_string(), "values": ["x"] })).collect();
    assert!(
        pointers(json!({ "title": "S", "options": options, "variants": [{ "price": euro(1) }] }))
            .contains(&"/options".to_owned())
    );
}

#[test]
fn an_empty_sku_takes_it_away() {
    let now = || Some("a".to_owned());
    assert_eq!(sku_of("/sku", None, now()).unwrap(), now());
    assert_eq!(sku_of("/sku", Some(&LongText::parse("").unwrap()), now()).unwrap(), None);
    assert!(sku_of("/sku", Some(&LongText::parse("a\nb").unwrap()), now()).is_err());
}
