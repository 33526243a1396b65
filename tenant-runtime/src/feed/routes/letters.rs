//! What consumers have not heard, over HTTP.

use actix_web::{HttpResponse, get, post, web};
use souk_access::Permit;
use souk_api::{CursorKey, Json, Page, Paging, Path, Problem, Query};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit::{By, Cause};
use crate::feed::actions;
use crate::feed::error::FeedError;
use crate::feed::model::letters::{
    ConsumerView, Consumers, DeadLetterView, DiscardWish, LetterFilter, Planned, ReplayWish, RetryWish,
};
use crate::feed::permissions::{Edit, View};
use crate::feed::queries::letters;

const SCOPE: &str = "/admin/v1/dead-letters";

pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(consumers)
        .service(list)
        .service(one)
        .service(retry_all)
        .service(retry)
        .service(discard)
        .service(replay);
}

fn known(all: &Consumers, name: &str) -> Result<(), Problem> {
    if all.has(name) {
        return Ok(());
    }
    let message = format!("is none of {}", all.0.join(", "));
    Err(FeedError::Field("/consumer", message).into())
}

/// Who hears the store's events, and how far they are
#[utoipa::path(tag = "Events", operation_id = "event_consumers_list", responses((status = 200, body = Page<ConsumerView>)))]
#[get("/admin/v1/event-consumers")]
async fn consumers(permit: Permit<View>, all: web::Data<Consumers>) -> Result<Page<ConsumerView>, Problem> {
    let look = async |tx: &mut ReadTx<'_>| actions::standings(tx, &all).await;
    Ok(Page::whole(permit.read("feed.consumers", look).await?))
}

/// Events that a consumer was given up on, newest first
#[utoipa::path(tag = "Events", operation_id = "dead_letters_list", params(Paging, LetterFilter), responses((status = 200, body = Page<DeadLetterView>)))]
#[get("/admin/v1/dead-letters")]
async fn list(
    permit: Permit<View>,
    paging: Paging,
    filter: Query<LetterFilter>,
    key: web::Data<CursorKey>,
) -> Result<Page<DeadLetterView>, Problem> {
    let (before, fetch) = (paging.position(&key, SCOPE)?, paging.fetch());
    let consumer = filter.0.consumer.map(|name| name.into_string());
    let look = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, FeedError>(letters::dead(tx, None, consumer, before, fetch).await?)
    };
    let rows = permit.read("feed.dead_letters", look).await?;
    Page::cut(rows, &paging, &key, SCOPE, |row| row.id)
}

/// One of them
#[utoipa::path(tag = "Events", operation_id = "dead_letters_get", params(("id" = i64, Path)), responses((status = 200, body = DeadLetterView), (status = 404, body = Problem)))]
#[get("/admin/v1/dead-letters/{id}")]
async fn one(permit: Permit<View>, id: Path<i64>) -> Result<HttpResponse, Problem> {
    let look = async move |tx: &mut ReadTx<'_>| actions::letter(tx, *id).await;
    Ok(HttpResponse::Ok().json(permit.read("feed.dead_letter", look).await?))
}

/// Try all dead letters of a consumer again
#[utoipa::path(tag = "Events", operation_id = "dead_letters_retry_all", request_body = RetryWish, responses((status = 202, body = Planned), (status = 422, body = Problem)))]
#[post("/admin/v1/dead-letters/retry")]
async fn retry_all(
    permit: Permit<Edit>,
    all: web::Data<Consumers>,
    cause: Cause,
    body: Json<RetryWish>,
) -> Result<HttpResponse, Problem> {
    let (by, consumer) = (By::of(permit.actor(), cause), body.into_inner().consumer);
    known(&all, consumer.as_str())?;
    let work = async move |tx: &mut WriteTx<'_>| actions::retry_all(tx, &by, consumer.as_str()).await;
    let events = permit.write("feed.retry_all", work).await?;
    Ok(HttpResponse::Accepted().json(Planned { events }))
}

/// Try one again
///
/// It is tried as often as a new event; those of the same aggregate behind it wait.
#[utoipa::path(tag = "Events", operation_id = "dead_letters_retry", params(("id" = i64, Path)), responses((status = 202, body = Planned), (status = 404, body = Problem)))]
#[post("/admin/v1/dead-letters/{id}/retry")]
async fn retry(permit: Permit<Edit>, cause: Cause, id: Path<i64>) -> Result<HttpResponse, Problem> {
    let by = By::of(permit.actor(), cause);
    let work = async move |tx: &mut WriteTx<'_>| actions::retry(tx, &by, *id).await;
    permit.write("feed.retry", work).await?;
    Ok(HttpResponse::Accepted().json(Planned { events: 1 }))
}

/// Give one up for good
///
/// The event stays in the feed; the audit log keeps who gave it up and why.
#[utoipa::path(tag = "Events", operation_id = "dead_letters_discard", params(("id" = i64, Path)), request_body = DiscardWish, responses((status = 204, description = "Given up"), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/dead-letters/{id}/discard")]
async fn discard(
    permit: Permit<Edit>,
    cause: Cause,
    id: Path<i64>,
    body: Json<DiscardWish>,
) -> Result<HttpResponse, Problem> {
    let (by, reason) = (By::of(permit.actor(), cause), body.into_inner().reason);
    let work = async move |tx: &mut WriteTx<'_>| actions::discard(tx, &by, *id, reason.as_str()).await;
    permit.write("feed.discard", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Have a consumer hear events again
///
/// One event, or everything of a time, of the last 30 days. What it did before it does again only where its own tables do not say that it is
/// done: nobody gets a mail or a webhook twice. The same `name` adds nothing twice.
#[utoipa::path(tag = "Events", operation_id = "event_replays_create", request_body = ReplayWish, responses((status = 202, body = Planned), (status = 422, body = Problem)))]
#[post("/admin/v1/event-replays")]
async fn replay(
    permit: Permit<Edit>,
    all: web::Data<Consumers>,
    cause: Cause,
    body: Json<ReplayWish>,
) -> Result<HttpResponse, Problem> {
    let (by, wish) = (By::of(permit.actor(), cause), body.into_inner());
    known(&all, wish.consumer.as_str())?;
    let work = async move |tx: &mut WriteTx<'_>| actions::replay(tx, &by, &wish).await;
    let events = permit.write("feed.replay", work).await?;
    Ok(HttpResponse::Accepted().json(Planned { events }))
}
