//! Goods that are delivered in a way of their own: profiles, their zones, and a delivery of each.

use serde_json::{Value, json};

use super::{PATH, eur};
use crate::testing::shop::{Basket, Shop, ada, key, pay_with};
use crate::testing::{Answer, TestShop};

const PROFILES: &str = "/admin/v1/shipping-profiles";

/// A shop with mugs that are delivered as most goods are, wardrobes that are bulky, and songs that are downloaded.
struct House {
    shop: Shop,
    profile: String,
    wardrobe: String,
    lines: Value,
}

async fn profile(shop: &TestShop, name: &str) -> String {
    shop.owner_call("POST", PROFILES).json(&json!({ "name": name })).send().await.expect(201).text("/id")
}

async fn zone(shop: &TestShop, name: &str, profile: Option<&str>, rates: Value) -> Answer {
    let body = json!({ "name": name, "countries": ["DE"], "profile": profile, "rates": rates });
    shop.owner_call("POST", PATH).json(&body).send().await
}

impl House {
    async fn open() -> Self {
        let shop = Shop::open().await;
        shop.admin("DELETE FROM {s}.shipping_zones").await;
        let general =
            json!([{ "name": "Standard", "price": eur(490) }, { "name": "Express", "price": eur(990) }]);
        zone(&shop, "Germany", None, general).await.expect(201);
        let bulky = profile(&shop, "Bulky goods").await;
        let (mug, song) = (shop.thing(9, 1000).await, shop.thing(9, 500).await);
        let download = format!(
            "UPDATE {{s}}.product_variants SET requires_shipping = false WHERE id = '{}'",
            song.variant.uuid()
        );
        shop.admin(&download).await;
        let body =
            json!({ "title": "Wardrobe", "price": eur(50_000), "stock": 9, "shipping_profile": bulky });
        let wardrobe = shop.staff("POST", "/admin/v1/products", Some(body)).await.expect(201);
        assert_eq!(wardrobe.json["shipping_profile"], json!(bulky));
        shop.admin("UPDATE {s}.product_variants v SET weight_grams = 19500 FROM {s}.products p WHERE p.id = v.product_id AND p.title = 'Wardrobe'")
            .await;
        let lines = json!([
            { "variant": mug.variant, "quantity": 1 },
            { "variant": wardrobe.text("/variants/0/id"), "quantity": 1 },
            { "variant": song.variant, "quantity": 1 },
        ]);
        Self { wardrobe: wardrobe.text("/id"), profile: bulky, shop, lines }
    }

    /// Bulky goods have these rates in Germany.
    async fn delivers_bulky(&self) {
        // Nothing is offered for a total that the wardrobe alone does not have.
        let rates = json!([
            { "name": "Freight", "price": eur(1000), "per_kilogram": eur(100) },
            { "name": "Carry-in", "price": eur(4500) },
            { "name": "Large baskets", "price": eur(1), "min_total": eur(50_001) },
        ]);
        zone(&self.shop, "Bulky Germany", Some(self.profile.as_str()), rates).await.expect(201);
    }

    async fn basket(&self) -> Basket {
        let body = json!({ "lines": self.lines, "email": "ada@example.com", "shipping_address": ada() });
        let body = Some(body.to_string().into_bytes());
        let made = self.shop.send("POST", "/store/v1/carts", body, &[]).await.expect(201);
        Basket { id: made.text("/id").parse().unwrap(), secret: made.text("/secret") }
    }

    async fn looks(&self, basket: &Basket) -> Value {
        let headers = [("x-cart-secret", basket.secret.as_str())];
        self.shop
            .send("GET", &format!("/store/v1/carts/{}", basket.id), None, &headers)
            .await
            .expect(200)
            .json
    }

    async fn chooses(&self, basket: &Basket, option: &Value) -> Value {
        let headers = [("x-cart-secret", basket.secret.as_str())];
        let body = json!({ "shipping_rate": option["id"] }).to_string().into_bytes();
        let path = format!("/store/v1/carts/{}/shipping-option", basket.id);
        self.shop.send("PUT", &path, Some(body), &headers).await.expect(200).json
    }
}

fn minor(amount: &Value) -> i64 {
    amount["amount_minor"].as_i64().unwrap()
}

/// The options of a group, and what is selected.
fn offered(group: &Value) -> (Vec<(&str, i64)>, &Value) {
    let options = group["options"].as_array().unwrap().iter();
    let options = options.map(|option| (option["title"].as_str().unwrap(), minor(&option["price"])));
    (options.collect(), &group["selected"]["title"])
}

