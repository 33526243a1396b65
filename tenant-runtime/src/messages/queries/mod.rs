//! The queue and the log of mails.

pub mod settings;
pub mod suppressions;
pub mod templates;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use souk_kernel::{Email, EventId, InvoiceId, MessageId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{MailKind, Message, MessageFilter, MessageView, Rendered};
use crate::schema::email_messages;

/// A mail to be queued.
pub struct NewMessage<'a> {
    /// The event it follows from; a mail of nobody's event is always another one.
    pub event: Option<EventId>,
    /// Which of the event's mails of this kind it is.
    pub slot: Option<String>,
    pub kind: &'static MailKind,
    pub recipient: &'a str,
    pub unsubscribe_url: Option<String>,
    pub locale: &'a str,
    pub mail: Rendered,
    /// What goes along with it.
    pub invoice: Option<InvoiceId>,
}

/// How many mails of this kind fill a slot of an event. A row without a slot, of a program that knew none, fills that of whoever it went to, or
/// the only one.
pub async fn written(
    tx: &mut ReadTx<'_>,
    event: EventId,
    kind: &str,
    slot: &str,
    recipient: Option<&str>,
) -> Result<i64, DbError> {
    let query = sql("SELECT count(*) AS count FROM email_messages WHERE event_id = $1 AND template = $2 \
         AND (slot = $3 OR (slot IS NULL AND ($4::text IS NULL OR lower(recipient) = lower($4))))")
    .bind::<diesel::sql_types::Uuid, _>(event)
    .bind::<diesel::sql_types::Text, _>(kind.to_owned())
    .bind::<diesel::sql_types::Text, _>(slot.to_owned())
    .bind::<diesel::sql_types::Nullable<diesel::sql_types::Text>, _>(recipient.map(str::to_owned));
    let row: Count = tx.one(query).await?;
    Ok(row.count)
}

/// Queues a mail. The same slot of an event twice is refused: of two who write at once one is undone with all it made, hears again, and finds it
/// written.
pub async fn insert(tx: &mut WriteTx<'_>, new: NewMessage<'_>) -> Result<MessageId, DbError> {
    let (id, now) = (MessageId::new(), tx.now());
    let row = diesel::insert_into(email_messages::table).values((
        email_messages::id.eq(id),
        email_messages::event_id.eq(new.event.map(|event| event.uuid())),
        email_messages::template.eq(new.kind.name),
        email_messages::recipient.eq(new.recipient.to_owned()),
        email_messages::subject.eq(new.mail.subject),
        email_messages::body_text.eq(new.mail.text),
        email_messages::body_html.eq(new.mail.html),
        email_messages::message_id.eq(format!("<{id}@souk>")),
        email_messages::state.eq("queued"),
        email_messages::next_attempt_at.eq(now),
        email_messages::created_at.eq(now),
        email_messages::locale.eq(new.locale.to_owned()),
        email_messages::purpose.eq(new.kind.purpose.as_str()),
        email_messages::unsubscribe_url.eq(new.unsubscribe_url),
        email_messages::invoice_id.eq(new.invoice),
        email_messages::slot.eq(new.slot),
    ));
    tx.execute(row).await.map(|_| id)
}

