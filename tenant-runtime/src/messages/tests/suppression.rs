//! Addresses that are not written to.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{log, queue, send, vault};
use crate::messages::actions::suppress::farewell;
use crate::testing::{Answer, TestShop};

const LIST: &str = "/admin/v1/email-suppressions";

fn signature(secret: &str, id: &str, timestamp: i64, body: &str) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

async fn report(shop: &TestShop, secret: &str, at: i64, body: &Value) -> Answer {
    let text = body.to_string();
    let signature = signature(secret, "rep_1", at, &text);
    let call = shop.call("POST", "/webhooks/mail").header("webhook-id", "rep_1");
    call.header("webhook-timestamp", &at.to_string())
        .header("webhook-signature", &signature)
        .json(body)
        .send()
        .await
}

#[actix_web::test]
async fn who_is_on_the_list_gets_no_mail_and_the_log_says_so() {
    let shop = TestShop::open(None).await;
    let add =
        shop.owner_call("POST", LIST).json(&json!({ "email": "Ada@example.com", "detail": "by telephone" }));
    let added = add.send().await.expect(200);
    assert_eq!(
        (added.json["reason"].clone(), added.json["detail"].clone()),
        (json!("manual"), json!("by telephone"))
    );
    queue(&shop, "order_placed", "ada@example.com").await;
    queue(&shop, "order_placed", "bob@example.com").await;
    assert_eq!(send(&shop).await, 1);
    assert_eq!(
        log(&shop).await,
        "order_placed/ada@example.com/suppressed order_placed/bob@example.com/captured"
    );
    let shown = shop.owner_call("GET", "/admin/v1/messages?state=suppressed").send().await.expect(200);
    assert_eq!(shown.json["data"][0]["last_error"], "the address is on the suppression list: manual");
    let list = shop.owner_call("GET", LIST).send().await.expect(200);
    assert_eq!((list.data().len(), list.json["data"][0]["email"].clone()), (1, json!("Ada@example.com")));
    shop.owner_call("DELETE", &format!("{LIST}/ada@example.com")).send().await.expect(204);
    shop.owner_call("DELETE", &format!("{LIST}/ada@example.com")).send().await.refused(404, "not_found");
    let id = shown.text("/data/0/id");
    shop.owner_call("POST", &format!("/admin/v1/messages/{id}/resend")).send().await.expect(202);
    assert_eq!(send(&shop).await, 1);
    assert!(log(&shop).await.ends_with("order_placed/ada@example.com/captured"));
    shop.owner_call("POST", LIST)
        .json(&json!({ "email": "nobody" }))
        .send()
        .await
        .refused(422, "validation_failed");
}

#[actix_web::test]
async fn a_bounce_is_believed_only_with_the_stores_signature() {
    let shop = TestShop::open(None).await;
    queue(&shop, "order_placed", "ada@example.com").await;
    assert_eq!(send(&shop).await, 1);
    shop.admin("UPDATE {s}.email_messages SET state = 'sent'").await;
    let message = shop.words("SELECT message_id AS word FROM email_messages").await;
    let body = json!({ "type": "bounced", "recipient": "ada@example.com", "message_id": message, "detail": "550 no such user" });
    let now = shop.clock.now().timestamp();
    let guess = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let whole = shop.digest().await;
    report(&shop, guess, now, &body).await.refused(400, "mail_report_refused");
    assert_eq!(shop.digest().await, whole, "no store believes before it has a secret");
    let made = shop.owner_call("POST", "/admin/v1/mail-settings/report-secret").send().await.expect(200);
    let secret = made.text("/secret");
    let whole = shop.digest().await;
    for (secret, at) in [(guess, now), (secret.as_str(), now - 301), (secret.as_str(), now + 301)] {
        report(&shop, secret, at, &body).await.refused(400, "mail_report_refused");
    }
    shop.call("POST", "/webhooks/mail").json(&body).send().await.refused(400, "mail_report_refused");
    report(&shop, &secret, now, &json!({ "type": "eaten" })).await.refused(422, "validation_failed");
    assert_eq!(shop.digest().await, whole);
    // One that will pass changes the log, not the list.
    let soft = json!({ "type": "bounced", "recipient": "eve@example.com", "permanent": false });
    report(&shop, &secret, now, &soft).await.expect(204);
    assert_eq!(shop.number("SELECT count(*) AS number FROM email_suppressions").await, 0);
    // Somebody else's mail is not touched, whatever the report says.
    let other = json!({ "type": "bounced", "recipient": "bob@example.com", "message_id": message });
    report(&shop, &secret, now, &other).await.expect(204);
    assert_eq!(log(&shop).await, "order_placed/ada@example.com/sent");
    report(&shop, &secret, now, &body).await.expect(204);
    let once = shop.digest().await;
    report(&shop, &secret, now, &body).await.expect(204);
    assert_eq!(shop.digest().await, once, "hearing it again changes nothing");
    assert_eq!(log(&shop).await, "order_placed/ada@example.com/bounced");
    assert_eq!(
        shop.words("SELECT email || '/' || reason AS word FROM email_suppressions ORDER BY email").await,
        "ada@example.com/bounced bob@example.com/bounced"
    );
    let again = shop.owner_call("POST", "/admin/v1/mail-settings/report-secret").send().await.expect(200);
    assert_ne!(again.text("/secret"), secret);
    report(&shop, &secret, now, &body).await.refused(400, "mail_report_refused");
}

#[actix_web::test]
async fn one_click_ends_marketing_and_nothing_else() {
    let shop = TestShop::open(None).await;
    let token = farewell(&vault(&shop), shop.store.id, "ada@example.com").unwrap();
    let path = format!("/store/v1/unsubscribe/{token}");
    let stranger = TestShop::open(None).await;
    stranger.call("POST", &path).send().await.refused(410, "mail_link_unusable");
    for bad in ["x", "a.b", &format!("{token}A")] {
        shop.call("POST", &format!("/store/v1/unsubscribe/{bad}"))
            .send()
            .await
            .refused(410, "mail_link_unusable");
    }
    // As mail programs do it (RFC 8058).
    let click = shop.call("POST", &path).header("content-type", "application/x-www-form-urlencoded");
    click.bytes(b"List-Unsubscribe=One-Click".to_vec()).send().await.expect(204);
    shop.clock.advance(Duration::from_secs(60));
    let once = shop.digest().await;
    shop.call("POST", &path).send().await.expect(204);
    assert_eq!(shop.digest().await, once);
    queue(&shop, "abandoned_cart", "ada@example.com").await;
    queue(&shop, "order_placed", "ada@example.com").await;
    assert_eq!(send(&shop).await, 1);
    assert_eq!(
        log(&shop).await,
        "abandoned_cart/ada@example.com/suppressed order_placed/ada@example.com/captured"
    );
}
