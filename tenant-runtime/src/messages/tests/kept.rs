//! How long a mail is kept: what it said for 90 days, that there was one for two years.

use std::time::Duration;

use super::{log, queue, send};
use crate::messages::Sender;
use crate::testing::TestShop;
use crate::webhooks::Courier;
use crate::worker;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Housekeeping as the workers do it. It ends with a look at what is to be sent.
async fn keeps_house(shop: &TestShop) {
    let courier = Courier::new(false).unwrap();
    let handlers = worker::handlers(&shop.gate, &shop.till, &Sender::Captured, &courier, &shop.studio());
    handlers["housekeeping"](shop.store.id).await.unwrap();
}

/// Recipients of mails that still say something.
async fn speaking(shop: &TestShop) -> String {
    shop.words(
        "SELECT recipient AS word FROM email_messages WHERE body_text <> '' AND body_html <> '' ORDER BY id",
    )
    .await
}

#[actix_web::test]
async fn what_a_mail_said_is_forgotten_before_that_there_was_one() {
    let shop = TestShop::open(None).await;
    queue(&shop, "order_placed", "ada@example.com").await;
    assert_eq!(send(&shop).await, 1);
    queue(&shop, "order_placed", "waiting@example.com").await;
    shop.clock.advance(89 * DAY);
    shop.admin(
        "UPDATE {s}.email_messages SET next_attempt_at = now() + interval '300 days' WHERE state = 'queued'",
    )
    .await;
    keeps_house(&shop).await;
    assert_eq!(speaking(&shop).await, "ada@example.com waiting@example.com", "not yet");
    shop.clock.advance(2 * DAY);
    queue(&shop, "order_placed", "new@example.com").await;
    keeps_house(&shop).await;
    // What is still to be sent keeps its words, however old it is.
    assert_eq!(speaking(&shop).await, "waiting@example.com new@example.com");
    let subjects = "SELECT count(*) AS number FROM email_messages WHERE subject <> ''";
    assert_eq!(shop.number(subjects).await, 3, "the log still says what it was about");
    assert_eq!(
        log(&shop).await,
        "order_placed/ada@example.com/captured order_placed/waiting@example.com/queued order_placed/new@example.com/captured"
    );
    let list =
        shop.owner_call("GET", "/admin/v1/messages?recipient=ada@example.com").send().await.expect(200);
    let path = format!("/admin/v1/messages/{}", list.text("/data/0/id"));
    let one = shop.owner_call("GET", &path).send().await.expect(200);
    assert_eq!((one.text("/text"), one.text("/html")), (String::new(), String::new()));
    let whole = shop.digest().await;
    shop.owner_call("POST", &format!("{path}/resend")).send().await.refused(410, "message_forgotten");
    assert_eq!(shop.digest().await, whole);
    // More than two years after the first, less after the last.
    shop.clock.advance(640 * DAY);
    keeps_house(&shop).await;
    assert!(!log(&shop).await.contains("ada@example.com"), "{}", log(&shop).await);
    assert!(log(&shop).await.contains("new@example.com"), "{}", log(&shop).await);
}

#[actix_web::test]
async fn many_old_mails_are_forgotten_in_one_round_of_small_steps() {
    let shop = TestShop::open(None).await;
    shop.admin(
        "INSERT INTO {s}.email_messages (id, template, recipient, subject, body_text, body_html, message_id, state, created_at)
         SELECT gen_random_uuid(), 'order_placed', 'x@example.com', 'x', 'x', 'x', 'm' || n, 'sent',
                now() - CASE WHEN n <= 1100 THEN interval '100 days' ELSE interval '800 days' END
         FROM generate_series(1, 2200) n",
    )
    .await;
    keeps_house(&shop).await;
    let count = "SELECT count(*) AS number FROM email_messages WHERE body_text = '' AND body_html = ''";
    assert_eq!(shop.number(count).await, 1100);
    assert_eq!(shop.number("SELECT count(*) AS number FROM email_messages").await, 1100);
}
