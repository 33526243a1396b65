//! Events as they become true (server-sent events).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, get, web};
use futures_util::stream as source;
use serde::Deserialize;
use souk_access::Permit;
use souk_api::{Cursor, CursorKey, Problem, Query, problem};
use souk_tenancy::ReadTx;
use utoipa::IntoParams;

use super::super::error::FeedError;
use super::super::model::{Filter, Place};
use super::super::{permissions, queries};
use super::{SCOPE, view};

/// How often a stream looks for news. One indexed statement.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A line that says nothing, so that nobody between takes the connection for dead.
const SILENT_LOOKS: u32 = 30;
/// Then the reader connects again, and whether it still may is asked again.
const LOOKS: u32 = 600;
const BATCH: i64 = 100;
/// Streams of one process: each costs a statement twice a second.
const MOST_STREAMS: usize = 200;

static STREAMS: AtomicUsize = AtomicUsize::new(0);

/// One of the streams; its end makes room for another.
struct Seat;

impl Seat {
    fn take() -> Result<Self, Problem> {
        if STREAMS.fetch_add(1, Ordering::SeqCst) < MOST_STREAMS {
            return Ok(Self);
        }
        STREAMS.fetch_sub(1, Ordering::SeqCst);
        Err(Problem::new(&problem::UNAVAILABLE).detail("too many streams are open").retry_after(5))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        STREAMS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Where to begin.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct From {
    /// The cursor of the last event known; `Last-Event-ID` does the same. From now on if absent.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
    /// Kinds, separated by commas; all if absent.
    #[serde(rename = "type")]
    kinds: Option<String>,
}

/// Events from now on, or after a cursor, as server-sent events: `id` is the cursor, `event` the kind, `data` the event. Ends after five
/// minutes; an `EventSource` connects again by itself and goes on where it was.
#[utoipa::path(tag = "Events", operation_id = "events_stream", params(From, ("Last-Event-ID" = Option<String>, Header,)), responses((status = 200, content_type = "text/event-stream", body = String)))]
#[get("/admin/v1/events/stream")]
pub async fn stream(
    request: HttpRequest,
    permit: Permit<permissions::View>,
    from: Query<From>,
    key: web::Data<CursorKey>,
) -> Result<HttpResponse, Problem> {
    let seat = Seat::take()?;
    let From { after, kinds } = from.0;
    let kinds = Filter { kinds }.kinds()?;
    let header = request.headers().get("last-event-id").and_then(|value| value.to_str().ok());
    let after = header.and_then(|text| serde_json::from_value(text.into()).ok()).or(after);
    let place = match after.map(|cursor: Cursor| cursor.open(&key, SCOPE)).transpose()? {
        Some(place) => place,
        None => {
            let look = async |tx: &mut ReadTx<'_>| Ok::<_, FeedError>(queries::now(tx).await?);
            permit.read("feed.now", look).await?
        }
    };
    let reader = Reader { permit, kinds, key, place, looks: 0, silent: 0, _seat: seat };
    let body = source::unfold(reader, |mut reader| async move {
        let text = reader.next().await?;
        Some((Ok::<_, actix_web::Error>(Bytes::from(text)), reader))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(souk_telemetry::until_shutdown(&request, body)))
}

struct Reader {
    permit: Permit<permissions::View>,
    kinds: Option<Vec<String>>,
    key: web::Data<CursorKey>,
    place: Place,
    looks: u32,
    silent: u32,
    _seat: Seat,
}

impl Reader {
    /// What to send next; `None` ends the stream. A database that is away ends it too: the reader comes again.
    async fn next(&mut self) -> Option<String> {
        if self.looks == 0 {
            self.looks = 1;
            return Some("retry: 1000\n\n".to_owned());
        }
        while self.looks < LOOKS {
            self.looks += 1;
            let (place, kinds) = (self.place, self.kinds.clone());
            let look = async move |tx: &mut ReadTx<'_>| {
                Ok::<_, FeedError>(queries::after(tx, place, kinds, BATCH).await?)
            };
            let rows = self.permit.read("feed.stream", look).await.ok()?;
            if !rows.is_empty() {
                self.silent = 0;
                let mut text = String::new();
                for row in rows {
                    self.place = row.place();
                    let event = view(row, self.permit.store(), &self.key).ok()?;
                    let data = serde_json::to_string(&event).ok()?;
                    text.push_str(&format!("id: {}\nevent: {}\ndata: {data}\n\n", event.cursor, event.kind));
                }
                return Some(text);
            }
            self.silent += 1;
            if self.silent.is_multiple_of(SILENT_LOOKS) {
                return Some(": still here\n\n".to_owned());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        None
    }
}
