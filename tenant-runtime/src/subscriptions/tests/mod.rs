//! Wishes to be told: asked by mail, woken by stock, fulfilled once.

mod again;
mod carts;
mod days;
mod stock;

use souk_event_bus::ConsumerError;
use souk_tenancy::{DbError, TenancyError, WriteTx};

use super::Waiting;
use crate::customers::tests::people::outbox_after;
use crate::messages::{MailRoom, NoticeMail};
use crate::testing::TestShop;

/// Has the consumers of this plane that tell people hear what was stated after `after`; gives where to go on.
pub async fn hear(shop: &TestShop, after: i64) -> i64 {
    let worker = shop.gate.worker(shop.store.id, "test", "hears").unwrap();
    let room = MailRoom {
        vault: std::sync::Arc::new(shop.reception.vault()),
        domain: "platform.example".to_owned(),
        console_url: "https://console.example".to_owned(),
    };
    let mail = NoticeMail { address: shop.till.address.clone(), room };
    let mut last = after;
    for (position, event) in outbox_after(shop, after).await {
        last = position;
        for consumer in [&mail as &dyn souk_event_bus::Consumer, &Waiting] {
            if consumer.wants(&event.kind) {
                let event = &event;
                let work = async move |tx: &mut WriteTx<'_>| consumer.hear(tx, event).await.map_err(Heard);
                worker.write("test.hear", work).await.unwrap();
            }
        }
    }
    last
}

#[derive(Debug)]
#[expect(dead_code, reason = "shown when a test fails")]
pub struct Heard(ConsumerError);

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

/// Kind and recipient of every mail, oldest first.
pub async fn mails(shop: &TestShop) -> String {
    shop.words("SELECT template || '>' || recipient AS word FROM email_messages ORDER BY id").await
}

/// What the link of the last mail of a kind carries after the `#`.
pub async fn secret(shop: &TestShop) -> String {
    shop.words("SELECT substring(body_text FROM '#([A-Za-z0-9_-]{43})(?![A-Za-z0-9_.-])') AS word FROM email_messages ORDER BY id DESC LIMIT 1").await
}

/// Everything the workers of this room have to do, to its end.
pub async fn work(shop: &TestShop) {
    let worker = shop.gate.worker(shop.store.id, "test", "works").unwrap();
    while super::say_stock(&worker).await.unwrap() {}
    while super::wake_due(&worker).await.unwrap() {}
    while super::remind_due(&worker).await.unwrap() {}
    super::tell_day(&worker).await.unwrap();
}
