//! What an event comes to that is heard once more: no second mail, nothing made for one, and nothing to whoever was forgotten.

use serde_json::{Value, json};
use souk_kernel::{AccountId, CustomerId};
use souk_tenancy::WriteTx;

use super::attached::hears;
use super::{log, vault, worker};
use crate::customers::tests::people::{PASSWORD, People};
use crate::messages::actions::forget;
use crate::messages::{CustomerMail, MailRoom, NoticeMail, OrderMail};
use crate::orders;
use crate::testing::TestShop;
use crate::testing::shop::{Shop, key};

const CONSOLE: &str = "https://console.example";

#[actix_web::test]
async fn links_that_were_mailed_still_open_after_a_replay() {
    let people = People::open().await;
    let wish = json!({ "email": "ada@example.com", "password": PASSWORD });
    people.post("/store/v1/customers", None, &wish).await.is(202);
    let letter = people.mail().await;
    let invite = json!({ "email": "charles@example.com", "role": "viewer" });
    people.post("/admin/v1/staff-invitations", Some(&people.shop.owner()), &invite).await.is(201);
    let invitation = people.mail().await;
    let consumer =
        CustomerMail { address: people.shop.till.address.clone(), console_url: CONSOLE.to_owned() };
    let whole = people.shop.digest().await;
    hears(&people.shop, &consumer).await;
    assert_eq!(people.shop.digest().await, whole);
    people.post("/store/v1/customers/verify", None, &json!({ "token": letter.secret })).await.is(204);
    let token = people.shop.staff_token(AccountId::new());
    let join = json!({ "token": invitation.secret, "name": "Charles" });
    people.post("/admin/v1/staff-invitations/accept", Some(&token), &join).await.is(201);
}

/// An order of Ada's that waits for its money.
async fn ordered(shop: &Shop) -> Value {
    let basket = shop.basket(shop.thing(9, 1000).await, 1).await;
    let total = json!({ "amount_minor": 1490, "currency": "EUR" });
    let body = json!({ "expected_total": total, "payment": { "provider": "manual" } });
    shop.checkout(&basket, &key(), &body).await.expect(201).json["order"].clone()
}

async fn cancels(shop: &Shop, order: &Value) {
    let path = format!("/admin/v1/orders/{}/cancel", order["id"].as_str().unwrap());
    shop.staff("POST", &path, Some(json!({ "reason": "customer" }))).await.expect(200);
}

/// Forgets mails to the mailbox of this digest, and orders of this mailbox.
async fn forgets(shop: &TestShop, email_sha256: String, orders_of: Option<&'static str>) {
    let work = async move |tx: &mut WriteTx<'_>| {
        if orders_of.is_some() {
            orders::forget(tx, CustomerId::new(), orders_of).await?;
        }
        forget(tx, &email_sha256).await
    };
    worker(shop).write("test.forget", work).await.unwrap();
}

#[actix_web::test]
async fn whoever_was_forgotten_gets_no_mail_of_what_was_stated_before() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let ada = shop.words("SELECT encode(sha256('ada@example.com'), 'hex') AS word").await;
    ordered(&shop).await;
    hears(&shop, &OrderMail).await;
    assert_eq!(log(&shop).await, "order_placed/ada@example.com/queued");
    forgets(&shop, ada.clone(), None).await;
    let nothing = "order_placed/erased@invalid/failed";
    assert_eq!(log(&shop).await, nothing);
    hears(&shop, &OrderMail).await;
    assert_eq!(log(&shop).await, nothing, "there was that mail");
    // Stated before, heard for the first time after.
    let late = ordered(&shop).await;
    forgets(&shop, ada, Some("ada@example.com")).await;
    cancels(&shop, &late).await;
    hears(&shop, &OrderMail).await;
    assert_eq!(log(&shop).await, nothing, "the event still names her, the order does not");
    assert_eq!(shop.told().await, ["order.placed", "order.placed", "order.cancelled"]);
}

#[actix_web::test]
async fn of_two_who_follow_an_order_both_can_be_forgotten() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let order = ordered(&shop).await;
    shop.admin(
        "INSERT INTO {s}.subscriptions (id, topic, email, email_key, order_id, state, asked_at, confirmed_at, created_at)
         SELECT gen_random_uuid(), 'order', who, who, o.id, 'confirmed', now(), now(), now()
         FROM {s}.orders o, unnest(ARRAY['bob@example.com', 'eve@example.com']) who",
    )
    .await;
    cancels(&shop, &order).await;
    let room = MailRoom {
        vault: vault(&shop),
        domain: "platform.example".to_owned(),
        console_url: CONSOLE.to_owned(),
    };
    let consumer = NoticeMail { address: shop.till.address.clone(), room };
    hears(&shop, &consumer).await;
    let told =
        "SELECT recipient AS word FROM email_messages WHERE template = 'order_news' ORDER BY recipient";
    assert_eq!(shop.words(told).await, "bob@example.com eve@example.com");
    hears(&shop, &consumer).await;
    assert_eq!(shop.words(told).await, "bob@example.com eve@example.com", "each was told");
    let bob = shop.words("SELECT encode(sha256('bob@example.com'), 'hex') AS word").await;
    let eve = shop.words("SELECT encode(sha256('eve@example.com'), 'hex') AS word").await;
    forgets(&shop, bob, None).await;
    forgets(&shop, eve, None).await;
    hears(&shop, &consumer).await;
    assert_eq!(shop.words(told).await, "erased@invalid erased@invalid");
}
