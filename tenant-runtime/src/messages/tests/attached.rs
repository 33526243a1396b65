//! The invoice that goes along with the mail that says an order is paid.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use serde_json::json;
use souk_event_bus::{Consumer, ConsumerError, Event};
use souk_tenancy::{TenancyError, WriteTx};

use super::sender::{Catcher, header};
use super::{vault, worker};
use crate::customers::tests::people::outbox_after;
use crate::invoices::Invoicing;
use crate::messages::{OrderMail, Sender, send_due};
use crate::testing::TestShop;
use crate::testing::shop::{Shop, key, pay_with};

struct Deaf;

impl From<TenancyError> for Deaf {
    fn from(error: TenancyError) -> Self {
        panic!("{error:?}")
    }
}

impl From<ConsumerError> for Deaf {
    fn from(error: ConsumerError) -> Self {
        panic!("{error:?}")
    }
}

/// A consumer hears everything that the shop has stated so far.
pub async fn hears(shop: &TestShop, consumer: &dyn Consumer) {
    for (_, event) in outbox_after(shop, 0).await {
        if !consumer.wants(&event.kind) {
            continue;
        }
        let event: &Event = &event;
        let work = async move |tx: &mut WriteTx<'_>| {
            let heard: BoxFuture<'_, Result<(), ConsumerError>> = consumer.hear(tx, event);
            Ok::<_, Deaf>(heard.await?)
        };
        worker(shop).write("test.hear", work).await.unwrap_or_else(|_| panic!("{}", event.kind));
    }
}

async fn settings(shop: &Shop, automatic: bool, attach_to_mail: bool) {
    let wish = json!({ "vat_id": "DE123456789", "automatic": automatic, "attach_to_mail": attach_to_mail,
        "seller_address": { "address1": "Lindenweg 1", "postal_code": "10117", "city": "Berlin", "country": "DE" } });
    let put = shop.owner_call("PUT", "/admin/v1/invoice-settings").header("if-match", "*").json(&wish);
    put.send().await.expect(200);
}

async fn sold(shop: &Shop) -> serde_json::Value {
    let basket = shop.basket(shop.thing(9, 1000).await, 1).await;
    shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await.expect(201).json["order"].clone()
}

#[actix_web::test]
async fn the_mail_that_says_it_is_paid_brings_the_invoice_along() {
    let shop = Shop::open().await;
    settings(&shop, false, true).await;
    sold(&shop).await;
    hears(&shop, &OrderMail).await;
    // The invoice was issued for the mail; told twice it is the same one.
    hears(&shop, &OrderMail).await;
    assert_eq!(shop.words("SELECT name AS word FROM invoices ORDER BY id").await, "INV-1");
    let catcher = Catcher::start().await;
    let platform = "Souk <no-reply@platform.example>".parse().unwrap();
    let sender = Sender::new(Some(&catcher.url), None, &platform, vault(&shop)).unwrap();
    assert_eq!(send_due(&worker(&shop), &sender).await.unwrap(), 1);
    let mail = catcher.last();
    assert!(header(&mail, "Content-Type").unwrap().contains("multipart/mixed"), "{mail}");
    let (before, part) = mail.split_once("Content-Type: application/pdf").expect("a PDF");
    let (_, disposition) = before.rsplit_once("\r\n--").expect("a part");
    assert!(disposition.contains("filename=\"INV-1.pdf\""), "{disposition}");
    let (_, body) = part.split_once("\r\n\r\n").unwrap();
    let body: String = body.lines().take_while(|line| !line.starts_with("--")).collect();
    let invoice =
        shop.owner_call("GET", "/admin/v1/invoices").send().await.expect(200).json["data"][0]["id"].clone();
    let path = format!("/admin/v1/invoices/{}/pdf", invoice.as_str().unwrap());
    assert_eq!(STANDARD.decode(body).unwrap(), shop.owner_call("GET", &path).send().await.expect(200).bytes);
    // The log says so.
    let log = shop.owner_call("GET", "/admin/v1/messages").send().await.expect(200);
    assert_eq!(log.json["data"][0]["invoice"], invoice);
}

#[actix_web::test]
async fn without_the_wish_there_is_neither_invoice_nor_attachment() {
    let shop = Shop::open().await;
    sold(&shop).await;
    hears(&shop, &OrderMail).await;
    hears(&shop, &Invoicing).await;
    assert_eq!(shop.number("SELECT count(*) AS number FROM invoices").await, 0);
    assert_eq!(
        shop.number("SELECT count(*) AS number FROM email_messages WHERE invoice_id IS NULL").await,
        1
    );
    let log = shop.owner_call("GET", "/admin/v1/messages").send().await.expect(200);
    assert_eq!(log.json["data"][0].get("invoice"), None);
}

#[actix_web::test]
async fn a_store_that_wants_it_so_issues_by_itself() {
    let shop = Shop::open().await;
    settings(&shop, true, false).await;
    let order = sold(&shop).await;
    hears(&shop, &Invoicing).await;
    let path = format!("/admin/v1/orders/{}/refunds", order["id"].as_str().unwrap());
    let wish = json!({ "lines": [{ "line": order["lines"][0]["id"], "quantity": 1 }], "reason": "damaged" });
    shop.owner_call("POST", &path).keyed().json(&wish).send().await.expect(200);
    shop.sweep().await;
    hears(&shop, &Invoicing).await;
    assert_eq!(shop.words("SELECT name AS word FROM invoices ORDER BY id").await, "INV-1 CN-1");
    let told = shop.told().await;
    assert_eq!(told.iter().filter(|kind| *kind == "invoice.issued").count(), 2);
    assert_eq!(shop.words("SELECT DISTINCT issued_by AS word FROM invoices").await, "service:invoicing");
}
