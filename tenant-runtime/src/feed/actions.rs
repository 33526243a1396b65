//! Hearing again, and giving up for good.

use serde_json::json;
use souk_tenancy::{ReadTx, WriteTx};

use super::error::FeedError;
use super::model::letters::{ConsumerView, Consumers, DeadLetterView, ReplayWish};
use super::queries::letters;
use crate::audit::{self, By, Change};

/// Every consumer, and how far it is.
pub async fn standings(tx: &mut ReadTx<'_>, consumers: &Consumers) -> Result<Vec<ConsumerView>, FeedError> {
    let rows = letters::standings(tx).await?;
    let view = |consumer: &'static str| {
        let row = rows.iter().find(|row| row.consumer == consumer);
        ConsumerView {
            consumer,
            waiting: row.map_or(0, |row| row.waiting),
            dead: row.map_or(0, |row| row.dead),
            oldest_at: row.and_then(|row| row.oldest_at),
            unread_since: row.and_then(|row| row.unread_since),
        }
    };
    Ok(consumers.0.iter().copied().map(view).collect())
}

/// One dead letter.
///
/// # Errors
/// [`FeedError::Unknown`], also for another store's.
pub async fn letter(tx: &mut ReadTx<'_>, id: i64) -> Result<DeadLetterView, FeedError> {
    letters::dead(tx, Some(id), None, None, 1).await?.pop().ok_or(FeedError::Unknown)
}

/// Another life for one dead letter: tried as often as a new event.
///
/// # Errors
/// [`FeedError::Unknown`].
pub async fn retry(tx: &mut WriteTx<'_>, by: &By, id: i64) -> Result<(), FeedError> {
    if letters::revive(tx, Some(id), None).await? == 0 {
        return Err(FeedError::Unknown);
    }
    Ok(audit::record(tx, by, "dead_letter.retried", "event", Change::default(), json!({ "id": id })).await?)
}

/// Another life for all dead letters of a consumer; how many.
pub async fn retry_all(tx: &mut WriteTx<'_>, by: &By, consumer: &str) -> Result<i64, FeedError> {
    let count = letters::revive(tx, None, Some(consumer.to_owned())).await?;
    let details = json!({ "consumer": consumer, "events": count });
    audit::record(tx, by, "dead_letters.retried", "event", Change::default(), details).await?;
    Ok(count)
}

/// Gives one up for good; the log says who did it and why.
///
/// # Errors
/// [`FeedError::Unknown`].
pub async fn discard(tx: &mut WriteTx<'_>, by: &By, id: i64, reason: &str) -> Result<(), FeedError> {
    let letter = letter(tx, id).await?;
    if letters::discard(tx, id).await? == 0 {
        return Err(FeedError::Unknown);
    }
    let details = json!({ "consumer": letter.consumer, "event": letter.event_id, "type": letter.kind, "because": reason });
    Ok(audit::record(tx, by, "dead_letter.discarded", "event", Change::default(), details).await?)
}

/// Has a consumer hear events once more, in order per aggregate; how many. What it did at the first hearing it does again only where its own
/// tables do not say that it is done.
///
/// # Errors
/// [`FeedError::Field`] when neither an event nor a time is named, or an event that is not there.
pub async fn replay(tx: &mut WriteTx<'_>, by: &By, wish: &ReplayWish) -> Result<i64, FeedError> {
    if wish.event.is_none() && wish.from.is_none() {
        return Err(FeedError::Field("/from", "must be given unless `event` is".to_owned()));
    }
    let Some(count) = letters::replay(tx, wish).await? else {
        return Err(FeedError::Field(
            "/event",
            "must be an event of this store of the last 30 days".to_owned(),
        ));
    };
    let details = json!({ "consumer": wish.consumer.as_str(), "name": wish.name.as_str(), "events": count });
    audit::record(tx, by, "events.replayed", "event", Change::default(), details).await?;
    Ok(count)
}
