//! Carts that were left lying, and orders that somebody follows.

use std::time::Duration;

use serde_json::json;
use souk_tenancy::{TenancyError, WriteTx};

use super::{hear, mails, secret, work};
use crate::cart;
use crate::testing::shop::{Basket, Shop};
use crate::testing::{Answer, TestShop};

const HOUR: Duration = Duration::from_secs(3600);

async fn remind(shop: &TestShop, basket: &Basket, secret: &str, wanted: bool) -> Answer {
    let path = format!("/store/v1/carts/{}/reminder", basket.id);
    shop.call("PUT", &path).header("x-cart-secret", secret).json(&json!({ "wanted": wanted })).send().await
}

#[actix_web::test]
async fn a_cart_is_reminded_of_once_and_only_with_consent() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let thing = shop.thing(9, 1299).await;
    let (asked, silent, undone) =
        (shop.basket(thing, 2).await, shop.basket(thing, 1).await, shop.basket(thing, 1).await);
    let whole = shop.digest().await;
    remind(&shop, &asked, &silent.secret, true).await.refused(404, "not_found");
    assert_eq!(shop.digest().await, whole);
    remind(&shop, &asked, &asked.secret, true).await.expect(204);
    remind(&shop, &undone, &undone.secret, true).await.expect(204);
    remind(&shop, &undone, &undone.secret, false).await.expect(204);
    let nameless = shop
        .call("POST", "/store/v1/carts")
        .json(&json!({ "lines": [{ "variant": thing.variant, "quantity": 1 }] }));
    let nameless = nameless.send().await.expect(201);
    let path = format!("/store/v1/carts/{}/reminder", nameless.text("/id"));
    let call = shop
        .call("PUT", &path)
        .header("x-cart-secret", &nameless.text("/secret"))
        .json(&json!({ "wanted": true }));
    call.send().await.refused(422, "validation_failed").about("/wanted");

    shop.clock.advance(3 * HOUR);
    work(&shop).await;
    let mut at = hear(&shop, 0).await;
    assert_eq!(mails(&shop).await, "", "it may be too early");
    // Touched: the clock begins anew.
    let note =
        shop.call("PATCH", &format!("/store/v1/carts/{}", asked.id)).header("x-cart-secret", &asked.secret);
    note.json(&json!({ "note": "gift" })).send().await.expect(200);
    shop.clock.advance(2 * HOUR);
    work(&shop).await;
    at = hear(&shop, at).await;
    assert_eq!(mails(&shop).await, "");
    shop.clock.advance(2 * HOUR);
    for _ in 0..3 {
        work(&shop).await;
        at = hear(&shop, at).await;
        shop.clock.advance(5 * HOUR);
    }
    assert_eq!(mails(&shop).await, "abandoned_cart>ada@example.com");
    let text = shop.words("SELECT body_text AS word FROM email_messages").await;
    assert!(
        text.contains("2 x Enamel mug (Blue)") && text.contains(&format!("/cart/{}#", asked.id)),
        "{text}"
    );
    // The link opens the cart on another device, and the shopper's own secret still does.
    let key = text.split("#").nth(1).unwrap()[..43].to_owned();
    for secret in [&key, &asked.secret] {
        let cart = shop.call("GET", &format!("/store/v1/carts/{}", asked.id)).header("x-cart-secret", secret);
        assert_eq!(cart.send().await.expect(200).json["lines"][0]["quantity"], 2);
    }
    // Wished again, it is not said again.
    remind(&shop, &asked, &asked.secret, true).await.expect(204);
    shop.clock.advance(9 * HOUR);
    work(&shop).await;
    hear(&shop, at).await;
    assert_eq!(mails(&shop).await, "abandoned_cart>ada@example.com");
}

