//! Mails over HTTP, and over a real SMTP connection.

mod again;
mod attached;
mod facts;
mod kept;
mod languages;
mod pages;
mod sender;
mod servers;
mod shown;
mod suppression;
mod templates;

use std::sync::Arc;

use souk_access::WorkerPermit;
use souk_kernel::EventId;
use souk_tenancy::WriteTx;

use super::actions::{Due, Letter, post};
use super::error::MessageError;
use super::{Sender, send_due};
use crate::testing::TestShop;

/// A worker in the shop.
pub fn worker(shop: &TestShop) -> WorkerPermit {
    shop.gate.worker(shop.store.id, "mail", "test").unwrap()
}

/// Queues a mail with made-up facts.
pub async fn queue(shop: &TestShop, kind: &'static str, to: &'static str) {
    let facts = super::model::kinds::sample(kind);
    let work = async move |tx: &mut WriteTx<'_>| {
        let due = Due::one(tx, EventId::new(), kind).await?.expect("a mail of a new event");
        post(tx, Letter::new(due, to, facts)).await?;
        Ok::<_, MessageError>(())
    };
    worker(shop).write("test.queue", work).await.unwrap();
}

/// Sends what is due, nowhere.
pub async fn send(shop: &TestShop) -> usize {
    send_due(&worker(shop), &Sender::Captured).await.unwrap()
}

/// Kind, recipient and state of every mail, oldest first.
pub async fn log(shop: &TestShop) -> String {
    shop.words("SELECT template || '/' || recipient || '/' || state AS word FROM email_messages ORDER BY id")
        .await
}

/// The vault of this shop's process.
pub fn vault(shop: &TestShop) -> Arc<souk_access::Vault> {
    Arc::new(shop.reception.vault())
}
