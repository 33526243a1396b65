//! Links by mail: in the buyer's words, good once they are sent, and what is left of a person who is forgotten.

use serde_json::json;
use souk_event_bus::{Consumer as _, ConsumerError};
use souk_tenancy::{DbError, TenancyError, WriteTx};

use super::{drafted, offered, opened, pays, read, staff, two_of};
use crate::customers::tests::people::outbox_after;
use crate::messages::{MailRoom, NoticeMail};
use crate::testing::shop::Shop;

#[derive(Debug)]
#[expect(dead_code, reason = "shown when a test fails")]
struct Heard(ConsumerError);

impl From<TenancyError> for Heard {
    fn from(error: TenancyError) -> Self {
        Self(error.into())
    }
}

impl From<DbError> for Heard {
    fn from(error: DbError) -> Self {
        Self(error.into())
    }
}

/// Has everything that was stated be heard by whoever writes to shoppers.
async fn hear(shop: &Shop) {
    let worker = shop.gate.worker(shop.store.id, "test", "hears").unwrap();
    let room = MailRoom {
        vault: std::sync::Arc::new(shop.reception.vault()),
        domain: "platform.example".to_owned(),
        console_url: "https://console.example".to_owned(),
    };
    let mail = NoticeMail { address: shop.till.address.clone(), room };
    for (_, event) in outbox_after(shop, 0).await {
        if mail.wants(&event.kind) {
            let (mail, event) = (&mail, &event);
            let work = async move |tx: &mut WriteTx<'_>| mail.hear(tx, event).await.map_err(Heard);
            worker.write("test.hear", work).await.unwrap();
        }
    }
}

/// The last mail's subject and text, and the secret of its link.
async fn mail(shop: &Shop) -> (String, String, String) {
    let subject = shop.words("SELECT subject AS word FROM email_messages ORDER BY id DESC LIMIT 1").await;
    let text = shop.words("SELECT body_text AS word FROM email_messages ORDER BY id DESC LIMIT 1").await;
    let secret = text.split_once("/draft-orders/").and_then(|(_, rest)| rest.split_once('#')).unwrap().1;
    let secret = secret[..43].to_owned();
    (subject, text, secret)
}

const MAILS: &str = "SELECT count(*) AS number FROM email_messages WHERE template = 'draft_order_invoice'";

#[actix_web::test]
async fn the_link_is_mailed_in_the_buyers_language_and_pays() {
    let shop = Shop::open().await;
    shop.admin("UPDATE {s}.store_settings SET locale = 'en'").await;
    let mut wish = two_of(shop.thing(5, 1000).await);
    wish["locale"] = json!("de-AT");
    wish["discount"] = json!({ "title": "Treue", "amount": { "amount_minor": 100, "currency": "EUR" } });
    let (id, by_hand) = offered(&shop, wish).await;
    let message = json!({ "message": "Wie am Telefon besprochen." });
    let sent = staff(&shop, &id, "send-invoice", Some(message)).await.expect(200);
    assert_eq!((&sent.json["state"], sent.header("etag")), (&json!("invoice_sent"), "\"2\""));
    assert!(!String::from_utf8_lossy(&sent.bytes).contains("secret"), "{}", sent.json);
    hear(&shop).await;
    hear(&shop).await;
    assert_eq!(shop.number(MAILS).await, 1, "told again, nobody is written to again");
    let (subject, text, secret) = mail(&shop).await;
    assert!(subject.ends_with("Ihre Bestellung #D1 bezahlen"), "{subject}");
    assert!(text.contains("Wie am Telefon besprochen.") && text.contains("2 x Enamel mug (Blue)"), "{text}");
    assert!(text.contains(&format!("/draft-orders/{id}#{secret}")), "{text}");
    let shown = opened(&shop, &id, &secret).await.expect(200);
    assert_eq!(
        (&shown.json["message"], &shown.json["payable"]),
        (&json!("Wie am Telefon besprochen."), &json!(true))
    );
    // Both ways lead to it, until the mail is sent again: then the mail before opens nothing.
    opened(&shop, &id, &by_hand).await.expect(200);
    staff(&shop, &id, "send-invoice", Some(json!({}))).await.expect(200);
    hear(&shop).await;
    let (_, text, anew) = mail(&shop).await;
    assert!(!text.contains("Telefon"), "{text}");
    opened(&shop, &id, &secret).await.refused(404, "not_found");
    opened(&shop, &id, &by_hand).await.expect(200);
    pays(&shop, (&id, &anew), 2390, "tok_ok").await.expect(201);
    assert_eq!(
        (read(&shop, &id).await["state"].clone(), shop.taken().await),
        (json!("completed"), (2390, 0))
    );
}

#[actix_web::test]
async fn nothing_is_mailed_about_what_was_taken_back_meanwhile() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let id = drafted(&shop, two_of(shop.thing(5, 1000).await)).await.text("/id");
    staff(&shop, &id, "send-invoice", Some(json!({}))).await.expect(200);
    staff(&shop, &id, "cancel", None).await.expect(200);
    hear(&shop).await;
    assert_eq!(shop.number(MAILS).await, 0);
    let told = shop.told().await;
    assert_eq!(told, ["draft_order.created", "draft_order.invoice_sent", "draft_order.cancelled"]);
}

#[actix_web::test]
async fn whoever_is_forgotten_leaves_no_draft_order_to_be_paid() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    shop.admin("UPDATE {s}.store_settings SET locale = 'en'").await;
    let customer = souk_kernel::CustomerId::new();
    let text = format!(
        "INSERT INTO {{s}}.customers (id, email, email_key, first_name, state, locale, created_at, updated_at) \
         VALUES ('{}', 'ada@example.com', 'ada@example.com', 'Ada', 'enabled', 'de', now(), now())",
        customer.uuid()
    );
    shop.admin(&text).await;
    let mut wish = two_of(shop.thing(5, 1000).await);
    wish["email"] = json!(null);
    wish["customer"] = json!(customer);
    wish["reserve_until"] = json!(shop.clock.now() + chrono::TimeDelta::days(9));
    wish["tags"] = json!(["for Ada"]);
    let (id, secret) = offered(&shop, wish).await;
    assert_eq!(read(&shop, &id).await["email"], "ada@example.com");
    staff(&shop, &id, "send-invoice", Some(json!({ "message": "Dear Ada" }))).await.expect(200);
    hear(&shop).await;
    assert!(mail(&shop).await.0.ends_with("bezahlen"), "the language of the account");
    shop.staff("DELETE", &format!("/admin/v1/customers/{customer}"), None).await.expect(204);
    assert_eq!(shop.stock().await, "5/0/0");
    let left = read(&shop, &id).await;
    let seen =
        ["state", "email", "shipping_address", "message", "tags", "lines"].map(|name| left[name].clone());
    assert_eq!(seen, [json!("cancelled"), json!(null), json!(null), json!(""), json!([]), json!([])]);
    pays(&shop, (&id, &secret), 2490, "tok_ok").await.refused(409, "draft_order_state");
}
