//! Collections by rule: what is in them is true after every write, whoever writes at the same time.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::{eur, simple};
use crate::testing::TestShop;

const PATH: &str = "/admin/v1/collections";
const PRODUCTS: &str = "/admin/v1/products";

async fn made(shop: &TestShop, title: &str, matching: &str, rules: Value) -> Value {
    let body = json!({ "title": title, "rules": { "match": matching, "rules": rules } });
    shop.owner_call("POST", PATH).json(&body).send().await.expect(201).json
}

/// What shoppers see in a collection, in its order.
async fn shown(shop: &TestShop, handle: &str) -> Vec<String> {
    let page = shop.call("GET", &format!("/store/v1/products?collection={handle}")).send().await.expect(200);
    page.data().iter().map(|product| product["title"].as_str().unwrap().to_owned()).collect()
}

async fn edited(shop: &TestShop, product: &Value, body: Value) {
    let path = format!("{PRODUCTS}/{}", product["id"].as_str().unwrap());
    shop.owner_call("PATCH", &path).header("if-match", "*").json(&body).send().await.expect(200);
}

#[actix_web::test]
async fn rules_say_what_is_in_a_collection() {
    let shop = TestShop::open(None).await;
    let tagged = |title: &str, price: i64, tags: Value| {
        let body = json!({ "title": title, "price": eur(price), "stock": 3, "tags": tags, "vendor": "Atelier Noord" });
        shop.owner_call("POST", PRODUCTS).json(&body).send()
    };
    for (title, price, tags) in [
        ("Linen shirt", 7900, json!(["Summer", "linen"])),
        ("Straw hat", 2900, json!(["summer"])),
        ("Wool scarf", 3900, json!(["winter"])),
    ] {
        tagged(title, price, tags).await.expect(201);
    }
    let summer = json!({ "field": "tag", "relation": "equals", "text": "SUMMER" });
    let cheap = json!({ "field": "price", "relation": "less_than", "amount": eur(4000) });
    let both = made(&shop, "Summer sale", "all", json!([summer, cheap])).await;
    assert_eq!((&both["product_count"], &both["rules"]["match"]), (&json!(1), &json!("all")));
    assert_eq!(
        both["rules"]["rules"],
        json!([{ "field": "tag", "relation": "equals", "text": "SUMMER" }, cheap])
    );
    made(&shop, "Either", "any", json!([summer, cheap])).await;
    assert_eq!(shown(&shop, "summer-sale").await, ["Straw hat"]);
    // The newest come first; those of one second in the order of their ids.
    let mut either = shown(&shop, "either").await;
    either.sort();
    assert_eq!(either, ["Linen shirt", "Straw hat", "Wool scarf"]);
    // One rule each, and what fits it.
    for (number, (rule, expected)) in [
        (json!({ "field": "tag", "relation": "not_equals", "text": "summer" }), vec!["Wool scarf"]),
        (json!({ "field": "title", "relation": "starts_with", "text": "straw" }), vec!["Straw hat"]),
        (json!({ "field": "title", "relation": "ends_with", "text": "SHIRT" }), vec!["Linen shirt"]),
        (json!({ "field": "title", "relation": "contains", "text": "w" }), vec!["Straw hat", "Wool scarf"]),
        (json!({ "field": "title", "relation": "not_contains", "text": "w" }), vec!["Linen shirt"]),
        (json!({ "field": "title", "relation": "contains", "text": "%" }), vec![]),
        (
            json!({ "field": "vendor", "relation": "equals", "text": "atelier noord" }),
            vec!["Linen shirt", "Straw hat", "Wool scarf"],
        ),
        (json!({ "field": "product_type", "relation": "is_set" }), vec![]),
        (
            json!({ "field": "product_type", "relation": "is_not_set" }),
            vec!["Linen shirt", "Straw hat", "Wool scarf"],
        ),
        (json!({ "field": "price", "relation": "equals", "amount": eur(2900) }), vec!["Straw hat"]),
        (json!({ "field": "price", "relation": "greater_than", "amount": eur(3900) }), vec!["Linen shirt"]),
        (json!({ "field": "compare_at", "relation": "is_set" }), vec![]),
        (
            json!({ "field": "weight", "relation": "less_than", "grams": 1 }),
            vec!["Linen shirt", "Straw hat", "Wool scarf"],
        ),
        (
            json!({ "field": "variant_title", "relation": "equals", "text": "default" }),
            vec!["Linen shirt", "Straw hat", "Wool scarf"],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        made(&shop, &format!("Rule {number}"), "all", json!([rule])).await;
        let mut titles = shown(&shop, &format!("rule-{number}")).await;
        titles.sort();
        assert_eq!(titles, expected, "{rule}");
    }
    // Shoppers are not told the rules; reading costs what it costs without.
    let seen = shop.call("GET", "/store/v1/collections/summer-sale").send().await.expect(200);
    assert_eq!((seen.json.get("rules"), seen.cost), (None, (1, 1)));
}

#[actix_web::test]
async fn what_is_in_it_follows_every_write() {
    let shop = TestShop::open(None).await;
    let rules = json!([
        { "field": "compare_at", "relation": "is_set" },
        { "field": "sku", "relation": "starts_with", "text": "sale-" },
        { "field": "weight", "relation": "greater_than", "grams": 5000 },
        { "field": "tag", "relation": "equals", "text": "sale" },
    ]);
    let sale = made(&shop, "Sale", "any", rules).await;
    let hat = simple(&shop, "Hat", 1000).await;
    let (id, variant) = (hat["id"].as_str().unwrap(), hat["variants"][0]["id"].as_str().unwrap());
    assert_eq!((shown(&shop, "sale").await, &hat["collections"]), (vec![], &json!([])));
    // A tag.
    edited(&shop, &hat, json!({ "tags": ["sale"] })).await;
    assert_eq!(shown(&shop, "sale").await, ["Hat"]);
    let now = shop.owner_call("GET", &format!("{PRODUCTS}/{id}")).send().await.expect(200);
    assert_eq!(now.json["collections"], json!([sale["id"]]));
    edited(&shop, &hat, json!({ "tags": [] })).await;
    assert!(shown(&shop, "sale").await.is_empty());
    // A price.
    let price = format!("/admin/v1/variants/{variant}/price");
    let set = |body: Value| shop.owner_call("PUT", &price).header("if-match", "*").json(&body).send();
    set(json!({ "price": eur(900), "compare_at": eur(1000) })).await.expect(200);
    assert_eq!(shown(&shop, "sale").await, ["Hat"]);
    set(json!({ "price": eur(1000) })).await.expect(200);
    assert!(shown(&shop, "sale").await.is_empty());
    // A variant's own columns.
    let one = format!("{PRODUCTS}/{id}/variants/{variant}");
    let with = |body: Value| shop.owner_call("PATCH", &one).header("if-match", "*").json(&body).send();
    with(json!({ "sku": "SALE-HAT" })).await.expect(200);
    assert_eq!(shown(&shop, "sale").await, ["Hat"]);
    with(json!({ "sku": "" })).await.expect(200);
    assert!(shown(&shop, "sale").await.is_empty());
    // One more variant, and one less.
    let shirt = json!({ "title": "Shirt", "options": [{ "name": "Size", "values": ["M"] }],
        "variants": [{ "options": { "Size": "M" }, "price": eur(100) }] });
    let shirt = shop.owner_call("POST", PRODUCTS).json(&shirt).send().await.expect(201);
    let variants = format!("{PRODUCTS}/{}/variants", shirt.text("/id"));
    let heavy = json!({ "options": { "Size": "L" }, "price": eur(100), "weight_grams": 6000 });
    let more = shop.owner_call("POST", &variants).json(&heavy).send().await.expect(201);
    assert_eq!(
        (shown(&shop, "sale").await, &more.json["collections"]),
        (vec!["Shirt".to_owned()], &json!([sale["id"]]))
    );
    shop.owner_call("DELETE", &format!("{variants}/{}", more.text("/variants/1/id")))
        .send()
        .await
        .expect(204);
    assert!(shown(&shop, "sale").await.is_empty());
    // A new product is in it at once, and other rules are true at once.
    let body = json!({ "title": "Scarf", "price": eur(1), "tags": ["SALE"] });
    let scarf = shop.owner_call("POST", PRODUCTS).json(&body).send().await.expect(201);
    assert_eq!(scarf.json["collections"], json!([sale["id"]]));
    let path = format!("{PATH}/{}", sale["id"].as_str().unwrap());
    let other = json!({ "rules": { "match": "all", "rules": [{ "field": "title", "relation": "contains", "text": "h" }] } });
    let changed =
        shop.owner_call("PATCH", &path).header("if-match", "\"1\"").json(&other).send().await.expect(200);
    assert_eq!((&changed.json["product_count"], &changed.json["version"]), (&json!(2), &json!(2)));
    let mut titles = shown(&shop, "sale").await;
    titles.sort();
    assert_eq!(titles, ["Hat", "Shirt"]);
    // Another title leaves the rules.
    shop.owner_call("PATCH", &path).json(&json!({ "title": "Final sale" })).send().await.expect(200);
    edited(&shop, &scarf.json, json!({ "title": "Shawl" })).await;
    assert_eq!(shown(&shop, "sale").await.len(), 3);
    shop.owner_call("DELETE", &format!("{PRODUCTS}/{id}")).send().await.expect(204);
    assert_eq!(shown(&shop, "sale").await.len(), 2);
}

#[actix_web::test]
async fn nobody_picks_what_rules_say_and_no_rule_is_nonsense() {
    let shop = TestShop::open(None).await;
    let hat = simple(&shop, "Hat", 1000).await;
    let ruled =
        made(&shop, "Ruled", "all", json!([{ "field": "tag", "relation": "equals", "text": "x" }])).await;
    let picked = shop.owner_call("POST", PATH).json(&json!({ "title": "Picked" })).send().await.expect(201);
    let path = format!("{PATH}/{}", ruled["id"].as_str().unwrap());
    let one = format!("{path}/products/{}", hat["id"].as_str().unwrap());
    let before = shop.digest().await;
    for method in ["PUT", "DELETE"] {
        shop.owner_call(method, &one).send().await.refused(409, "collection_by_rules");
    }
    let all = json!({ "products": [hat["id"]] });
    let arrange = format!("{path}/products");
    shop.owner_call("PUT", &arrange).json(&all).send().await.refused(409, "collection_by_rules");
    let rules = json!({ "rules": { "match": "all", "rules": [{ "field": "tag", "relation": "equals", "text": "x" }] } });
    let by_hand = format!("{PATH}/{}", picked.text("/id"));
    shop.owner_call("PATCH", &by_hand).json(&rules).send().await.refused(409, "collection_by_hand");
    let many: Vec<Value> =
        (0..61).map(|_| json!({ "field": "tag", "relation": "equals", "text": "x" })).collect();
    for (rules, pointer) in [
        (json!([]), "/rules/rules"),
        (json!(many), "/rules/rules"),
        (json!([{ "field": "tag", "relation": "less_than", "text": "x" }]), "/rules/rules/0/relation"),
        (
            json!([{ "field": "price", "relation": "less_than", "amount": { "amount_minor": 1, "currency": "USD" } }]),
            "/rules/rules/0/amount/currency",
        ),
        (json!([{ "field": "tag", "relation": "equals" }]), "/rules/rules/0/text"),
    ] {
        let body = json!({ "title": "Nonsense", "rules": { "match": "all", "rules": rules } });
        shop.owner_call("POST", PATH)
            .json(&body)
            .send()
            .await
            .refused(422, "validation_failed")
            .about(pointer);
        let body = json!({ "rules": { "match": "any", "rules": rules } });
        shop.owner_call("PATCH", &path)
            .json(&body)
            .send()
            .await
            .refused(422, "validation_failed")
            .about(pointer);
    }
    let body = json!({ "title": "x", "rules": { "match": "all", "rules": [{ "field": "moon", "relation": "equals", "text": "x" }] } });
    shop.owner_call("POST", PATH).json(&body).send().await.refused(422, "validation_failed");
    assert_eq!(shop.digest().await, before);
}

/// Rules and products change at the same moment: when all is done, what is in the collection is what its rules say.
#[actix_web::test]
async fn neither_misses_what_the_other_does() {
    let shop = TestShop::open(None).await;
    let mut products = Vec::new();
    for number in 0..4 {
        products.push(simple(&shop, &format!("Mug {number}"), 100).await);
    }
    let rule = |tag: &str| json!({ "match": "all", "rules": [{ "field": "tag", "relation": "equals", "text": tag }] });
    let body = json!({ "title": "Moving", "rules": rule("a") });
    let moving = shop.owner_call("POST", PATH).json(&body).send().await.expect(201);
    let path = format!("{PATH}/{}", moving.text("/id"));
    for round in 0..6 {
        let tag = if round % 2 == 0 { "b" } else { "a" };
        let wish = json!({ "rules": rule(tag) });
        let rules = shop.owner_call("PATCH", &path).json(&wish).send();
        let edits = products.iter().enumerate().map(|(number, product)| {
            let tags = if (number + round) % 2 == 0 { json!(["a"]) } else { json!(["b"]) };
            let path = format!("{PRODUCTS}/{}", product["id"].as_str().unwrap());
            let shop = &shop;
            async move {
                let body = json!({ "tags": tags });
                shop.owner_call("PATCH", &path).header("if-match", "*").json(&body).send().await.expect(200)
            }
        });
        let fresh = json!({ "title": format!("New {round}"), "price": eur(1), "tags": [tag] });
        let fresh = shop.owner_call("POST", PRODUCTS).json(&fresh).send();
        let ((rules, fresh), _) = join(join(rules, fresh), join_all(edits)).await;
        rules.expect(200);
        fresh.expect(201);
        let wrong = "SELECT count(*) AS number FROM products p CROSS JOIN collections c \
             LEFT JOIN collection_products x ON x.product_id = p.id AND x.collection_id = c.id \
             WHERE (p.tags @> ARRAY[c.rules -> 0 ->> 'text']) <> (x.product_id IS NOT NULL)";
        assert_eq!(shop.number(wrong).await, 0, "round {round}");
    }
}
