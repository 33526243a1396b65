//! Marketing that a mailbox agrees to, and ends.

use std::time::Duration;

use serde_json::{Value, json};

use super::{log, queue, send, vault};
use crate::customers::tests::people::{PASSWORD, People};
use crate::messages::actions::suppress::farewell;

const CONFIRM: &str = "/store/v1/customers/confirm-marketing";

async fn says(people: &People, way: &str) {
    let call = people.shop.owner_call("PATCH", "/admin/v1/settings").header("if-match", "*");
    call.json(&json!({ "marketing_opt_in": way })).send().await.expect(200);
}

/// Registers somebody who takes marketing; the mails that this makes, by template.
async fn registers(people: &People, email: &str) -> Vec<(String, String)> {
    let wish = json!({ "email": email, "password": PASSWORD, "accepts_marketing": true });
    people.post("/store/v1/customers", None, &wish).await.is(202);
    people.mails().await.into_iter().map(|mail| (mail.template, mail.secret)).collect()
}

/// The customers who stand so to marketing.
async fn standing(people: &People, how: &str) -> Vec<Value> {
    let path = format!("/admin/v1/customers?marketing={how}");
    let page = people.shop.owner_call("GET", &path).send().await.expect(200);
    page.data().iter().map(|customer| customer["email"].clone()).collect()
}

/// What was said, how and where, oldest first.
async fn history(people: &People, access: &str) -> Vec<String> {
    let account = people.get("/store/v1/account", access).await.is(200);
    let path = format!("/admin/v1/customers/{}/marketing-consents", account["id"].as_str().unwrap());
    let page = people.shop.owner_call("GET", &path).send().await.expect(200);
    let word =
        |one: &Value| format!("{} {}", one["state"].as_str().unwrap(), one["source"].as_str().unwrap());
    page.data().iter().map(word).collect()
}

#[actix_web::test]
async fn saying_so_is_enough_where_the_store_does_not_ask_twice() {
    let people = People::open().await;
    let mails = registers(&people, "ada@example.com").await;
    assert_eq!(mails.iter().map(|mail| mail.0.as_str()).collect::<Vec<_>>(), ["customer_verify_email"]);
    let ada = people.sign_in("ada@example.com", PASSWORD).await.access;
    let account = people.get("/store/v1/account", &ada).await.is(200);
    assert_eq!((&account["accepts_marketing"], &account["marketing"]), (&json!(true), &json!("given")));
    assert_eq!(history(&people, &ada).await, ["given registration"]);
    // Saying it again says nothing new.
    let wish = json!({ "accepts_marketing": true });
    people.patch("/store/v1/account", &ada, &wish).await.is(200);
    assert_eq!(history(&people, &ada).await.len(), 1);
    people.patch("/store/v1/account", &ada, &json!({ "accepts_marketing": false })).await.is(200);
    assert_eq!(history(&people, &ada).await, ["given registration", "withdrawn account"]);
    assert_eq!(standing(&people, "none").await, [json!("ada@example.com")]);
}

