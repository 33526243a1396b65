//! Captured mail over HTTP, and mail to a server.

use std::time::Duration;

use serde_json::json;
use souk_kernel::Clock;
use souk_smtp::test_support::{Sink, SinkConfig, Tls};

use super::{Sender, send_due};
use crate::config::Settings;
use crate::testing::{House, PASSWORD, house, house_alone};

#[actix_web::test]
async fn mail_is_captured_where_no_server_is_set() {
    let house = house().await;
    let ada = house.newcomer().await;
    let link = house.mailed_token(&ada.email, "/verify-email").await;
    for _ in 0..100 {
        let page = house.get("/dev/mail").send().await.expect(200);
        assert!(page.header("content-type").starts_with("text/html"));
        if page.text.contains(&ada.email) {
            assert!(page.text.contains(&format!("/verify-email#token={link}</a>")));
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the mail was not captured");
}

#[actix_web::test]
async fn captured_mail_is_shown_to_nobody_where_strangers_listen_in() {
    let house = house_alone(Clock::system(), |settings| settings.shows_captured_mail = false).await;
    house.get("/dev/mail").send().await.refused(404, "not_found");
}

/// Somebody signs up, which is one mail.
async fn signs_up(house: &House<impl crate::testing::Doors>, email: &str) {
    let wish = json!({ "email": email, "password": PASSWORD, "name": "Ada Lovelace" });
    house.post("/v1/accounts").body(&wish).send().await.expect(202);
}

/// State, tries and trouble of the one mail to an address.
async fn state(house: &House<impl crate::testing::Doors>, email: &str) -> String {
    let text = "SELECT state || '/' || attempts || '/' || coalesce(last_error, '-') FROM control.messages WHERE recipient = $1";
    house.rows().await.query_one(text, &[&email]).await.expect("one mail").get(0)
}

#[actix_web::test]
async fn mails_travel_over_tls_with_a_login_and_what_is_refused_says_why() {
    let clock = Clock::manual(Clock::system().now());
    let house = house_alone(clock.clone(), |_| {}).await;
    let worker = house.plane.gate().worker("test", "sends mails");
    let from = Settings::local().expect("settings").mail_from;
    let login = Some(("LOGIN", "souk", "secret"));
    let sink = Sink::start(SinkConfig { tls: Tls::StartTls, login, ..SinkConfig::default() });
    let stranger = Sender::new(Some(&sink.url()), None, &from).expect("a sender");
    let sender = Sender::new(Some(&sink.url()), Some(sink.authority()), &from).expect("a sender");

    signs_up(&house, "ada@example.com").await;
    assert_eq!(send_due(&worker, &stranger).await.expect("a look"), 1);
    let waits = state(&house, "ada@example.com").await;
    assert!(waits.starts_with("queued/1/no TLS with the mail server: "), "{waits}");
    assert!(waits.ends_with("UnknownIssuer") && sink.mails().is_empty(), "{waits}");
    clock.advance(Duration::from_secs(3600));
    assert_eq!(send_due(&worker, &sender).await.expect("a look"), 1);
    assert!(state(&house, "ada@example.com").await.starts_with("sent/2/"));
    let mails = sink.mails();
    assert_eq!((mails.len(), mails[0].encrypted, mails[0].user.as_deref()), (1, true, Some("souk")));

    sink.refuse("RCPT TO:<bob@", "550 5.1.1 no such user", 9);
    signs_up(&house, "bob@example.com").await;
    assert_eq!(send_due(&worker, &sender).await.expect("a look"), 1);
    let refused = "failed/1/the mail server refused the recipient: permanent error (550): 5.1.1 no such user";
    assert_eq!(state(&house, "bob@example.com").await, refused);
    clock.advance(Duration::from_secs(3600));
    assert_eq!(send_due(&worker, &sender).await.expect("a look"), 0);
    assert_eq!(sink.mails().len(), 1);
}
