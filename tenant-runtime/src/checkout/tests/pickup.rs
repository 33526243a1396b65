//! What is bought is collected where it lies: no address, no delivery, the tax of the place, the stock of the place.

use serde_json::{Value, json};

use super::shop::{Basket, Shop, Thing, key};
use crate::testing::Answer;

impl Shop {
    /// Lets shoppers collect at the only location there is; its id.
    async fn lets_collect(&self) -> String {
        let places = self.staff("GET", "/admin/v1/locations", None).await.expect(200);
        let place = places.data()[0]["id"].as_str().unwrap().to_owned();
        let terms = json!({ "pickup": true, "pickup_instructions": "Ring at the gate.", "opening_hours": "Mon to Fri", "pickup_ready_hours": 2 });
        let path = format!("/admin/v1/locations/{place}");
        let call = self.owner_call("PATCH", &path).header("if-match", "\"1\"").json(&terms);
        let seen = call.send().await.expect(200);
        for (name, value) in terms.as_object().unwrap() {
            assert_eq!(&seen.json[name], value, "{name}");
        }
        place
    }

    /// A cart of somebody who says no address.
    async fn homeless(&self, thing: Thing, quantity: u32) -> (Basket, Answer) {
        let body = json!({ "lines": [{ "variant": thing.variant, "quantity": quantity }], "email": "ada@example.com" });
        let made =
            self.send("POST", "/store/v1/carts", Some(body.to_string().into_bytes()), &[]).await.expect(201);
        (Basket { id: made.text("/id").parse().unwrap(), secret: made.text("/secret") }, made)
    }

    async fn looks(&self, basket: &Basket) -> Answer {
        let headers = [("x-cart-secret", basket.secret.as_str())];
        self.send("GET", &format!("/store/v1/carts/{}", basket.id), None, &headers).await.expect(200)
    }

    async fn collects(&self, basket: &Basket, option: &Value) -> Answer {
        let headers = [("x-cart-secret", basket.secret.as_str())];
        let body = json!({ "shipping_rate": option["id"] }).to_string().into_bytes();
        let path = format!("/store/v1/carts/{}/shipping-option", basket.id);
        self.send("PUT", &path, Some(body), &headers).await
    }
}

#[actix_web::test]
async fn who_collects_says_no_address_and_pays_no_delivery() {
    let shop = Shop::open().await;
    let mug = shop.thing(10, 1000).await;
    let (basket, made) = shop.homeless(mug, 2).await;
    assert_eq!(made.json["shipping_options"], json!([]));
    let before = shop.looks(&basket).await.cost;
    let place = shop.lets_collect().await;
    let seen = shop.looks(&basket).await;
    // One statement more, where shoppers may collect.
    assert_eq!(seen.cost, (before.0 + 1, before.1));
    let option = &seen.json["shipping_options"][0];
    assert_eq!(
        option["pickup"],
        json!({ "location": place, "country": "DE", "instructions": "Ring at the gate.", "opening_hours": "Mon to Fri", "ready_hours": 2 })
    );
    assert_eq!(option["price"]["amount_minor"], 0);
    // Nobody is sent there who has not said so.
    assert_eq!((&seen.json["shipping"], &seen.json["missing"]), (&Value::Null, &json!(["shipping_address"])));
    shop.buys(&basket, 2000, "tok_ok").await.refused(422, "checkout_incomplete").about("/shipping_address");
    let chosen = shop.collects(&basket, option).await.expect(200);
    assert_eq!(
        (&chosen.json["shipping"]["pickup"]["location"], &chosen.json["missing"]),
        (&json!(place), &json!([]))
    );
    assert_eq!(chosen.json["total"]["amount_minor"], 2000);
    let bought = shop.buys(&basket, 2000, "tok_ok").await.expect(201);
    let order = shop.order(&bought.text("/order/id")).await;
    let line = &order["shipping_lines"][0];
    assert_eq!(
        (&order["shipping_address"], &line["delivery"], &line["title"]),
        (&Value::Null, &json!({ "kind": "pickup", "location": place }), &option["title"])
    );
    assert_eq!(shop.stock().await, "10/2/0");
}

#[actix_web::test]
async fn what_is_sent_stays_what_is_taken_unless_the_shopper_says_otherwise() {
    let shop = Shop::open().await;
    let mug = shop.thing(10, 1000).await;
    shop.lets_collect().await;
    let basket = shop.basket(mug, 1).await;
    let seen = shop.looks(&basket).await;
    let options = seen.json["shipping_options"].as_array().unwrap();
    assert!(options[0]["pickup"].is_null() && options.last().unwrap()["pickup"].is_object(), "{}", seen.json);
    assert_eq!(seen.json["total"]["amount_minor"], 1490);
    let bought = shop.buys(&basket, 1490, "tok_ok").await.expect(201);
    let order = shop.order(&bought.text("/order/id")).await;
    assert_eq!(order["shipping_lines"][0]["delivery"], json!({ "kind": "shipping" }));
    assert_eq!(order["shipping_address"]["city"], "Berlin");
}

