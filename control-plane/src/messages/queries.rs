//! The outbox of mails.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use souk_kernel::MessageId;
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::model::{Message, Rendered};
use crate::schema::messages;

pub async fn insert(tx: &mut WriteTx<'_>, id: MessageId, mail: &Rendered) -> Result<(), DbError> {
    let now = tx.now();
    let row = diesel::insert_into(messages::table).values((
        messages::id.eq(id),
        messages::template.eq(mail.template),
        messages::recipient.eq(mail.recipient.clone()),
        messages::subject.eq(mail.subject.clone()),
        messages::text_body.eq(mail.text.clone()),
        messages::html_body.eq(mail.html.clone()),
        messages::available_at.eq(now),
        messages::created_at.eq(now),
    ));
    tx.execute(row).await.map(|_| ())
}

/// Takes up to `limit` mails that are due; nobody else takes them before the lease ends.
pub async fn claim(tx: &mut WriteTx<'_>, lease: TimeDelta, limit: i64) -> Result<Vec<Message>, DbError> {
    let now = tx.now();
    let due = messages::table
        .filter(messages::state.eq("queued").and(messages::available_at.le(now)))
        .order(messages::available_at)
        .limit(limit)
        .for_update()
        .skip_locked()
        .select(messages::id);
    let ids: Vec<MessageId> = tx.load(due).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let taken = diesel::update(messages::table.filter(messages::id.eq_any(ids))).set((
        messages::available_at.eq(now + lease),
        messages::lease_ends_at.eq(now + lease),
        messages::attempts.eq(messages::attempts + 1),
    ));
    tx.load(taken.returning(Message::as_returning())).await
}

/// The mail has left: its links are forgotten.
pub async fn sent(tx: &mut WriteTx<'_>, id: MessageId) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(messages::table.find(id)).set((
        messages::state.eq("sent"),
        messages::text_body.eq(None::<String>),
        messages::html_body.eq(None::<String>),
        messages::lease_ends_at.eq(None::<DateTime<Utc>>),
        messages::finished_at.eq(now),
    ));
    tx.execute(change).await.map(|_| ())
}

/// The mail stays here, to be read on the page of captured mails.
pub async fn captured(tx: &mut WriteTx<'_>, id: MessageId) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(messages::table.find(id)).set((
        messages::state.eq("captured"),
        messages::lease_ends_at.eq(None::<DateTime<Utc>>),
        messages::finished_at.eq(now),
    ));
    tx.execute(change).await.map(|_| ())
}

/// Tries again later, or gives up when `wait` is `None`.
pub async fn failed(
    tx: &mut WriteTx<'_>,
    id: MessageId,
    cause: &str,
    wait: Option<TimeDelta>,
) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(messages::table.find(id)).set((
        messages::state.eq(if wait.is_some() { "queued" } else { "failed" }),
        messages::available_at.eq(now + wait.unwrap_or_default()),
        messages::last_error.eq(cause),
        messages::lease_ends_at.eq(None::<DateTime<Utc>>),
        messages::finished_at.eq(wait.is_none().then_some(now)),
    ));
    tx.execute(change).await.map(|_| ())
}

/// The latest captured mails, newest first.
pub async fn list_captured(tx: &mut ReadTx<'_>, limit: i64) -> Result<Vec<Message>, DbError> {
    let page = messages::table
        .filter(messages::state.eq("captured"))
        .order((messages::created_at.desc(), messages::id.desc()))
        .limit(limit)
        .select(Message::as_select());
    tx.load(page).await
}

/// Removes finished mails older than `age`.
pub async fn forget(tx: &mut WriteTx<'_>, age: TimeDelta) -> Result<usize, DbError> {
    let before = tx.now() - age;
    tx.execute(diesel::delete(messages::table.filter(messages::finished_at.lt(before)))).await
}