#[actix_web::test]
async fn what_was_bought_is_not_reminded_of() {
    let shop = Shop::open().await;
    let thing = shop.thing(9, 1299).await;
    let basket = shop.basket(thing, 2).await;
    remind(&shop, &basket, &basket.secret, true).await.expect(204);
    shop.buys(&basket, 3088, "tok_ok").await.expect(201);
    shop.clock.advance(9 * HOUR);
    work(&shop).await;
    assert_eq!(shop.told().await.iter().filter(|kind| *kind == "cart.abandoned").count(), 0);
    assert_eq!(
        shop.number("SELECT count(*) AS number FROM cart_reminders WHERE next_attempt_at IS NOT NULL").await,
        0
    );
}

#[actix_web::test]
async fn carts_that_nobody_touches_end() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let thing = shop.thing(9, 1299).await;
    let old = shop.basket(thing, 1).await;
    shop.clock.advance(61 * 24 * HOUR);
    let new = shop.basket(thing, 1).await;
    let worker = shop.gate.worker(shop.store.id, "test", "keeps house").unwrap();
    let expire = async || {
        let work = async |tx: &mut WriteTx<'_>| {
            let before = tx.now() - chrono::TimeDelta::days(60);
            Ok::<_, TenancyError>(cart::expire(tx, before, 100).await?)
        };
        worker.write("test.expire", work).await.unwrap()
    };
    assert_eq!((expire().await, expire().await), (1, 0));
    let states = "SELECT state AS word FROM carts ORDER BY id";
    assert_eq!(shop.words(states).await, "expired active");
    let add = shop.call("PATCH", &format!("/store/v1/carts/{}", old.id)).header("x-cart-secret", &old.secret);
    assert!(add.json(&json!({ "note": "late" })).send().await.status >= 400);
    let add = shop.call("PATCH", &format!("/store/v1/carts/{}", new.id)).header("x-cart-secret", &new.secret);
    add.json(&json!({ "note": "now" })).send().await.expect(200);
}

#[actix_web::test]
async fn an_order_is_followed_by_whoever_its_buyer_names_and_agrees() {
    let shop = Shop::open().await;
    let thing = shop.thing(9, 1299).await;
    let bought = shop.buys(&shop.basket(thing, 2).await, 3088, "tok_ok").await.expect(201);
    let (order, key) = (bought.text("/order/id"), bought.text("/secret"));
    let path = format!("/store/v1/orders/{order}/subscriptions");
    let mut at = hear(&shop, 0).await;
    let wish = json!({ "email": "grace@example.com" });
    let whole = shop.digest().await;
    shop.call("POST", &path).json(&wish).send().await.refused(404, "not_found");
    shop.call("POST", &path)
        .header("x-order-secret", &"A".repeat(43))
        .json(&wish)
        .send()
        .await
        .refused(404, "not_found");
    assert_eq!(shop.digest().await, whole);
    shop.call("POST", &path).header("x-order-secret", &key).json(&wish).send().await.expect(202);
    at = hear(&shop, at).await;
    assert_eq!(mails(&shop).await, "subscription_confirm>grace@example.com");
    let token = secret(&shop).await;
    shop.call("POST", "/store/v1/subscriptions/confirm")
        .json(&json!({ "token": token }))
        .send()
        .await
        .expect(204);
    let cancel = shop
        .staff("POST", &format!("/admin/v1/orders/{order}/cancel"), Some(json!({ "reason": "customer" })))
        .await;
    assert!(cancel.status < 300, "{}", cancel.json);
    at = hear(&shop, at).await;
    assert!(mails(&shop).await.contains("order_news>grace@example.com"), "{}", mails(&shop).await);
    let text = shop
        .words(
            "SELECT body_text AS word FROM email_messages WHERE template = 'order_news' ORDER BY id LIMIT 1",
        )
        .await;
    assert!(
        text.contains("was cancelled") && !text.contains("30.88"),
        "what was paid is not theirs to know: {text}"
    );
    // One click, and it is over.
    let token = text.split("/unsubscribe#").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    shop.call("POST", &format!("/store/v1/unsubscribe/{token}")).send().await.expect(204);
    assert_eq!(shop.words("SELECT state AS word FROM subscriptions").await, "ended");
    hear(&shop, at).await;
}