#[actix_web::test]
async fn it_is_taxed_where_it_is_collected_and_not_where_the_shopper_lives() {
    let shop = Shop::open().await;
    let mug = shop.thing(10, 1000).await;
    shop.lets_collect().await;
    let (basket, _) = shop.homeless(mug, 1).await;
    let paris = json!({ "shipping_address": { "first_name": "Ada", "last_name": "Lovelace", "address1": "1 rue de Rivoli", "city": "Paris",
        "postal_code": "75001", "country": "FR" } });
    let headers = [("x-cart-secret", basket.secret.as_str())];
    let path = format!("/store/v1/carts/{}", basket.id);
    let seen = shop.send("PATCH", &path, Some(paris.to_string().into_bytes()), &headers).await.expect(200);
    let options = seen.json["shipping_options"].as_array().unwrap();
    let chosen = shop.collects(&basket, options.last().unwrap()).await.expect(200);
    // 19 % of Germany, inside the price.
    assert_eq!(
        (&chosen.json["total"]["amount_minor"], &chosen.json["tax"]["amount_minor"]),
        (&json!(1000), &json!(160))
    );
    let bought = shop.buys(&basket, 1000, "tok_ok").await.expect(201);
    assert_eq!(shop.order(&bought.text("/order/id")).await["shipping_address"], Value::Null);
}

#[actix_web::test]
async fn it_is_taken_from_the_place_and_offered_where_all_of_it_lies() {
    let shop = Shop::open().await;
    let mug = shop.thing(3, 1000).await;
    let body = json!({ "name": "Second shop", "country": "DE", "priority": 10, "pickup": true });
    let second = shop.staff("POST", "/admin/v1/locations", Some(body)).await.expect(201).text("/id");
    let uuid = souk_kernel::LocationId::parse(&second).unwrap().uuid();
    shop.admin(&format!(
        "INSERT INTO {{s}}.inventory_levels (item_id, location_id, on_hand) SELECT item_id, '{uuid}', 2 FROM {{s}}.inventory_levels;
         INSERT INTO {{s}}.stock_movements (id, item_id, location_id, kind, on_hand_delta, actor)
             SELECT gen_random_uuid(), item_id, '{uuid}', 'received', 2, 'test' FROM {{s}}.inventory_levels WHERE location_id = '{uuid}'"
    ))
    .await;
    let (many, _) = shop.homeless(mug, 3).await;
    assert_eq!(shop.looks(&many).await.json["shipping_options"], json!([]));
    let (basket, made) = shop.homeless(mug, 2).await;
    let option = made.json["shipping_options"][0].clone();
    assert_eq!(option["pickup"]["location"], json!(second));
    shop.collects(&basket, &option).await.expect(200);
    shop.buys(&basket, 2000, "tok_ok").await.expect(201);
    let lies =
        "SELECT string_agg(on_hand || '/' || committed, ' ' ORDER BY on_hand) AS word FROM inventory_levels";
    assert_eq!(shop.words(lies).await, "2/2 3/0");
    assert_eq!(shop.unexplained_levels().await, 0);
    // Nothing lies there any more: who chose it meanwhile is told before they pay.
    let (late, _) = shop.homeless(mug, 1).await;
    shop.collects(&late, &option).await.refused(422, "validation_failed").about("/shipping_rate");
}

#[actix_web::test]
async fn two_who_collect_the_last_piece_do_not_both_get_it() {
    let shop = Shop::open().await;
    let mug = shop.thing(1, 1000).await;
    shop.lets_collect().await;
    let (first, made) = shop.homeless(mug, 1).await;
    let (second, _) = shop.homeless(mug, 1).await;
    let option = made.json["shipping_options"][0].clone();
    for basket in [&first, &second] {
        shop.collects(basket, &option).await.expect(200);
    }
    let pay = super::shop::pay_with(1000, "tok_ok");
    let (one, other) = (key(), key());
    let (one, other) = tokio::join!(shop.checkout(&first, &one, &pay), shop.checkout(&second, &other, &pay));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert!(statuses[0] == 201 && (400..500).contains(&statuses[1]), "{} {}", one.json, other.json);
    assert_eq!(shop.stock().await, "1/1/0");
    assert_eq!(shop.taken().await.0, 1000);
}
