//! Back in stock, and running low.

use std::time::Duration;

use serde_json::{Value, json};
use souk_kernel::VariantId;

use super::{hear, mails, secret, work};
use crate::testing::shop::{Shop, Thing};
use crate::testing::{Answer, TestShop};

const WAIT: &str = "/store/v1/stock-subscriptions";

async fn shop() -> Shop {
    // Nobody pays here.
    Shop::at("http://127.0.0.1:9").await
}

async fn wait(shop: &TestShop, variant: VariantId, email: &str) -> Answer {
    shop.call("POST", WAIT).json(&json!({ "variant": variant, "email": email })).send().await
}

async fn confirm(shop: &TestShop, token: &str) -> Answer {
    shop.call("POST", "/store/v1/subscriptions/confirm").json(&json!({ "token": token })).send().await
}

/// Staff puts so many pieces into the shelf.
async fn count(shop: &Shop, thing: Thing, pieces: i64) {
    let body: Value = json!({ "variant": thing.variant, "set": pieces, "reason": "counted" });
    let answer = shop.staff("POST", "/admin/v1/inventory-levels:adjust", Some(body)).await;
    assert!(answer.status < 300, "{}", answer.json);
}

#[actix_web::test]
async fn who_waits_is_asked_first_and_told_once() {
    let shop = shop().await;
    let thing = shop.thing(0, 1299).await;
    wait(&shop, thing.variant, "grace@example.com").await.expect(202);
    let mut at = hear(&shop, 0).await;
    assert_eq!(mails(&shop).await, "subscription_confirm>grace@example.com");
    let token = secret(&shop).await;
    // Not asked again at once, nor without end; the answer is always the same.
    wait(&shop, thing.variant, "GRACE@example.com").await.expect(202);
    at = hear(&shop, at).await;
    assert_eq!(mails(&shop).await, "subscription_confirm>grace@example.com");
    // Who has not agreed is not told.
    count(&shop, thing, 1).await;
    work(&shop).await;
    at = hear(&shop, at).await;
    assert_eq!(mails(&shop).await, "subscription_confirm>grace@example.com");
    count(&shop, thing, 0).await;

    confirm(&shop, "mbM2ozNPLCvnBPMqMkJw7-3n0SCvKQe9lcLYqyVhJDc")
        .await
        .refused(410, "subscription_link_unusable");
    confirm(&shop, &token).await.expect(204);
    confirm(&shop, &token).await.refused(410, "subscription_link_unusable");
    let waiting = shop.owner_call("GET", "/admin/v1/stock-subscriptions").send().await.expect(200);
    assert_eq!(
        (waiting.json["data"][0]["waiting"].clone(), waiting.json["data"][0]["title"].clone()),
        (json!(1), json!("Enamel mug"))
    );
    count(&shop, thing, 3).await;
    for _ in 0..3 {
        work(&shop).await;
        at = hear(&shop, at).await;
    }
    assert_eq!(mails(&shop).await, "subscription_confirm>grace@example.com back_in_stock>grace@example.com");
    let text =
        shop.words("SELECT body_text AS word FROM email_messages WHERE template = 'back_in_stock'").await;
    assert!(text.contains("/products/") && text.contains("/unsubscribe#"), "{text}");
    assert!(
        shop.words("SELECT unsubscribe_url AS word FROM email_messages WHERE template = 'back_in_stock'")
            .await
            .contains("/store/v1/unsubscribe/")
    );
    assert_eq!(shop.told().await.iter().filter(|kind| *kind == "variant.back_in_stock").count(), 2);
    // It sells out and comes back: the wish is fulfilled.
    count(&shop, thing, 0).await;
    count(&shop, thing, 2).await;
    work(&shop).await;
    hear(&shop, at).await;
    assert_eq!(mails(&shop).await, "subscription_confirm>grace@example.com back_in_stock>grace@example.com");
}

