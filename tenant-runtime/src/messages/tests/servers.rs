//! Mail servers as they are: over TLS, with a login, and with their refusals. The log says what became of each mail.

use std::time::Duration;

use souk_smtp::test_support::{Sink, SinkConfig, Tls};

use super::{queue, vault, worker};
use crate::messages::{Sender, send_due};
use crate::testing::TestShop;

const LOGIN: Option<(&str, &str, &str)> = Some(("PLAIN", "souk", "secret"));
/// Longer than any mail of these tests waits.
const LATER: Duration = Duration::from_secs(600);

/// Sends what is due to this server; how many were tried.
async fn sends(shop: &TestShop, url: &str, authority: Option<&str>) -> usize {
    let platform = "Souk <no-reply@platform.example>".parse().unwrap();
    let sender = Sender::new(Some(url), authority, &platform, vault(shop)).unwrap();
    send_due(&worker(shop), &sender).await.unwrap()
}

/// What the log says of a mail to a mailbox that there is not.
const NOBODY: &str = "the mail server refused the recipient: permanent error (550): 5.1.1 no such user; \
    the address is on the suppression list now";

/// Address, reason and detail of whoever is not written to.
async fn suppressed(shop: &TestShop) -> String {
    let text =
        "SELECT email || '/' || reason || '/' || detail AS word FROM email_suppressions ORDER BY email_key";
    shop.words(text).await
}

/// State, tries and trouble of every mail, oldest first; `-` without trouble.
async fn states(shop: &TestShop) -> String {
    let text = "SELECT state || '/' || attempts || '/' || coalesce(last_error, '-') AS word FROM email_messages ORDER BY id";
    shop.words(text).await
}

#[actix_web::test]
async fn mails_travel_over_tls_and_with_a_login() {
    let shop = TestShop::open(None).await;
    for tls in [Tls::Implicit, Tls::StartTls] {
        for mechanism in ["PLAIN", "LOGIN"] {
            let login = Some((mechanism, "souk", "secret"));
            let sink = Sink::start(SinkConfig { tls, login, ..SinkConfig::default() });
            queue(&shop, "order_placed", "ada@example.com").await;
            assert_eq!(sends(&shop, &sink.url(), Some(sink.authority())).await, 1);
            let mails = sink.mails();
            assert_eq!(mails.len(), 1, "{tls:?} {mechanism}: {}", states(&shop).await);
            assert!(mails[0].encrypted, "{tls:?}");
            assert_eq!(mails[0].user.as_deref(), Some("souk"), "{mechanism}");
            assert_eq!(mails[0].to, ["RCPT TO:<ada@example.com>"]);
        }
    }
    assert_eq!(states(&shop).await, "sent/1/- sent/1/- sent/1/- sent/1/-");
}

#[actix_web::test]
async fn a_server_that_cannot_prove_who_it_is_gets_nothing_and_the_mail_waits() {
    let shop = TestShop::open(None).await;
    queue(&shop, "order_placed", "ada@example.com").await;
    let good = Sink::start(SinkConfig { tls: Tls::Implicit, login: LOGIN, ..SinkConfig::default() });
    let upgraded = Sink::start(SinkConfig { tls: Tls::StartTls, login: LOGIN, ..SinkConfig::default() });
    let other = Sink::start(SinkConfig { tls: Tls::Implicit, name: Some("mail.example"), login: LOGIN });
    let bare = Sink::start(SinkConfig::default());
    let starttls = format!("smtp://souk:secret@localhost:{}?tls=required", bare.address().port());
    let mut tries = 0;
    for (url, authority, says) in [
        (other.url(), Some(other.authority()), "certificate not valid for name \"localhost\""),
        // Of an authority that nobody knows, and of another than the one that is asked for.
        (good.url(), None, "UnknownIssuer"),
        (upgraded.url(), None, "UnknownIssuer"),
        (good.url(), Some(other.authority()), "UnknownIssuer"),
        (upgraded.url(), Some(other.authority()), "UnknownIssuer"),
        // Whoever sits in between has no STARTTLS to offer.
        (starttls, Some(good.authority()), "STARTTLS is not supported"),
    ] {
        assert_eq!(sends(&shop, &url, authority).await, 1, "{url}");
        tries += 1;
        let state = states(&shop).await;
        assert!(state.starts_with(&format!("queued/{tries}/no ")) && state.contains(says), "{url}: {state}");
        assert_eq!(sends(&shop, &url, authority).await, 0, "not at once again");
        shop.clock.advance(LATER);
    }
    for sink in [&good, &upgraded, &other, &bare] {
        assert!(sink.mails().is_empty());
    }
    assert_eq!(sends(&shop, &good.url(), Some(good.authority())).await, 1);
    assert_eq!(states(&shop).await, format!("sent/{}/-", tries + 1));
    assert_eq!(good.mails().len(), 1);
}

