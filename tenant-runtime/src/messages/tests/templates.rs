//! The store's own words.

use serde_json::{Value, json};

use super::{log, queue, send};
use crate::messages::model::KINDS;
use crate::testing::TestShop;
use crate::testing::shop::Shop;

const PLACED: &str = "/admin/v1/email-templates/order_placed/en";

fn words(subject: &str) -> Value {
    json!({ "subject": subject, "text": "Thanks for {{ order.name }}", "html": "{% extends \"layout.html\" %}{% block body %}<p>{{ order.name }}</p>{% endblock %}" })
}

async fn subjects(shop: &TestShop) -> String {
    shop.words("SELECT subject AS word FROM email_messages ORDER BY id").await
}

#[actix_web::test]
async fn own_words_are_kept_by_version_sent_and_taken_back() {
    let shop = TestShop::open(None).await;
    let all = shop.owner_call("GET", "/admin/v1/email-templates").send().await.expect(200);
    assert_eq!(all.data().len(), KINDS.len());
    assert_eq!(
        all.json["data"][0],
        json!({
            "kind": "order_placed", "audience": "customer", "purpose": "transactional", "about": "An order was placed.",
            "locales": ["en", "de"], "own": [],
        })
    );
    let before = shop.owner_call("GET", PLACED).send().await.expect(200);
    assert_eq!((before.json["own"].clone(), before.json["version"].clone()), (json!(false), json!(0)));
    assert_eq!(before.header("etag"), "\"0\"");
    assert!(before.text("/subject").contains("{{ order.name }}"), "{}", before.json);
    assert_eq!(before.json["sample"]["name"], "#1001");

    let first = shop
        .owner_call("PUT", PLACED)
        .header("if-match", "\"0\"")
        .json(&words("One {{ order.name }}"))
        .send()
        .await;
    assert_eq!(first.expect(200).json["version"], 1);
    let whole = shop.digest().await;
    shop.owner_call("PUT", PLACED)
        .header("if-match", "\"0\"")
        .json(&words("Late"))
        .send()
        .await
        .refused(412, "precondition_failed");
    assert_eq!(shop.digest().await, whole);
    let second = shop.owner_call("PUT", PLACED).json(&words("Two {{ order.name }}")).send().await.expect(200);
    assert_eq!((second.json["version"].clone(), second.json["own"].clone()), (json!(2), json!(true)));
    queue(&shop, "order_placed", "ada@example.com").await;

    let versions = shop.owner_call("GET", &format!("{PLACED}/versions?limit=1")).send().await.expect(200);
    assert_eq!(
        (versions.json["data"][0]["version"].clone(), versions.json["page"]["has_more"].clone()),
        (json!(2), json!(true))
    );
    assert!(
        versions.json["data"][0]["created_by"].as_str().unwrap().starts_with("staff:"),
        "{}",
        versions.json
    );
    let next = versions.text("/page/next");
    let rest = shop.owner_call("GET", &format!("{PLACED}/versions?after={next}")).send().await.expect(200);
    assert_eq!(rest.json["data"][0]["subject"], "One {{ order.name }}");
    shop.owner_call("POST", &format!("{PLACED}/versions/7/restore")).send().await.refused(404, "not_found");
    let restored = shop.owner_call("POST", &format!("{PLACED}/versions/1/restore")).send().await.expect(200);
    assert_eq!(
        (restored.json["version"].clone(), restored.json["subject"].clone()),
        (json!(3), json!("One {{ order.name }}"))
    );
    queue(&shop, "order_placed", "bob@example.com").await;

    shop.owner_call("DELETE", PLACED).send().await.expect(204);
    shop.owner_call("DELETE", PLACED).send().await.refused(404, "not_found");
    queue(&shop, "order_placed", "eve@example.com").await;
    let german = "/admin/v1/email-templates/order_placed/de";
    shop.owner_call("PUT", german).json(&words("Deutsch")).send().await.expect(200);
    shop.admin("UPDATE {s}.store_settings SET locale = 'de-AT'").await;
    queue(&shop, "order_placed", "uwe@example.com").await;
    let name = shop.words("SELECT name AS word FROM store_settings").await;
    assert_eq!(subjects(&shop).await, format!("Two #1001 One #1001 {name}: your order #1001 Deutsch"));
    // Numbers go on, so that no version is ever two texts.
    assert_eq!(
        shop.owner_call("PUT", PLACED).json(&words("Four")).send().await.expect(200).json["version"],
        4
    );
    assert_eq!(send(&shop).await, 4);
}

#[actix_web::test]
async fn what_cannot_be_filled_is_refused_with_line_and_reason_and_changes_nothing() {
    let shop = TestShop::open(None).await;
    let whole = shop.digest().await;
    for (field, text, says) in [
        ("html", "<p>\n\n{{ order.nmae }}", "line 3: there is no `order.nmae`"),
        ("html", "{% include \"/etc/passwd\" %}", "line 1: other templates cannot be included"),
        ("text", "{% for i in range(1000000000) %}x{% endfor %}", "line 1: there is no `range`"),
        ("subject", "{{ order.name", "line 1: "),
        ("text", "{{ order.shipping_title.x.y }}", "line 1: "),
    ] {
        let mut wish = words("s");
        wish[field] = text.into();
        let began = std::time::Instant::now();
        let answer = shop.owner_call("PUT", PLACED).json(&wish).send().await;
        let answer = answer.refused(422, "email_template_refused").about(&format!("/{field}"));
        assert!(answer.json["errors"][0]["message"].as_str().unwrap().starts_with(says), "{}", answer.json);
        assert!(began.elapsed().as_secs() < 5);
        let draft = json!({ "draft": wish });
        shop.owner_call("POST", &format!("{PLACED}/preview"))
            .json(&draft)
            .send()
            .await
            .refused(422, "email_template_refused");
    }
    for path in [
        "/admin/v1/email-templates/nope/en",
        "/admin/v1/email-templates/order_placed/EN",
        "/admin/v1/email-templates/order_placed/x",
    ] {
        shop.owner_call("GET", path).send().await.refused(404, "not_found");
        shop.owner_call("PUT", path).json(&words("s")).send().await.refused(404, "not_found");
    }
    shop.call("GET", PLACED).send().await.refused(401, "unauthenticated");
    assert_eq!(shop.digest().await, whole);
}