#[actix_web::test]
async fn what_cannot_be_waited_for_is_refused_and_nobody_fills_a_mailbox() {
    let shop = shop().await;
    let (there, gone) = (shop.thing(1, 1299).await, shop.thing(0, 1299).await);
    let whole = shop.digest().await;
    wait(&shop, there.variant, "grace@example.com").await.refused(409, "still_in_stock");
    wait(&shop, VariantId::new(), "grace@example.com")
        .await
        .refused(422, "validation_failed")
        .about("/variant");
    wait(&shop, gone.variant, "grace").await.refused(422, "validation_failed").about("/email");
    assert_eq!(shop.digest().await, whole);
    let mut at = 0;
    for _ in 0..8 {
        let thing = shop.thing(0, 1299).await;
        wait(&shop, thing.variant, "grace@example.com").await.expect(202);
        at = hear(&shop, at).await;
    }
    assert_eq!(shop.number("SELECT count(*) AS number FROM email_messages").await, 5);
    // What came back while the mailbox was asked is told when it agrees; a link of four days ago is worth nothing.
    let last =
        shop.words("SELECT variant_id::text AS word FROM subscriptions ORDER BY id DESC LIMIT 1").await;
    let token = secret(&shop).await;
    shop.admin(&format!("UPDATE {{s}}.inventory_levels SET on_hand = 4 WHERE item_id = (SELECT inventory_item_id FROM {{s}}.product_variants WHERE id = '{last}')")).await;
    work(&shop).await;
    at = hear(&shop, at).await;
    confirm(&shop, &token).await.expect(204);
    work(&shop).await;
    hear(&shop, at).await;
    assert!(mails(&shop).await.ends_with("back_in_stock>grace@example.com"));
    shop.clock.advance(Duration::from_secs(2 * 24 * 3600));
    wait(&shop, gone.variant, "late@example.com").await.expect(202);
    hear(&shop, at).await;
    let token = secret(&shop).await;
    shop.clock.advance(Duration::from_secs(4 * 24 * 3600));
    confirm(&shop, &token).await.refused(410, "subscription_link_unusable");
    let off = json!({ "low_stock_threshold": null, "daily_digest": false, "digest_hour": 7, "back_in_stock": false });
    shop.owner_call("PUT", "/admin/v1/notice-settings")
        .header("if-match", "\"1\"")
        .json(&off)
        .send()
        .await
        .expect(200);
    wait(&shop, gone.variant, "late@example.com").await.refused(409, "notice_not_offered");
}

#[actix_web::test]
async fn staff_is_told_once_a_day_that_something_runs_low() {
    let shop = shop().await;
    let thing = shop.thing(9, 1299).await;
    let path = "/admin/v1/notice-settings";
    let first = shop.owner_call("GET", path).send().await.expect(200);
    assert_eq!(
        first.json,
        json!({ "low_stock_threshold": 5, "staff_email": null, "daily_digest": false, "digest_hour": 7,
        "next_digest_at": null, "abandoned_cart_hours": 4, "back_in_stock": true })
    );
    let wish = json!({ "low_stock_threshold": 3, "staff_email": "stock@shop.example", "daily_digest": false, "digest_hour": 7,
        "abandoned_cart_hours": 4, "back_in_stock": true });
    shop.owner_call("PUT", path).json(&wish).send().await.refused(428, "precondition_required");
    shop.owner_call("PUT", path).header("if-match", "\"1\"").json(&wish).send().await.expect(200);
    shop.owner_call("PUT", path)
        .header("if-match", "\"1\"")
        .json(&wish)
        .send()
        .await
        .refused(412, "precondition_failed");
    let mut bad = wish.clone();
    bad["digest_hour"] = 24.into();
    shop.owner_call("PUT", path)
        .header("if-match", "*")
        .json(&bad)
        .send()
        .await
        .refused(422, "validation_failed")
        .about("/digest_hour");
    count(&shop, thing, 4).await;
    work(&shop).await;
    let mut at = hear(&shop, 0).await;
    assert_eq!(mails(&shop).await, "");
    // A cart takes it below the line, lets go, and takes it again.
    for _ in 0..3 {
        count(&shop, thing, 3).await;
        work(&shop).await;
        at = hear(&shop, at).await;
        count(&shop, thing, 8).await;
    }
    assert_eq!(mails(&shop).await, "low_stock>stock@shop.example");
    let text = shop.words("SELECT body_text AS word FROM email_messages").await;
    assert!(text.contains("3 left to sell"), "{text}");
    shop.clock.advance(Duration::from_secs(24 * 3600 + 1));
    count(&shop, thing, 2).await;
    work(&shop).await;
    hear(&shop, at).await;
    assert_eq!(mails(&shop).await, "low_stock>stock@shop.example low_stock>stock@shop.example");
    // What is back above the line when somebody looks is not told.
    assert_eq!(
        shop.number("SELECT count(*) AS number FROM stock_crossings WHERE next_attempt_at IS NOT NULL").await,
        0
    );
}

/// Two cups make a pair: the second one that comes is what people waited for.
#[actix_web::test]
async fn who_waits_for_a_bundle_is_told_when_its_components_are_there() {
    let shop = shop().await;
    let (cup, pair) = (shop.thing(0, 1000).await, shop.thing(0, 1800).await);
    let path = format!("/admin/v1/variants/{}/components", pair.variant);
    let parts = json!({ "components": [{ "variant": cup.variant, "quantity": 2 }] });
    shop.owner_call("PUT", &path).json(&parts).send().await.expect(200);
    wait(&shop, pair.variant, "grace@example.com").await.expect(202);
    let mut at = hear(&shop, 0).await;
    confirm(&shop, &secret(&shop).await).await.expect(204);
    count(&shop, cup, 1).await;
    work(&shop).await;
    at = hear(&shop, at).await;
    assert_eq!(mails(&shop).await, "subscription_confirm>grace@example.com");
    count(&shop, cup, 2).await;
    for _ in 0..3 {
        work(&shop).await;
        at = hear(&shop, at).await;
    }
    let told = shop.told().await;
    assert_eq!(told.iter().filter(|kind| *kind == "variant.back_in_stock").count(), 2, "a cup, then a pair");
    assert_eq!(mails(&shop).await, "subscription_confirm>grace@example.com back_in_stock>grace@example.com");
}

