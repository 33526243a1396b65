//! Mails that follow from what really happened to an order, and how a mail looks that leaves.

use serde_json::json;

use super::attached::hears;
use super::sender::Catcher;
use super::{queue, vault, worker};
use crate::messages::{OrderMail, Sender, send_due};
use crate::testing::TestShop;
use crate::testing::shop::{Shop, ada, key, pay_with};

/// The one mail of a kind: its subject and what it says.
async fn told(shop: &TestShop, kind: &str) -> (String, String) {
    let path = format!("/admin/v1/messages?template={kind}");
    let list = shop.owner_call("GET", &path).send().await.expect(200);
    assert_eq!(list.data().len(), 1, "{}", list.json);
    assert_eq!(list.text("/data/0/recipient"), "ada@example.com");
    let path = format!("/admin/v1/messages/{}", list.text("/data/0/id"));
    let mail = shop.owner_call("GET", &path).send().await.expect(200);
    (mail.text("/subject"), mail.text("/text"))
}

#[actix_web::test]
async fn what_becomes_of_an_order_is_mailed_with_its_facts() {
    let shop = Shop::open().await;
    shop.admin("UPDATE {s}.store_settings SET locale = 'en'").await;
    let store = shop.words("SELECT name AS word FROM store_settings").await;
    let does = async |path: String, body: serde_json::Value| {
        shop.owner_call("POST", &path).keyed().json(&body).send().await.expect(200);
        hears(&shop, &OrderMail).await;
    };
    // Paid by transfer, and a piece comes back.
    let basket = shop.basket(shop.thing(9, 1000).await, 1).await;
    let total = json!({ "amount_minor": 1490, "currency": "EUR" });
    let body = json!({ "expected_total": total, "payment": { "provider": "manual" } });
    let order = shop.checkout(&basket, &key(), &body).await.expect(201).json["order"].clone();
    let (id, name) = (order["id"].as_str().unwrap(), order["name"].as_str().unwrap());
    does(format!("/admin/v1/orders/{id}/mark-paid"), json!({})).await;
    let (subject, text) = told(&shop, "order_paid").await;
    assert_eq!(subject, format!("{store}: we have your payment for order {name}"));
    let said = format!("We have received 14.90 EUR for your order {name} at {store}.");
    assert!(text.contains(&said), "{text}");
    let piece = json!({ "lines": [{ "line": order["lines"][0]["id"], "quantity": 1 }], "reason": "damaged" });
    does(format!("/admin/v1/orders/{id}/refunds"), piece).await;
    assert_eq!(shop.sweep().await.refunds, 1);
    hears(&shop, &OrderMail).await;
    let (subject, text) = told(&shop, "order_refunded").await;
    assert_eq!(subject, format!("{store}: money back for order {name}"));
    assert!(text.contains(&format!("We have sent 10.00 EUR of order {name} back to you")), "{text}");
    // Paid at once, and cancelled.
    let basket = shop.basket(shop.thing(9, 1000).await, 1).await;
    let order =
        shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await.expect(201).json["order"].clone();
    let (id, name) = (order["id"].as_str().unwrap(), order["name"].as_str().unwrap());
    does(format!("/admin/v1/orders/{id}/cancel"), json!({ "reason": "customer" })).await;
    let (subject, text) = told(&shop, "order_cancelled").await;
    assert_eq!(subject, format!("{store}: order {name} is cancelled"));
    assert!(text.contains(&format!("Your order {name} at {store} is cancelled.")), "{text}");
    assert!(text.contains("You get 14.90 EUR back, the way you paid."), "{text}");
}

#[actix_web::test]
async fn a_draft_order_that_is_paid_by_hand_is_one_mail_and_one_that_waits_for_its_money_is_two() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    shop.admin("UPDATE {s}.store_settings SET locale = 'en'").await;
    let mug = shop.thing(9, 1000).await;
    let completes = async |paid: bool| {
        let body = json!({ "lines": [{ "variant": mug.variant, "quantity": 2 }], "email": "ada@example.com", "shipping_address": ada() });
        let draft = shop.staff("POST", "/admin/v1/draft-orders", Some(body)).await.expect(201).text("/id");
        let path = format!("/admin/v1/draft-orders/{draft}/complete");
        shop.staff("POST", &path, Some(json!({ "paid": paid }))).await.expect(201).text("/id")
    };
    let kinds = async || {
        // Told twice, as after a crash: it is the same mail.
        hears(&shop, &OrderMail).await;
        hears(&shop, &OrderMail).await;
        shop.words("SELECT template AS word FROM email_messages ORDER BY id").await
    };
    completes(true).await;
    assert_eq!(kinds().await, "order_placed", "its own mail says that it is paid");
    let (_, text) = told(&shop, "order_placed").await;
    assert!(!text.contains("as soon as your payment"), "{text}");
    let order = completes(false).await;
    assert_eq!(kinds().await, "order_placed order_placed");
    shop.staff("POST", &format!("/admin/v1/orders/{order}/mark-paid"), Some(json!({}))).await.expect(200);
    assert_eq!(kinds().await, "order_placed order_placed order_paid");
    let kept = "SELECT (payload->>'at_once') AS word FROM platform.own_events_of(NULL, NULL, NULL, ARRAY['order.paid']) ORDER BY 1";
    assert_eq!(shop.words(kept).await, "false true");
}

#[actix_web::test]
async fn a_mail_that_leaves_has_the_stores_looks() {
    let shop = TestShop::open(None).await;
    let wish = json!({ "accent_color": "#C0FFEE", "footer": "Acme, Lindenweg 1", "logo_url": "https://shop.example/logo.png" });
    let put = shop.owner_call("PUT", "/admin/v1/mail-settings").header("if-match", "*").json(&wish);
    put.send().await.expect(200);
    queue(&shop, "order_placed", "ada@example.com").await;
    let catcher = Catcher::start().await;
    let platform = "Souk <no-reply@platform.example>".parse().unwrap();
    let sender = Sender::new(Some(&catcher.url), None, &platform, vault(&shop)).unwrap();
    assert_eq!(send_due(&worker(&shop), &sender).await.unwrap(), 1);
    // Quoted-printable and escaped slashes, undone.
    let mail = catcher.last().replace("=\r\n", "").replace("=3D", "=").replace("&#x2f;", "/");
    for part in [
        "<img src=\"https://shop.example/logo.png\"",
        "border-top: 4px solid #c0ffee;",
        "Acme, Lindenweg 1</p>",
    ] {
        assert!(mail.contains(part), "no {part} in {mail}");
    }
}
