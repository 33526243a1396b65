//! The queue and the log of mails.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use souk_kernel::{EventId, MessageId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{Message, MessageView, OwnTemplate, Rendered};
use crate::schema::{email_messages, email_templates};

pub async fn own_template(
    tx: &mut ReadTx<'_>,
    name: &str,
    locale: &str,
) -> Result<Option<OwnTemplate>, DbError> {
    let row = email_templates::table
        .filter(email_templates::name.eq(name.to_owned()).and(email_templates::locale.eq(locale.to_owned())))
        .select(OwnTemplate::as_select());
    tx.optional(row).await
}

/// Queues a mail; the same event, template and recipient queue one.
pub async fn insert(
    tx: &mut WriteTx<'_>,
    event: EventId,
    template: &str,
    recipient: &str,
    mail: Rendered,
) -> Result<(), DbError> {
    let (id, now) = (MessageId::new(), tx.now());
    let row = diesel::insert_into(email_messages::table)
        .values((
            email_messages::id.eq(id),
            email_messages::event_id.eq(event.uuid()),
            email_messages::template.eq(template.to_owned()),
            email_messages::recipient.eq(recipient.to_owned()),
            email_messages::subject.eq(mail.subject),
            email_messages::body_text.eq(mail.text),
            email_messages::body_html.eq(mail.html),
            email_messages::message_id.eq(format!("<{id}@souk>")),
            email_messages::state.eq("queued"),
            email_messages::next_attempt_at.eq(now),
            email_messages::created_at.eq(now),
        ))
        .on_conflict_do_nothing();
    tx.execute(row).await.map(|_| ())
}

/// Written out, not bound: a plan for all values could not use the index of what is queued.
fn is_queued() -> SqlLiteral<Bool> {
    diesel::dsl::sql("state = 'queued'")
}

/// Whether anything is due: the question of every idle round, in a transaction that writes nothing.
pub async fn any_due(tx: &mut ReadTx<'_>) -> Result<bool, DbError> {
    let now = tx.now();
    let due = email_messages::table
        .filter(is_queued().and(email_messages::next_attempt_at.le(now)))
        .select(email_messages::id)
        .limit(1);
    Ok(tx.optional::<MessageId>(due).await?.is_some())
}

/// Takes the mail that is due longest; nobody else takes it before the lease ends.
pub async fn claim(tx: &mut WriteTx<'_>, lease: TimeDelta) -> Result<Option<Message>, DbError> {
    let now = tx.now();
    let due = email_messages::table
        .filter(is_queued().and(email_messages::next_attempt_at.le(now)))
        .order(email_messages::next_attempt_at)
        .limit(1)
        .for_update()
        .skip_locked()
        .select(email_messages::id);
    let Some(id) = tx.optional::<MessageId>(due).await? else { return Ok(None) };
    let taken = diesel::update(email_messages::table.find(id)).set((
        email_messages::next_attempt_at.eq(now + lease),
        email_messages::attempts.eq(email_messages::attempts + 1),
    ));
    tx.optional(taken.returning(Message::as_returning())).await
}

/// The mail has left, or stays here to be looked at.
pub async fn finish(tx: &mut WriteTx<'_>, id: MessageId, state: &'static str) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(email_messages::table.find(id)).set((
        email_messages::state.eq(state),
        email_messages::next_attempt_at.eq(None::<DateTime<Utc>>),
        email_messages::last_error.eq(None::<String>),
        email_messages::sent_at.eq(now),
    ));
    tx.execute(change).await.map(|_| ())
}

/// Tries again later, or gives up when `wait` is `None`.
pub async fn fail(
    tx: &mut WriteTx<'_>,
    id: MessageId,
    cause: &str,
    wait: Option<TimeDelta>,
) -> Result<(), DbError> {
    let next = wait.map(|wait| tx.now() + wait);
    let change = diesel::update(email_messages::table.find(id)).set((
        email_messages::state.eq(if wait.is_some() { "queued" } else { "failed" }),
        email_messages::next_attempt_at.eq(next),
        email_messages::last_error.eq(cause.to_owned()),
    ));
    tx.execute(change).await.map(|_| ())
}

/// Newest first, older than `before`.
pub async fn list(
    tx: &mut ReadTx<'_>,
    before: Option<MessageId>,
    limit: i64,
) -> Result<Vec<MessageView>, DbError> {
    let rows =
        email_messages::table.order(email_messages::id.desc()).limit(limit).select(MessageView::as_select());
    match before {
        Some(before) => tx.load(rows.filter(email_messages::id.lt(before))).await,
        None => tx.load(rows).await,
    }
}

/// The latest captured mails, newest first: (subject, recipient, text).
pub async fn captured(tx: &mut ReadTx<'_>, limit: i64) -> Result<Vec<Message>, DbError> {
    let rows = email_messages::table
        .filter(email_messages::state.eq("captured"))
        .order(email_messages::id.desc())
        .limit(limit)
        .select(Message::as_select());
    tx.load(rows).await
}

#[derive(QueryableByName)]
struct HostRow {
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    host: Option<String>,
}

/// The store's first host, as the ledger has it.
pub async fn own_host(tx: &mut ReadTx<'_>) -> Result<Option<String>, DbError> {
    let row: Option<HostRow> = tx.optional(sql("SELECT hosts[1] AS host FROM platform.own_store()")).await?;
    Ok(row.and_then(|row| row.host))
}

/// Takes recipient and text out of every mail to this mailbox (SHA-256 of the address in lower case, hexadecimal), and out of the queue.
pub async fn forget(tx: &mut WriteTx<'_>, email_sha256: &str) -> Result<(), DbError> {
    let query = sql("UPDATE email_messages SET recipient = 'erased@invalid', subject = '', body_text = '', body_html = '', \
         state = CASE WHEN state = 'queued' THEN 'failed' ELSE state END, next_attempt_at = NULL \
         WHERE encode(sha256(convert_to(lower(recipient), 'UTF8')), 'hex') = $1")
    .bind::<diesel::sql_types::Text, _>(email_sha256.to_owned());
    tx.execute(query).await.map(drop)
}
