//! Carts over HTTP.

mod model_based;

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk_tenancy::StatementCount;

use crate::testing::Answer;
use crate::testing::shop::{Basket, Shop, Thing, ada};

fn eur(minor: i64) -> Value {
    json!({ "amount_minor": minor, "currency": "EUR" })
}

impl Shop {
    async fn makes_cart(&self, body: Value) -> Answer {
        self.call("POST", "/store/v1/carts").json(&body).send().await
    }

    async fn on_cart(&self, method: &str, basket: &Basket, below: &str, body: Option<Value>) -> Answer {
        let call = self.call(method, &format!("/store/v1/carts/{}{below}", basket.id));
        let call = call.header("x-cart-secret", &basket.secret);
        match body {
            Some(body) => call.json(&body).send().await,
            None => call.send().await,
        }
    }
}

fn basket_of(answer: &Answer) -> Basket {
    Basket { id: answer.text("/id").parse().unwrap(), secret: answer.text("/secret") }
}

#[actix_web::test]
async fn a_cart_from_first_to_last() {
    let shop = Shop::open().await;
    let (mug, print) = (shop.thing(9, 1000).await, shop.thing(9, 2500).await);
    let empty = shop.makes_cart(json!({})).await.expect(201);
    let basket = basket_of(&empty);
    assert_eq!(
        (&empty.json["state"], &empty.json["total"], &empty.json["missing"], &empty.json["attributes"]),
        (&json!("active"), &eur(0), &json!(["lines", "email"]), &json!({}))
    );
    assert_eq!(empty.header("cache-control"), "no-store");
    let one = shop
        .on_cart("POST", &basket, "/lines", Some(json!({ "variant": mug.variant, "quantity": 2 })))
        .await
        .expect(200);
    assert!(one.json.get("secret").is_none());
    let line = &one.json["lines"][0];
    assert_eq!(
        (&line["title"], &line["unit_price"], &line["total"], &line["quantity"]),
        (&json!("Enamel mug"), &eur(1000), &eur(2000), &json!(2))
    );
    assert_eq!((&one.json["tax"], &one.json["prices_include_tax"]), (&eur(319), &json!(true)));
    // The same again adds up; another comes after it.
    shop.on_cart("POST", &basket, "/lines", Some(json!({ "variant": mug.variant, "quantity": 1 })))
        .await
        .expect(200);
    let two = shop
        .on_cart("POST", &basket, "/lines", Some(json!({ "variant": print.variant, "quantity": 1 })))
        .await
        .expect(200);
    let rows = |answer: &Answer| {
        answer.json["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["quantity"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!((rows(&two), &two.json["subtotal"]), (vec![3, 1], &eur(5500)));
    let first = format!("/lines/{}", two.text("/lines/0/id"));
    let fewer = shop.on_cart("PATCH", &basket, &first, Some(json!({ "quantity": 1 }))).await.expect(200);
    assert_eq!(rows(&fewer), [1, 1]);
    let told = shop
        .on_cart("PATCH", &basket, "", Some(json!({
            "email": "ada@example.com", "note": "ring twice", "shipping_address": ada(), "attributes": { "gift_wrap": "yes" },
        })))
        .await
        .expect(200);
    assert_eq!(
        (
            &told.json["email"],
            &told.json["note"],
            &told.json["attributes"],
            &told.json["missing"],
            &told.json["ready_for_checkout"]
        ),
        (
            &json!("ada@example.com"),
            &json!("ring twice"),
            &json!({ "gift_wrap": "yes" }),
            &json!([]),
            &json!(true)
        )
    );
    assert_eq!(
        (&told.json["shipping"]["title"], &told.json["total"]),
        (&json!("Standard"), &eur(3500 + 490))
    );
    let options = shop.on_cart("GET", &basket, "/shipping-options", None).await.expect(200);
    assert_eq!(options.data(), told.json["shipping_options"].as_array().unwrap());
    let choice = json!({ "shipping_rate": options.data()[0]["id"] });
    let chosen = shop.on_cart("PUT", &basket, "/shipping-option", Some(choice)).await.expect(200);
    assert_eq!(chosen.json["shipping"]["id"], options.data()[0]["id"]);
    // Null clears, left out stays.
    let cleared = shop
        .on_cart("PATCH", &basket, "", Some(json!({ "note": null, "attributes": null })))
        .await
        .expect(200);
    assert_eq!(
        (&cleared.json["note"], &cleared.json["attributes"], &cleared.json["email"]),
        (&json!(""), &json!({}), &json!("ada@example.com"))
    );
    let gone = shop.on_cart("DELETE", &basket, &first, None).await.expect(200);
    assert_eq!((rows(&gone), gone.json["version"].as_i64()), (vec![1], Some(9)));
    let shown = shop.on_cart("GET", &basket, "", None).await.expect(200);
    assert_eq!(shown.json, gone.json);
}

#[actix_web::test]
async fn what_is_not_there_is_not_put_in() {
    let shop = Shop::open().await;
    let (few, none) = (shop.thing(3, 1000).await, shop.thing(0, 1000).await);
    let cut =
        shop.makes_cart(json!({ "lines": [{ "variant": few.variant, "quantity": 5 }] })).await.expect(201);
    assert_eq!(
        cut.json["warnings"],
        json!([{ "code": "quantity_limited", "message": "Only 3 can be in the cart.", "variant": few.variant, "requested": 5, "quantity": 3 }])
    );
    let basket = basket_of(&cut);
    let before = shop.digest().await;
    let adds = |body| shop.on_cart("POST", &basket, "/lines", Some(body));
    adds(json!({ "variant": none.variant, "quantity": 1 }))
        .await
        .refused(422, "validation_failed")
        .about("/variant");
    adds(json!({ "variant": "var_01h455vb4pex5vsknk084sn02q", "quantity": 1 }))
        .await
        .refused(422, "validation_failed")
        .about("/variant");
    for quantity in
        [json!(0), json!(-1), json!(10_000), json!(1_000_000), json!(1.5), json!("1"), json!(i64::MAX)]
    {
        adds(json!({ "variant": few.variant, "quantity": quantity }))
            .await
            .refused(422, "validation_failed")
            .about("/quantity");
    }
    adds(json!({ "variant": few.variant })).await.refused(422, "validation_failed").about("/quantity");
    adds(json!({ "variant": few.variant, "quantity": 1, "price": 1 }))
        .await
        .refused(422, "unknown_field")
        .about("/price");
    let edits = |body| shop.on_cart("PATCH", &basket, "", Some(body));
    edits(json!({ "email": "ada" })).await.refused(422, "validation_failed").about("/email");
    edits(json!({ "attributes": { "": "x" } })).await.refused(422, "validation_failed").about("/attributes");
    edits(json!({ "attributes": { "n": 1 } })).await.refused(422, "validation_failed");
    edits(json!({ "note": "n".repeat(2001) })).await.refused(422, "validation_failed").about("/note");
    let mut nowhere = ada();
    nowhere["country"] = json!("XX");
    edits(json!({ "shipping_address": nowhere }))
        .await
        .refused(422, "validation_failed")
        .about("/shipping_address/country");
    let rate = json!({ "shipping_rate": "shr_01h455vb4pex5vsknk084sn02q" });
    shop.on_cart("PUT", &basket, "/shipping-option", Some(rate))
        .await
        .refused(422, "validation_failed")
        .about("/shipping_rate");
    shop.on_cart("PATCH", &basket, "/lines/cln_01h455vb4pex5vsknk084sn02q", Some(json!({ "quantity": 1 })))
        .await
        .refused(404, "not_found");
    shop.on_cart("DELETE", &basket, "/lines/cln_01h455vb4pex5vsknk084sn02q", None)
        .await
        .refused(404, "not_found");
    assert_eq!(shop.digest().await, before);
    // What goes off sale stays in the cart, costs nothing and is named.
    shop.admin("UPDATE {s}.products SET status = 'draft'").await;
    let shown = shop.on_cart("GET", &basket, "", None).await.expect(200);
    assert_eq!((&shown.json["lines"], &shown.json["total"]), (&json!([]), &eur(0)));
    assert_eq!(shown.json["unavailable_lines"][0]["variant"], json!(few.variant));
}

#[actix_web::test]
async fn a_cart_is_open_to_its_secret_only() {
    let shop = Shop::open().await;
    let mug = shop.thing(9, 1000).await;
    let mine = shop.basket(mug, 1).await;
    let theirs = shop.basket(mug, 1).await;
    let before = shop.digest().await;
    let mixed = Basket { id: mine.id, secret: theirs.secret.clone() };
    let none = Basket { id: mine.id, secret: "A".repeat(43) };
    for basket in [&mixed, &none] {
        let line = Some(json!({ "variant": mug.variant, "quantity": 1 }));
        shop.on_cart("GET", basket, "", None).await.refused(404, "not_found");
        shop.on_cart("POST", basket, "/lines", line).await.refused(404, "not_found");
        shop.on_cart("PATCH", basket, "", Some(json!({ "note": "x" }))).await.refused(404, "not_found");
        shop.on_cart("GET", basket, "/shipping-options", None).await.refused(404, "not_found");
    }
    shop.call("GET", &format!("/store/v1/carts/{}", mine.id)).send().await.refused(404, "not_found");
    let other = Shop::open().await;
    other.on_cart("GET", &mine, "", None).await.refused(404, "not_found");
    assert_eq!(shop.digest().await, before);
}

#[actix_web::test]
async fn a_bought_cart_is_finished() {
    let shop = Shop::open().await;
    let mug = shop.thing(9, 1000).await;
    let basket = shop.basket(mug, 1).await;
    shop.on_cart("PATCH", &basket, "", Some(json!({ "attributes": { "gift_wrap": "yes" } })))
        .await
        .expect(200);
    let bought = shop.buys(&basket, 1490, "tok_ok").await.expect(201);
    assert_eq!(bought.json["order"]["attributes"], json!({ "gift_wrap": "yes" }));
    let line = json!({ "variant": mug.variant, "quantity": 1 });
    shop.on_cart("POST", &basket, "/lines", Some(line)).await.refused(409, "cart_finished");
    assert_eq!(shop.on_cart("GET", &basket, "", None).await.expect(200).json["state"], "completed");
    // A card number hides in no corner of a cart.
    let card = shop.basket(mug, 1).await;
    shop.on_cart("PATCH", &card, "", Some(json!({ "attributes": { "card": "4242 4242 4242 4242" } })))
        .await
        .expect(200);
    shop.buys(&card, 1490, "tok_ok").await.refused(422, "card_number").about("/attributes");
}

#[actix_web::test]
async fn many_hands_in_one_cart_lose_nothing() {
    let shop = Shop::open().await;
    let mut things: Vec<Thing> = Vec::new();
    for _ in 0..8 {
        things.push(shop.thing(99, 1000).await);
    }
    let basket = basket_of(&shop.makes_cart(json!({})).await.expect(201));
    let adds = things.iter().chain(&things).map(|thing| {
        shop.on_cart("POST", &basket, "/lines", Some(json!({ "variant": thing.variant, "quantity": 1 })))
    });
    for answer in join_all(adds).await {
        answer.expect(200);
    }
    let shown = shop.on_cart("GET", &basket, "", None).await.expect(200);
    let pieces: Vec<_> = shown.json["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["quantity"].as_i64().unwrap())
        .collect();
    assert_eq!((pieces, &shown.json["subtotal"]), (vec![2; 8], &eur(16_000)));
}

/// What each call costs the database: hot, so to the number.
#[actix_web::test]
async fn a_cart_costs_so_many_statements() {
    let shop = Shop::open().await;
    let mug = shop.thing(9, 1000).await;
    let made =
        shop.makes_cart(json!({ "lines": [{ "variant": mug.variant, "quantity": 1 }] })).await.expect(201);
    let basket = basket_of(&made);
    let line = format!("/lines/{}", made.text("/lines/0/id"));
    let added = shop
        .on_cart("POST", &basket, "/lines", Some(json!({ "variant": mug.variant, "quantity": 1 })))
        .await
        .expect(200);
    let changed = shop.on_cart("PATCH", &basket, &line, Some(json!({ "quantity": 3 }))).await.expect(200);
    let count = StatementCount::new();
    let shown = count.scope(shop.on_cart("GET", &basket, "", None)).await.expect(200);
    assert_eq!((count.statements(), count.transactions()), shown.cost);
    let costs = [made.cost, added.cost, changed.cost, shown.cost];
    assert_eq!(costs, [(6, 1), (7, 1), (7, 1), (5, 1)], "create, add, change, show");
}

#[actix_web::test]
async fn an_address_is_one_of_its_country() {
    let shop = Shop::open().await;
    let rules = shop.call("GET", "/store/v1/address-rules/US").send().await.expect(200).json;
    assert_eq!(
        (&rules["postal_code"]["label"], &rules["province"]["required"]),
        (&json!("ZIP code"), &json!(true))
    );
    assert_eq!(rules["province"]["options"][4], json!({ "code": "CA", "name": "California" }));
    shop.call("GET", "/store/v1/address-rules/XX").send().await.refused(404, "not_found");
    let basket = basket_of(&shop.makes_cart(json!({})).await.expect(201));
    let before = shop.digest().await;
    let american = |province: Value, code: Value| {
        let mut address = ada();
        address["country"] = json!("US");
        address["province"] = province;
        address["postal_code"] = code;
        address
    };
    for (address, field) in [
        (american(Value::Null, json!("94103")), "province"),
        (american(json!("Bavaria"), json!("94103")), "province"),
        (american(json!("CA"), json!("9410")), "postal_code"),
        (american(json!("CA"), Value::Null), "postal_code"),
    ] {
        for which in ["shipping_address", "billing_address"] {
            let pointer = format!("/{which}/{field}");
            let body = json!({ which: address });
            shop.on_cart("PATCH", &basket, "", Some(body.clone()))
                .await
                .refused(422, "validation_failed")
                .about(&pointer);
            shop.makes_cart(body).await.refused(422, "validation_failed").about(&pointer);
        }
    }
    assert_eq!(shop.digest().await, before);
    let body = json!({ "shipping_address": american(json!("california"), json!("94103 1234")) });
    let cart = shop.on_cart("PATCH", &basket, "", Some(body)).await.expect(200).json;
    let kept = (&cart["shipping_address"]["province"], &cart["shipping_address"]["postal_code"]);
    assert_eq!(kept, (&json!("CA"), &json!("94103-1234")));
    // What was written before there were rules stays, whatever else is changed.
    shop.admin("UPDATE {s}.carts SET shipping_address = shipping_address - 'province' - 'postal_code'").await;
    shop.on_cart("PATCH", &basket, "", Some(json!({ "note": "ring twice" }))).await.expect(200);
}
