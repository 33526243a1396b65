//! In which language shoppers are written to.

use serde_json::{Value, json};

use super::attached::hears;
use super::{vault, worker};
use crate::customers::tests::people::People;
use crate::messages::{MailRoom, NoticeMail, OrderMail};
use crate::subscriptions::{self, Waiting};
use crate::testing::TestShop;
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

/// Who tells those who want to be told something.
fn notices(shop: &TestShop) -> NoticeMail {
    let room = MailRoom {
        vault: vault(shop),
        domain: "platform.example".to_owned(),
        console_url: "https://console.example".to_owned(),
    };
    NoticeMail { address: shop.till.address.clone(), room }
}

/// A customer whose account says German.
async fn german_account(shop: &TestShop) {
    shop.admin(
        "INSERT INTO {s}.customers (id, email, email_key, locale, created_at, updated_at)
         VALUES (gen_random_uuid(), 'uwe@example.com', 'uwe@example.com', 'de', now(), now())",
    )
    .await;
}

/// Recipient, locale and subject (without the store's name) of every mail of a kind.
async fn written(shop: &TestShop, text: &'static str) -> Vec<String> {
    let mut mails: Vec<_> = shop.words(text).await.split(" | ").map(str::to_owned).collect();
    mails.sort_unstable();
    mails
}

#[actix_web::test]
async fn whoever_waits_is_written_to_in_the_language_they_said_else_in_their_accounts_else_in_the_stores() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    shop.admin("UPDATE {s}.store_settings SET locale = 'en'").await;
    german_account(&shop).await;
    let thing = shop.thing(0, 1299).await;
    let path = "/store/v1/stock-subscriptions";
    let whole = shop.digest().await;
    let bad = json!({ "variant": thing.variant, "email": "grace@example.com", "locale": "de_AT" });
    shop.call("POST", path).json(&bad).send().await.refused(422, "validation_failed").about("/locale");
    assert_eq!(shop.digest().await, whole);
    for (email, locale) in [
        ("grace@example.com", json!("de-AT")),
        ("uwe@example.com", Value::Null),
        ("eve@example.com", Value::Null),
    ] {
        let wish = json!({ "variant": thing.variant, "email": email, "locale": locale });
        shop.call("POST", path).json(&wish).send().await.expect(202);
    }
    hears(&shop, &notices(&shop)).await;
    let asked =
        "SELECT string_agg(recipient || ' ' || locale || ' ' || split_part(subject, ': ', 2), ' | ') AS word
        FROM email_messages WHERE template = 'subscription_confirm'";
    assert_eq!(
        written(&shop, asked).await,
        [
            "eve@example.com en please confirm",
            "grace@example.com de-AT bitte bestätigen",
            "uwe@example.com de bitte bestätigen",
        ]
    );
    shop.admin("UPDATE {s}.subscriptions SET state = 'confirmed', confirmed_at = now(), secret_hash = NULL")
        .await;
    let body = json!({ "variant": thing.variant, "set": 3, "reason": "counted" });
    let counted = shop.staff("POST", "/admin/v1/inventory-levels:adjust", Some(body)).await;
    assert!(counted.status < 300, "{}", counted.json);
    while subscriptions::say_stock(&worker(&shop)).await.unwrap() {}
    hears(&shop, &Waiting).await;
    while subscriptions::wake_due(&worker(&shop)).await.unwrap() {}
    hears(&shop, &notices(&shop)).await;
    let told =
        "SELECT string_agg(recipient || ' ' || locale || ' ' || split_part(subject, ': ', 2), ' | ') AS word
        FROM email_messages WHERE template = 'back_in_stock'";
    assert_eq!(
        written(&shop, told).await,
        [
            "eve@example.com en Enamel mug is back",
            "grace@example.com de-AT Enamel mug ist wieder da",
            "uwe@example.com de Enamel mug ist wieder da",
        ]
    );
}

#[actix_web::test]
async fn whoever_follows_an_order_reads_its_news_in_their_own_language_else_in_the_orders() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    shop.admin("UPDATE {s}.store_settings SET locale = 'en'").await;
    let (basket, _) = cart(&shop, json!("de")).await;
    let total = json!({ "amount_minor": 1490, "currency": "EUR" });
    let body = json!({ "expected_total": total, "payment": { "provider": "manual" } });
    let bought = shop.checkout(&basket, &key(), &body).await.expect(201);
    let (order, secret) = (bought.text("/order/id"), bought.text("/secret"));
    let path = format!("/store/v1/orders/{order}/subscriptions");
    for (email, locale) in [("bob@example.com", json!("en-GB")), ("eve@example.com", Value::Null)] {
        let wish = json!({ "email": email, "locale": locale });
        shop.call("POST", &path).header("x-order-secret", &secret).json(&wish).send().await.expect(202);
    }
    hears(&shop, &notices(&shop)).await;
    shop.admin("UPDATE {s}.subscriptions SET state = 'confirmed', confirmed_at = now(), secret_hash = NULL")
        .await;
    let path = format!("/admin/v1/orders/{order}/cancel");
    shop.staff("POST", &path, Some(json!({ "reason": "customer" }))).await.expect(200);
    hears(&shop, &notices(&shop)).await;
    let mails =
        "SELECT string_agg(recipient || ' ' || locale || ' ' || template, ' | ') AS word FROM email_messages";
    assert_eq!(
        written(&shop, mails).await,
        [
            "bob@example.com en-GB order_news",
            "bob@example.com en-GB subscription_confirm",
            "eve@example.com de order_news",
            "eve@example.com de subscription_confirm",
        ]
    );
    let news = "SELECT body_text AS word FROM email_messages WHERE template = 'order_news' AND locale = 'de'";
    assert!(shop.words(news).await.contains("storniert"), "{}", shop.words(news).await);
}

#[actix_web::test]
async fn a_gift_card_is_mailed_in_the_language_of_whoever_gets_it() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    shop.admin("UPDATE {s}.store_settings SET locale = 'en'").await;
    german_account(&shop).await;
    let card = |email: &str, locale: Value| json!({ "amount": { "amount_minor": 5000, "currency": "EUR" }, "origin": "granted", "send_to": email, "locale": locale });
    let whole = shop.digest().await;
    let bad = card("grace@example.com", json!("deutsch"));
    let call = shop.owner_call("POST", "/admin/v1/gift-cards").keyed().json(&bad);
    call.send().await.refused(422, "validation_failed").about("/locale");
    assert_eq!(shop.digest().await, whole);
    for (email, locale) in [
        ("grace@example.com", json!("de-CH")),
        ("uwe@example.com", Value::Null),
        ("eve@example.com", Value::Null),
    ] {
        let call = shop.owner_call("POST", "/admin/v1/gift-cards").keyed().json(&card(email, locale));
        call.send().await.expect(201);
    }
    hears(&shop, &notices(&shop)).await;
    let mails = "SELECT string_agg(recipient || ' ' || locale || ' ' || split_part(subject, ': ', 2), ' | ') AS word FROM email_messages";
    assert_eq!(
        written(&shop, mails).await,
        [
            "eve@example.com en a gift card for you",
            "grace@example.com de-CH ein Gutschein für Sie",
            "uwe@example.com de ein Gutschein für Sie",
        ]
    );
}