#[actix_web::test]
async fn a_preview_shows_made_up_facts_or_a_real_order_and_a_try_is_mailed() {
    let shop = Shop::open().await;
    let thing = shop.thing(9, 1299).await;
    let basket = shop.basket(thing, 2).await;
    let bought = shop.buys(&basket, 3088, "tok_ok").await.expect(201);
    let order = bought.text("/order/id");
    let name = bought.text("/order/name");
    let path = format!("{PLACED}/preview");
    let made_up = shop.owner_call("POST", &path).json(&json!({})).send().await.expect(200);
    assert!(made_up.text("/text").contains("Total   34.49 EUR"), "{}", made_up.json);
    let whole = shop.digest().await;
    let real = shop.owner_call("POST", &path).json(&json!({ "order": order })).send().await.expect(200);
    assert!(real.text("/subject").ends_with(&format!("your order {name}")), "{}", real.json);
    let text = real.text("/text");
    assert!(
        text.contains("2 x Enamel mug (Blue)   25.98 EUR") && text.contains("Total   30.88 EUR"),
        "{text}"
    );
    assert!(!text.contains("Discount"), "{text}");
    assert!(real.text("/html").contains("prefers-color-scheme: dark"));
    let draft = json!({ "draft": words("Draft {{ order.name }}"), "order": order });
    let shown = shop.owner_call("POST", &path).json(&draft).send().await.expect(200);
    assert_eq!(shown.json["subject"], format!("Draft {name}"));
    let stranger = json!({ "order": "ord_01h455vb4pex5vsknk084sn02q" });
    shop.owner_call("POST", &path)
        .json(&stranger)
        .send()
        .await
        .refused(422, "validation_failed")
        .about("/order");
    let letter = "/admin/v1/email-templates/low_stock/en/preview";
    shop.owner_call("POST", letter)
        .json(&json!({ "order": order }))
        .send()
        .await
        .refused(422, "validation_failed");
    assert_eq!(shop.digest().await, whole, "nobody is mailed by looking");

    let wish = json!({ "to": "owner@shop.example", "order": order });
    let sent = shop.owner_call("POST", &format!("{PLACED}/test")).json(&wish).send().await.expect(202);
    assert_eq!(
        (sent.json["state"].clone(), sent.json["recipient"].clone()),
        (json!("queued"), json!("owner@shop.example"))
    );
    assert!(sent.text("/subject").starts_with("[test] "));
    assert_eq!(send(&shop).await, 1);
    let id = sent.text("/id");
    let one = shop.owner_call("GET", &format!("/admin/v1/messages/{id}")).send().await.expect(200);
    assert_eq!(one.json["state"], "captured");
    assert!(one.text("/text").contains("Total   30.88 EUR"));
    shop.admin("INSERT INTO {s}.email_messages (id, template, recipient, subject, body_text, body_html, message_id, state, created_at) \
        SELECT gen_random_uuid(), 'order_placed', 'x@example.com', '[test] x', '', '', 'm' || n, 'sent', now() FROM generate_series(1, 49) n").await;
    shop.owner_call("POST", &format!("{PLACED}/test"))
        .json(&wish)
        .send()
        .await
        .refused(429, "too_many_test_mails");
}

#[actix_web::test]
async fn the_log_is_searched_and_a_mail_is_sent_again() {
    let shop = TestShop::open(None).await;
    queue(&shop, "order_placed", "ada@example.com").await;
    queue(&shop, "order_refunded", "bob@example.com").await;
    let all = shop.owner_call("GET", "/admin/v1/messages?state=queued").send().await.expect(200);
    assert_eq!(all.data().len(), 2);
    let found = shop
        .owner_call("GET", "/admin/v1/messages?recipient=ADA@example.com&template=order_placed")
        .send()
        .await
        .expect(200);
    assert_eq!(found.data().len(), 1);
    let id = found.text("/data/0/id");
    shop.owner_call("POST", &format!("/admin/v1/messages/{id}/resend"))
        .send()
        .await
        .refused(409, "message_still_queued");
    assert_eq!(send(&shop).await, 2);
    let again = shop.owner_call("POST", &format!("/admin/v1/messages/{id}/resend")).send().await.expect(202);
    assert_ne!(again.text("/id"), id);
    assert_ne!(again.text("/message_id"), found.text("/data/0/message_id"));
    assert_eq!(again.json["subject"], found.json["data"][0]["subject"]);
    assert_eq!(send(&shop).await, 1);
    assert_eq!(
        log(&shop).await,
        "order_placed/ada@example.com/captured order_refunded/bob@example.com/captured order_placed/ada@example.com/captured"
    );
    shop.owner_call("GET", "/admin/v1/messages/msg_01h455vb4pex5vsknk084sn02q")
        .send()
        .await
        .refused(404, "not_found");
    shop.owner_call("POST", "/admin/v1/messages/msg_01h455vb4pex5vsknk084sn02q/resend")
        .send()
        .await
        .refused(404, "not_found");
    shop.owner_call("GET", "/admin/v1/messages?state=lost").send().await.refused(422, "validation_failed");
}