#[actix_web::test]
async fn a_mailbox_agrees_first_where_the_store_asks_twice() {
    let people = People::open().await;
    says(&people, "double").await;
    let mails = registers(&people, "ada@example.com").await;
    let asked = mails.iter().find(|mail| mail.0 == "customer_confirm_marketing").unwrap();
    assert_eq!(mails.len(), 2);
    let ada = people.sign_in("ada@example.com", PASSWORD).await.access;
    let account = people.get("/store/v1/account", &ada).await.is(200);
    assert_eq!((&account["accepts_marketing"], &account["marketing"]), (&json!(false), &json!("pending")));
    assert_eq!(standing(&people, "pending").await, [json!("ada@example.com")]);
    // Another link of hers is not this one, and this one works once.
    let before = people.shop.digest().await;
    let other = mails.iter().find(|mail| mail.0 == "customer_verify_email").unwrap();
    for secret in [other.1.as_str(), "x"] {
        people.post(CONFIRM, None, &json!({ "token": secret })).await.refused(410, "link_unusable");
    }
    assert_eq!(people.shop.digest().await, before);
    let follow = json!({ "token": asked.1 });
    people.post(CONFIRM, None, &follow).await.is(204);
    people.post(CONFIRM, None, &follow).await.refused(410, "link_unusable");
    assert_eq!(standing(&people, "given").await, [json!("ada@example.com")]);
    assert_eq!(history(&people, &ada).await, ["pending registration", "given mailed_link"]);
    // One click ends it without signing in; her copy says all of it.
    let end = farewell(&vault(&people.shop), people.shop.store.id, "ada@example.com").unwrap();
    people.shop.call("POST", &format!("/store/v1/unsubscribe/{end}")).send().await.expect(204);
    assert_eq!(standing(&people, "given").await, Vec::<Value>::new());
    let copy = people.get("/store/v1/account/export", &ada).await.is(200);
    let last = &copy["marketing"][2];
    assert_eq!((&last["state"], &last["source"]), (&json!("withdrawn"), &json!("unsubscribe_link")));
    // Until she agrees anew, nothing is sent; then it is.
    people.shop.clock.advance(Duration::from_secs(60));
    people.patch("/store/v1/account", &ada, &json!({ "accepts_marketing": true })).await.is(200);
    let anew = people.mail().await;
    queue(&people.shop, "abandoned_cart", "ada@example.com").await;
    send(&people.shop).await;
    assert!(log(&people.shop).await.contains("abandoned_cart/ada@example.com/suppressed"));
    people.post(CONFIRM, None, &json!({ "token": anew.secret })).await.is(204);
    queue(&people.shop, "abandoned_cart", "ada@example.com").await;
    send(&people.shop).await;
    assert!(log(&people.shop).await.contains("abandoned_cart/ada@example.com/captured"));
}

#[actix_web::test]
async fn what_is_taken_back_cannot_be_confirmed_any_more() {
    let people = People::open().await;
    says(&people, "double").await;
    let ada = people.customer("ada@example.com").await.access;
    let wish = async |accepts: bool| {
        people.patch("/store/v1/account", &ada, &json!({ "accepts_marketing": accepts })).await.is(200);
    };
    wish(true).await;
    let mail = people.mail().await;
    assert_eq!(mail.template, "customer_confirm_marketing");
    wish(false).await;
    people.post(CONFIRM, None, &json!({ "token": mail.secret })).await.refused(410, "link_unusable");
    assert_eq!(history(&people, &ada).await, ["pending account", "withdrawn account"]);
    // Nor is anybody asked who took it back before the mail was written.
    wish(true).await;
    wish(false).await;
    assert!(people.mails().await.is_empty());
    // Nothing of it outlives the account.
    let erase = json!({ "password": PASSWORD });
    people.send_delete("/store/v1/account", &ada, &erase).await.is(204);
    assert_eq!(people.number("SELECT count(*) AS number FROM marketing_consents").await, 0);
}

#[actix_web::test]
async fn consent_from_before_it_was_kept_undoes_no_unsubscription() {
    let people = People::open().await;
    people.customer("ada@example.com").await;
    let end = farewell(&vault(&people.shop), people.shop.store.id, "ada@example.com").unwrap();
    people.shop.call("POST", &format!("/store/v1/unsubscribe/{end}")).send().await.expect(204);
    // As the migration found whoever changed something of their account after they had unsubscribed.
    let found = "UPDATE {s}.customers SET accepts_marketing = true WHERE email_key = 'ada@example.com'; \
         INSERT INTO {s}.marketing_consents (id, customer_id, state, source, at) \
         SELECT gen_random_uuid(), c.id, 'given', 'unknown', s.created_at + interval '1 hour' \
         FROM {s}.customers c JOIN {s}.email_suppressions s ON s.email_key = c.email_key;";
    people.shop.admin(found).await;
    assert_eq!(people.number("SELECT count(*) AS number FROM marketing_consents").await, 1);
    queue(&people.shop, "abandoned_cart", "ada@example.com").await;
    send(&people.shop).await;
    assert!(log(&people.shop).await.contains("abandoned_cart/ada@example.com/suppressed"));
}