#[actix_web::test]
async fn a_login_that_is_refused_keeps_the_mail() {
    let shop = TestShop::open(None).await;
    queue(&shop, "order_placed", "ada@example.com").await;
    let sink = Sink::start(SinkConfig { tls: Tls::Implicit, login: LOGIN, ..SinkConfig::default() });
    let authority = Some(sink.authority());
    assert_eq!(sends(&shop, &sink.url_with("souk:wrong@"), authority).await, 1);
    assert_eq!(
        states(&shop).await,
        "queued/1/the mail server refused our login: permanent error (535): 5.7.8 Authentication credentials invalid"
    );
    shop.clock.advance(LATER);
    // Nobody signs in, so the sender is refused.
    assert_eq!(sends(&shop, &sink.url_with(""), authority).await, 1);
    assert_eq!(
        states(&shop).await,
        "queued/2/the mail server refused the sender: permanent error (530): 5.7.0 Authentication required"
    );
    assert!(sink.mails().is_empty());
    shop.clock.advance(LATER);
    assert_eq!(sends(&shop, &sink.url(), authority).await, 1);
    assert_eq!(states(&shop).await, "sent/3/-");
}

#[actix_web::test]
async fn what_is_refused_for_now_is_tried_later_and_what_is_refused_for_good_is_not() {
    let shop = TestShop::open(None).await;
    let sink = Sink::start(SinkConfig::default());
    let url = sink.url();
    sink.refuse("RCPT TO:<later@", "451 4.7.1 come back later", 1);
    sink.refuse("RCPT TO:<nobody@", "550 5.1.1 no such user", 100);
    for to in ["later@example.com", "nobody@example.com", "ada@example.com"] {
        queue(&shop, "order_placed", to).await;
    }
    assert_eq!(sends(&shop, &url, None).await, 3);
    let nobody = format!("failed/1/{NOBODY}");
    let later =
        "queued/1/the mail server refused the recipient: transient error (451): 4.7.1 come back later";
    assert_eq!(states(&shop).await, format!("{later} {nobody} sent/1/-"));
    let failed = shop.owner_call("GET", "/admin/v1/messages?state=failed").send().await.expect(200);
    assert_eq!(failed.data().len(), 1);
    assert_eq!(failed.text("/data/0/recipient"), "nobody@example.com");
    assert_eq!(failed.text("/data/0/last_error"), NOBODY);
    assert!(failed.json["data"][0]["next_attempt_at"].is_null());
    shop.clock.advance(LATER);
    assert_eq!(sends(&shop, &url, None).await, 1, "only the one that was to come back");
    assert_eq!(states(&shop).await, format!("sent/2/- {nobody} sent/1/-"));
    assert_eq!(sink.mails().len(), 2);
}

#[actix_web::test]
async fn a_refused_sender_may_be_mended_and_a_refused_mail_may_not() {
    let shop = TestShop::open(None).await;
    let sink = Sink::start(SinkConfig::default());
    sink.refuse("MAIL FROM", "550 5.7.1 not a domain of yours", 1);
    queue(&shop, "order_placed", "ada@example.com").await;
    assert_eq!(sends(&shop, &sink.url(), None).await, 1);
    assert_eq!(
        states(&shop).await,
        "queued/1/the mail server refused the sender: permanent error (550): 5.7.1 not a domain of yours"
    );
    shop.clock.advance(LATER);
    sink.refuse("DATA", "554 5.6.0 no such mails here", 1);
    assert_eq!(sends(&shop, &sink.url(), None).await, 1);
    assert_eq!(
        states(&shop).await,
        "failed/2/the mail server refused the mail: permanent error (554): 5.6.0 no such mails here"
    );
    shop.clock.advance(LATER);
    assert_eq!(sends(&shop, &sink.url(), None).await, 0);
    assert!(sink.mails().is_empty());
}