/// Queues the words of a mail once more, under an id of its own; none when they are no longer kept.
pub async fn again(tx: &mut WriteTx<'_>, of: MessageId) -> Result<Option<MessageId>, DbError> {
    let (id, now) = (MessageId::new(), tx.now());
    let query = sql("INSERT INTO email_messages (id, template, recipient, subject, body_text, body_html, message_id, state, next_attempt_at, \
             created_at, locale, purpose, unsubscribe_url, invoice_id, again) \
         SELECT $1, template, recipient, subject, body_text, body_html, $2, 'queued', $3, $3, locale, purpose, unsubscribe_url, invoice_id, id \
         FROM email_messages WHERE id = $4 AND (body_text <> '' OR body_html <> '')")
    .bind::<diesel::sql_types::Uuid, _>(id)
    .bind::<diesel::sql_types::Text, _>(format!("<{id}@souk>"))
    .bind::<diesel::sql_types::Timestamptz, _>(now)
    .bind::<diesel::sql_types::Uuid, _>(of);
    Ok((tx.execute(query).await? == 1).then_some(id))
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

/// Tries that were sent within a day.
pub async fn tries(tx: &mut ReadTx<'_>) -> Result<i64, DbError> {
    let since = tx.now() - TimeDelta::days(1);
    let query = sql("SELECT count(*) AS count FROM email_messages \
         WHERE created_at > $1 AND event_id IS NULL AND again IS NULL AND subject LIKE '[test] %'");
    let row: Count = tx.one(query.bind::<diesel::sql_types::Timestamptz, _>(since)).await?;
    Ok(row.count)
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

/// Tries again later, or gives up when `wait` is `None`; whom the mail goes to as the row says it now.
pub async fn fail(
    tx: &mut WriteTx<'_>,
    id: MessageId,
    cause: &str,
    wait: Option<TimeDelta>,
) -> Result<Option<String>, DbError> {
    let next = wait.map(|wait| tx.now() + wait);
    let change = diesel::update(email_messages::table.find(id)).set((
        email_messages::state.eq(if wait.is_some() { "queued" } else { "failed" }),
        email_messages::next_attempt_at.eq(next),
        email_messages::last_error.eq(cause.to_owned()),
    ));
    tx.optional(change.returning(email_messages::recipient)).await
}

/// The address is not written to; nothing is tried again.
pub async fn suppress(tx: &mut WriteTx<'_>, id: MessageId, why: &str) -> Result<(), DbError> {
    let change = diesel::update(email_messages::table.find(id)).set((
        email_messages::state.eq("suppressed"),
        email_messages::next_attempt_at.eq(None::<DateTime<Utc>>),
        email_messages::last_error.eq(why.to_owned()),
    ));
    tx.execute(change).await.map(|_| ())
}

/// A mail that has left did not arrive. One to somebody else is left alone, whatever the report says.
pub async fn bounced(tx: &mut WriteTx<'_>, message_id: &str, to: &Email, why: &str) -> Result<(), DbError> {
    let query = sql("UPDATE email_messages SET state = 'bounced', last_error = $3 \
         WHERE message_id = $1 AND lower(recipient) = lower($2) AND state = 'sent'")
    .bind::<diesel::sql_types::Text, _>(message_id.to_owned())
    .bind::<diesel::sql_types::Text, _>(to.as_str().to_owned())
    .bind::<diesel::sql_types::Text, _>(why.to_owned());
    tx.execute(query).await.map(drop)
}

/// Newest first, older than `before`.
pub async fn list(
    tx: &mut ReadTx<'_>,
    filter: &MessageFilter,
    before: Option<MessageId>,
    limit: i64,
) -> Result<Vec<MessageView>, DbError> {
    let mut rows = email_messages::table
        .order(email_messages::id.desc())
        .limit(limit)
        .select(MessageView::as_select())
        .into_boxed();
    if let Some(before) = before {
        rows = rows.filter(email_messages::id.lt(before));
    }
    if let Some(state) = filter.state {
        rows = rows.filter(email_messages::state.eq(state.as_str()));
    }
    if let Some(recipient) = &filter.recipient {
        let is_to = diesel::dsl::sql::<Bool>("lower(recipient) = lower(")
            .bind::<diesel::sql_types::Text, _>(recipient.as_str().to_owned())
            .sql(")");
        rows = rows.filter(is_to);
    }
    if let Some(template) = &filter.template {
        rows = rows.filter(email_messages::template.eq(template.as_str().to_owned()));
    }
    tx.load(rows).await
}

/// One mail of the log.
pub async fn one(tx: &mut ReadTx<'_>, id: MessageId) -> Result<Option<MessageView>, DbError> {
    tx.optional(email_messages::table.find(id).select(MessageView::as_select())).await
}

/// What it said.
pub async fn said(tx: &mut ReadTx<'_>, id: MessageId) -> Result<Option<Message>, DbError> {
    tx.optional(email_messages::table.find(id).select(Message::as_select())).await
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

/// Takes recipient and text out of every mail to this mailbox (SHA-256 of the address in lower case, hexadecimal), what servers said of it too,
/// and out of the queue.
pub async fn forget(tx: &mut WriteTx<'_>, email_sha256: &str) -> Result<(), DbError> {
    let query = sql("UPDATE email_messages SET recipient = 'erased@invalid', subject = '', body_text = '', body_html = '', unsubscribe_url = NULL, \
         last_error = NULL, state = CASE WHEN state = 'queued' THEN 'failed' ELSE state END, next_attempt_at = NULL \
         WHERE encode(sha256(convert_to(lower(recipient), 'UTF8')), 'hex') = $1")
    .bind::<diesel::sql_types::Text, _>(email_sha256.to_owned());
    tx.execute(query).await.map(drop)
}

/// Takes what they said out of at most `most` mails that were queued before then and are not to be sent any more; gives how many.
pub async fn silence(tx: &mut WriteTx<'_>, before: DateTime<Utc>, most: i64) -> Result<usize, DbError> {
    let query = sql("UPDATE email_messages SET body_text = '', body_html = '', unsubscribe_url = NULL WHERE id IN ( \
             SELECT id FROM email_messages WHERE (body_text <> '' OR body_html <> '') AND created_at < $1 AND state <> 'queued' \
             ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)")
    .bind::<diesel::sql_types::Timestamptz, _>(before)
    .bind::<diesel::sql_types::BigInt, _>(most);
    tx.execute(query).await
}

/// Removes at most `most` mails of before then that say nothing any more; gives how many.
pub async fn remove(tx: &mut WriteTx<'_>, before: DateTime<Utc>, most: i64) -> Result<usize, DbError> {
    let query = sql("DELETE FROM email_messages WHERE id IN ( \
             SELECT id FROM email_messages WHERE body_text = '' AND body_html = '' AND created_at < $1 AND state <> 'queued' \
             ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)")
    .bind::<diesel::sql_types::Timestamptz, _>(before)
    .bind::<diesel::sql_types::BigInt, _>(most);
    tx.execute(query).await
}
