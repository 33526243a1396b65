//! In which language shoppers are written to.

use serde_json::{Value, json};

use super::attached::hears;
use crate::customers::tests::people::People;
use crate::messages::OrderMail;
use crate::testing::shop::{Basket, Shop, ada, key};

const CARTS: &str = "/store/v1/carts";

async fn cart(shop: &Shop, locale: Value) -> (Basket, Value) {
    let lines = json!([{ "variant": shop.thing(9, 1000).await.variant, "quantity": 1 }]);
    let wish =
        json!({ "lines": lines, "email": "ada@example.com", "shipping_address": ada(), "locale": locale });
    let made = shop.call("POST", CARTS).json(&wish).send().await.expect(201);
    (
        Basket { id: made.text("/id").parse().unwrap(), secret: made.text("/secret") },
        made.json["locale"].clone(),
    )
}

async fn edits(shop: &Shop, basket: &Basket, locale: Value) -> Value {
    let call = shop.call("PATCH", &format!("{CARTS}/{}", basket.id)).header("x-cart-secret", &basket.secret);
    call.json(&json!({ "locale": locale })).send().await.expect(200).json["locale"].clone()
}

/// Orders and is heard of; the order's id.
async fn orders(shop: &Shop, basket: &Basket) -> String {
    let total = json!({ "amount_minor": 1490, "currency": "EUR" });
    let body = json!({ "expected_total": total, "payment": { "provider": "manual" } });
    let order = shop.checkout(basket, &key(), &body).await.expect(201).text("/order/id");
    hears(shop, &OrderMail).await;
    order
}

#[actix_web::test]
async fn an_orders_mails_are_in_the_language_of_its_cart_where_there_are_words_for_it() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    shop.admin("UPDATE {s}.store_settings SET locale = 'en'").await;
    let written = "SELECT template || '/' || locale AS word FROM email_messages ORDER BY id";
    let whole = shop.digest().await;
    for bad in ["de_AT", "deutsch", ""] {
        let call = shop.call("POST", CARTS).json(&json!({ "locale": bad }));
        call.send().await.refused(422, "validation_failed").about("/locale");
    }
    assert_eq!(shop.digest().await, whole);
    let (austrian, locale) = cart(&shop, json!("de-AT")).await;
    assert_eq!(locale, "de-AT");
    orders(&shop, &austrian).await;
    let (silent, locale) = cart(&shop, Value::Null).await;
    assert_eq!(locale, Value::Null);
    orders(&shop, &silent).await;
    let (german, _) = cart(&shop, json!("de")).await;
    assert_eq!(edits(&shop, &german, Value::Null).await, Value::Null);
    assert_eq!(edits(&shop, &german, json!("fr")).await, "fr");
    let order = orders(&shop, &german).await;
    assert_eq!(shop.words(written).await, "order_placed/de-AT order_placed/en order_placed/en");
    let name = shop.words("SELECT name AS word FROM orders ORDER BY number LIMIT 1").await;
    let store = shop.words("SELECT name AS word FROM store_settings").await;
    let first = shop.words("SELECT subject AS word FROM email_messages ORDER BY id LIMIT 1").await;
    assert_eq!(first, format!("{store}: Ihre Bestellung {name}"));
    // The store has its own French words for one mail.
    let words = json!({ "subject": "Commande {{ order.name }}", "text": "t", "html": "{% extends \"layout.html\" %}{% block body %}<p>h</p>{% endblock %}" });
    let path = "/admin/v1/email-templates/order_cancelled/fr";
    shop.owner_call("PUT", path).json(&words).send().await.expect(200);
    let path = format!("/admin/v1/orders/{order}/cancel");
    shop.staff("POST", &path, Some(json!({ "reason": "customer" }))).await.expect(200);
    hears(&shop, &OrderMail).await;
    assert!(shop.words(written).await.ends_with(" order_cancelled/fr"), "{}", shop.words(written).await);
}

#[actix_web::test]
async fn a_customers_mails_are_in_the_language_of_the_account() {
    let people = People::open().await;
    people.shop.admin("UPDATE {s}.store_settings SET locale = 'en'").await;
    let ada = people.customer("ada@example.com").await;
    let path = "/store/v1/account";
    let wrong = people.patch(path, &ada.access, &json!({ "locale": "DE" })).await;
    wrong.refused(422, "validation_failed").about("/locale");
    let changed = people.patch(path, &ada.access, &json!({ "locale": "de" })).await.is(200);
    assert_eq!(changed["locale"], "de");
    // What is not named stays.
    let changed = people.patch(path, &ada.access, &json!({ "first_name": "Ada" })).await.is(200);
    assert_eq!(changed["locale"], "de");
    people.post("/store/v1/password-resets", None, &json!({ "email": "ada@example.com" })).await.is(202);
    assert_eq!(people.mail().await.template, "customer_reset_password");
    let written = "SELECT template || '/' || locale AS word FROM email_messages ORDER BY id";
    assert_eq!(people.shop.words(written).await, "customer_verify_email/en customer_reset_password/de");
}