#[actix_web::test]
async fn a_gift_card_is_mailed_with_a_code_that_nobody_else_has_seen() {
    let shop = shop().await;
    let wish = json!({ "amount": { "amount_minor": 5000, "currency": "EUR" }, "origin": "granted", "send_to": "grace@example.com", "message": "Happy birthday!" });
    let made = shop.staff("POST", "/admin/v1/gift-cards", Some(wish)).await.expect(201);
    assert_eq!(made.json["code"], Value::Null);
    let at = hear(&shop, 0).await;
    assert_eq!(mails(&shop).await, "gift_card>grace@example.com");
    let text = shop.words("SELECT body_text AS word FROM email_messages").await;
    assert!(text.contains("Happy birthday!") && text.contains("50.00 EUR"), "{text}");
    let code = text.split("Your code: ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let thing = shop.thing(9, 1299).await;
    let basket = shop.basket(thing, 1).await;
    let path = format!("/store/v1/carts/{}/gift-cards", basket.id);
    let enter =
        shop.call("POST", &path).header("x-cart-secret", &basket.secret).json(&json!({ "code": code }));
    assert!(enter.send().await.status < 300);
    // Stopped before its mail was written, it gets none.
    let wish = json!({ "amount": { "amount_minor": 5000, "currency": "EUR" }, "origin": "granted", "send_to": "eve@example.com" });
    let made = shop.staff("POST", "/admin/v1/gift-cards", Some(wish)).await.expect(201);
    let path = format!("/admin/v1/gift-cards/{}", made.text("/id"));
    let stop = shop
        .owner_call("PUT", &path)
        .keyed()
        .header("if-match", "*")
        .json(&json!({ "disabled": true, "expires_at": null }));
    assert!(stop.send().await.status < 300);
    hear(&shop, at).await;
    assert_eq!(mails(&shop).await, "gift_card>grace@example.com");
}

/// Neither location crosses the item's threshold when both together do.
#[actix_web::test]
async fn low_is_what_the_item_says_of_what_lies_at_all_locations() {
    let shop = shop().await;
    let thing = shop.thing(20, 1299).await;
    let path = format!("/admin/v1/inventory-levels?variant={}", thing.variant);
    let item = shop.owner_call("GET", &path).send().await.expect(200).text("/data/0/item");
    let path = format!("/admin/v1/inventory-items/{item}");
    let terms = shop.owner_call("PUT", &path).header("if-match", "\"1\"");
    terms.json(&json!({ "low_stock_threshold": 12 })).send().await.expect(200);
    let place = json!({ "name": "Warehouse East", "country": "DE", "priority": 10 });
    let place = shop.owner_call("POST", "/admin/v1/locations").keyed().json(&place).send().await;
    let place = place.expect(201).text("/id");
    let there = async |pieces: i64| {
        let body = json!({ "item": item, "location": place, "set": pieces, "reason": "counted" });
        let adjust = shop.owner_call("POST", "/admin/v1/inventory-levels:adjust").keyed();
        adjust.json(&body).send().await.expect(200);
    };
    let told = async || {
        work(&shop).await;
        shop.told().await.iter().filter(|kind| *kind == "variant.low_on_stock").count()
    };
    there(10).await;
    count(&shop, thing, 8).await;
    assert_eq!(told().await, 0);
    there(5).await;
    assert_eq!(told().await, 0);
    there(4).await;
    assert_eq!(told().await, 1);
    there(3).await;
    assert_eq!(told().await, 1);
}

/// Dealing it out, and more of it elsewhere, make nothing come back that never was away.
#[actix_web::test]
async fn what_was_never_away_does_not_come_back() {
    let shop = shop().await;
    let thing = shop.thing(1, 1299).await;
    let path = format!("/admin/v1/inventory-levels?variant={}", thing.variant);
    let item = shop.owner_call("GET", &path).send().await.expect(200).text("/data/0/item");
    let path = format!("/admin/v1/inventory-items/{item}");
    for buckets in [4, 0, 2] {
        let terms = shop.owner_call("PUT", &path).header("if-match", "*");
        terms.json(&json!({ "buckets": buckets })).send().await.expect(200);
    }
    count(&shop, thing, 3).await;
    work(&shop).await;
    let backs = async || shop.told().await.iter().filter(|kind| *kind == "variant.back_in_stock").count();
    assert_eq!(backs().await, 0);
    count(&shop, thing, 0).await;
    count(&shop, thing, 2).await;
    work(&shop).await;
    assert_eq!(backs().await, 1);
}