#[actix_web::test]
async fn a_mailbox_that_there_is_not_is_written_to_once() {
    let shop = TestShop::open(None).await;
    let sink = Sink::start(SinkConfig::default());
    sink.refuse("RCPT TO:<Nobody@", "550 5.1.1 no such user", 100);
    for (kind, to) in [
        ("order_placed", "Nobody@example.com"),
        ("order_paid", "nobody@example.com"),
        ("order_placed", "ada@example.com"),
    ] {
        queue(&shop, kind, to).await;
        shop.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(sends(&shop, &sink.url(), None).await, 2, "the second mail to nobody does not leave");
    let held = "suppressed/1/the address is on the suppression list: bounced";
    assert_eq!(states(&shop).await, format!("failed/1/{NOBODY} {held} sent/1/-"));
    let words = "the mail server refused the recipient: permanent error (550): 5.1.1 no such user";
    assert_eq!(suppressed(&shop).await, format!("Nobody@example.com/bounced/{words}"));
    let list = shop.owner_call("GET", "/admin/v1/email-suppressions").send().await.expect(200);
    assert_eq!(
        (list.text("/data/0/email").as_str(), list.text("/data/0/reason").as_str()),
        ("Nobody@example.com", "bounced")
    );
    // Whoever knows better takes it off, and the next mail leaves.
    shop.owner_call("DELETE", "/admin/v1/email-suppressions/nobody@example.com").send().await.expect(204);
    queue(&shop, "order_paid", "nobody@example.com").await;
    assert_eq!(sends(&shop, &sink.url(), None).await, 1);
    assert!(states(&shop).await.ends_with(" sent/1/- sent/1/-"));
    assert_eq!(suppressed(&shop).await, "");
}

#[actix_web::test]
async fn what_a_server_refuses_of_us_or_for_now_puts_nobody_on_the_list() {
    let shop = TestShop::open(None).await;
    let sink = Sink::start(SinkConfig::default());
    let refusals = [
        ("RCPT TO:<a@", "550 5.7.1 we do not like your network"),
        ("RCPT TO:<b@", "552 5.2.2 mailbox full"),
        ("RCPT TO:<c@", "450 4.1.1 no such user at the moment"),
        ("RCPT TO:<d@", "550 rejected for policy reasons"),
        ("DATA", "550 5.1.1 no such user"),
    ];
    for (line, reply) in refusals {
        sink.refuse(line, reply, 1);
    }
    for to in ["a@example.com", "b@example.com", "c@example.com", "d@example.com", "e@example.com"] {
        queue(&shop, "order_placed", to).await;
    }
    assert_eq!(sends(&shop, &sink.url(), None).await, 5);
    assert_eq!(suppressed(&shop).await, "");
    let told = "SELECT split_part(recipient, '@', 1) || state AS word FROM email_messages ORDER BY id";
    assert_eq!(shop.words(told).await, "afailed bfailed cqueued dfailed efailed");
    assert!(sink.mails().is_empty());
}

#[actix_web::test]
async fn whoever_is_on_the_list_for_a_reason_stays_there_for_it_but_for_marketing() {
    let shop = TestShop::open(None).await;
    let sink = Sink::start(SinkConfig::default());
    sink.refuse("RCPT TO:<ada@", "550 5.1.1 no such user", 1);
    shop.admin(
        "INSERT INTO {s}.email_suppressions (email_key, email, reason, created_at) \
         VALUES ('ada@example.com', 'ada@example.com', 'unsubscribed', now())",
    )
    .await;
    queue(&shop, "order_placed", "ada@example.com").await;
    assert_eq!(sends(&shop, &sink.url(), None).await, 1);
    let words = "the mail server refused the recipient: permanent error (550): 5.1.1 no such user";
    assert_eq!(suppressed(&shop).await, format!("ada@example.com/bounced/{words}"));
    queue(&shop, "order_paid", "ada@example.com").await;
    assert_eq!(sends(&shop, &sink.url(), None).await, 0);
    assert!(states(&shop).await.ends_with("suppressed/1/the address is on the suppression list: bounced"));
}