#[actix_web::test]
async fn each_profile_of_a_cart_is_delivered_and_chosen_for_itself() {
    let house = House::open().await;
    let basket = house.basket().await;
    // Only zones of its profile deliver a wardrobe.
    let cart = house.looks(&basket).await;
    assert_eq!((&cart["missing"], &cart["shipping"]), (&json!(["shipping_option"]), &Value::Null));
    assert_eq!(cart["delivery_groups"][1]["options"], json!([]));
    house
        .shop
        .buys(&basket, 51_500, "tok_ok")
        .await
        .refused(422, "checkout_incomplete")
        .about("/shipping_option");
    house.delivers_bulky().await;
    let cart = house.looks(&basket).await;
    let groups = cart["delivery_groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!((&groups[0]["id"], &groups[0]["profile"]), (&json!("general"), &Value::Null));
    assert_eq!((&groups[1]["id"], &groups[1]["profile"]), (&json!(house.profile), &json!(house.profile)));
    assert_eq!(groups[0]["line_ids"], json!([cart["lines"][0]["id"]]));
    assert_eq!(groups[1]["line_ids"], json!([cart["lines"][1]["id"]]));
    assert_eq!(offered(&groups[0]), (vec![("Standard", 490), ("Express", 990)], &json!("Standard")));
    assert_eq!(offered(&groups[1]), (vec![("Freight", 3000), ("Carry-in", 4500)], &json!("Freight")));
    assert_eq!(cart["shipping_options"].as_array().unwrap().len(), 4);
    assert_eq!((minor(&cart["shipping"]["price"]), minor(&cart["total"])), (3490, 54_990));
    let express = house.chooses(&basket, &groups[0]["options"][1]).await;
    assert_eq!(minor(&express["total"]), 55_490);
    let both = house.chooses(&basket, &groups[1]["options"][1]).await;
    assert_eq!((minor(&both["shipping"]["price"]), minor(&both["total"])), (5490, 56_990));
    assert_eq!(house.looks(&basket).await["delivery_groups"], both["delivery_groups"]);

    let order = house.shop.buys(&basket, 56_990, "tok_ok").await.expect(201).json["order"].clone();
    let id = order["id"].as_str().unwrap();
    let order = house.shop.order(id).await;
    let lines = order["shipping_lines"].as_array().unwrap();
    let priced: Vec<_> = lines.iter().map(|line| (&line["title"], minor(&line["price"]))).collect();
    assert_eq!(priced, [(&json!("Express"), 990), (&json!("Carry-in"), 4500)]);
    assert_eq!((minor(&order["shipping"]), minor(&order["total"])), (5490, 56_990));
    let taxed = lines.iter().chain(order["lines"].as_array().unwrap());
    let taxes: Vec<i64> = taxed
        .map(|line| line["tax_lines"].as_array().unwrap().iter().map(|tax| minor(&tax["amount"])).sum())
        .collect();
    assert!(taxes.iter().all(|tax| *tax > 0), "{taxes:?}");
    assert_eq!(taxes.iter().sum::<i64>(), minor(&order["tax"]));
    // Both go back as one, and no more than both.
    let path = format!("/admin/v1/orders/{id}/refunds");
    let refund = json!({ "shipping": eur(5490), "reason": "late" });
    house.shop.owner_call("POST", &path).keyed().json(&refund).send().await.expect(200);
    let more = json!({ "shipping": eur(1), "reason": "late" });
    house.shop.owner_call("POST", &path).keyed().json(&more).send().await.refused(409, "refund_exceeds");
    house.shop.sweep().await;
    assert_eq!(house.shop.taken().await, (56_990, 5490));
    assert_eq!((house.shop.balance_of("1000").await, house.shop.balance_of("1100").await), (51_500, 0));
}

#[actix_web::test]
async fn free_delivery_is_of_every_group() {
    let house = House::open().await;
    house.delivers_bulky().await;
    let free = json!({ "title": "Free delivery", "method": "automatic", "terms": { "kind": "free_shipping", "countries": ["DE"] } });
    house.shop.staff("POST", "/admin/v1/discounts", Some(free)).await.expect(201);
    let basket = house.basket().await;
    let cart = house.looks(&basket).await;
    for (group, price) in [(0, 490), (1, 3000)] {
        let selected = &cart["delivery_groups"][group]["selected"];
        assert_eq!((minor(&selected["discount"]), minor(&selected["price"])), (price, 0));
    }
    assert_eq!((minor(&cart["shipping"]["discount"]), minor(&cart["total"])), (3490, 51_500));
    house.shop.checkout(&basket, &key(), &pay_with(51_500, "tok_ok")).await.expect(201);
    let shares = house
        .shop
        .words("SELECT amount_minor::text AS word FROM discount_allocations ORDER BY amount_minor")
        .await;
    assert_eq!(shares, "490 3000");
}

#[actix_web::test]
async fn a_profile_that_goes_takes_its_zones_and_leaves_its_products() {
    let house = House::open().await;
    house.delivers_bulky().await;
    let path = format!("{PROFILES}/{}", house.profile);
    let named =
        house.shop.owner_call("PATCH", &path).json(&json!({ "name": "Large" })).send().await.expect(200);
    assert_eq!(house.shop.owner_call("GET", &path).send().await.expect(200).json, named.json);
    assert_eq!(
        house.shop.owner_call("GET", PROFILES).send().await.expect(200).data().as_slice(),
        [named.json]
    );
    let twice = house.shop.owner_call("POST", PROFILES).json(&json!({ "name": "Large" })).send().await;
    twice.refused(409, "shipping_name_taken");
    let basket = house.basket().await;
    let carried = house.looks(&basket).await["delivery_groups"][1]["options"][1].clone();
    house.chooses(&basket, &carried).await;
    house.shop.owner_call("DELETE", &path).send().await.expect(204);
    house.shop.owner_call("DELETE", &path).send().await.refused(404, "not_found");
    assert_eq!(house.shop.owner_call("GET", PATH).send().await.expect(200).data().len(), 1);
    let product = format!("/admin/v1/products/{}", house.wardrobe);
    let product = house.shop.staff("GET", &product, None).await.expect(200);
    assert_eq!(product.json["shipping_profile"], Value::Null);
    let cart = house.looks(&basket).await;
    assert_eq!(cart["delivery_groups"].as_array().unwrap().len(), 1);
    assert_eq!((minor(&cart["shipping"]["price"]), minor(&cart["total"])), (490, 51_990));
}

#[actix_web::test]
async fn places_are_taken_within_a_profile_only() {
    let shop = TestShop::open(None).await;
    shop.admin("DELETE FROM {s}.shipping_zones").await;
    let bulky = profile(&shop, "Bulky goods").await;
    zone(&shop, "Germany", None, json!([])).await.expect(201);
    let made = zone(&shop, "Bulky Germany", Some(bulky.as_str()), json!([])).await.expect(201);
    assert_eq!(made.json["profile"], json!(bulky));
    zone(&shop, "Again", Some(bulky.as_str()), json!([])).await.refused(409, "shipping_zone_overlap");
    zone(&shop, "Again", None, json!([])).await.refused(409, "shipping_zone_overlap");
    let alps = json!({ "name": "Bulky Alps", "countries": ["AT"], "profile": bulky });
    let alps = shop.owner_call("POST", PATH).json(&alps).send().await.expect(201).text("/id");
    let path = format!("{PATH}/{alps}");
    let wider = json!({ "countries": ["AT", "DE"] });
    shop.owner_call("PATCH", &path).json(&wider).send().await.refused(409, "shipping_zone_overlap");
    let wider = json!({ "countries": ["AT", "CH"] });
    shop.owner_call("PATCH", &path).json(&wider).send().await.expect(200);
}

#[actix_web::test]
async fn a_profile_of_another_store_is_none() {
    let (shop, other) = (TestShop::open(None).await, TestShop::open(None).await);
    let theirs = profile(&other, "Bulky goods").await;
    let body = json!({ "title": "Wardrobe", "price": eur(50_000) });
    let made = shop.owner_call("POST", "/admin/v1/products").keyed().json(&body).send().await.expect(201);
    let before = shop.digest().await;
    let path = format!("{PROFILES}/{theirs}");
    shop.owner_call("GET", &path).send().await.refused(404, "not_found");
    shop.owner_call("PATCH", &path).json(&json!({ "name": "Mine" })).send().await.refused(404, "not_found");
    shop.owner_call("DELETE", &path).send().await.refused(404, "not_found");
    let zone = zone(&shop, "Bulky Germany", Some(theirs.as_str()), json!([])).await;
    zone.refused(422, "validation_failed").about("/profile");
    let product = format!("/admin/v1/products/{}", made.text("/id"));
    let version = format!("\"{}\"", made.json["version"]);
    let edit = shop.owner_call("PATCH", &product).header("if-match", &version);
    let edit = edit.json(&json!({ "shipping_profile": theirs })).send().await;
    edit.refused(422, "validation_failed").about("/shipping_profile");
    assert_eq!(shop.digest().await, before);
    assert_eq!(other.owner_call("GET", &path).send().await.expect(200).text("/name"), "Bulky goods");
}
