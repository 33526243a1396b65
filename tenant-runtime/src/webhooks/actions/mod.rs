//! Endpoints, planning and telling.

mod courier;
mod seats;

use std::collections::BTreeMap;

use souk_access::WorkerPermit;
use souk_event_bus::{Envelope, Event};
use souk_kernel::{EventId, StoreId, WebhookDeliveryId, WebhookEndpointId};
use souk_telemetry::{FailPoint, fail_point};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::error::WebhookError;
use super::model::{
    DeliveryDetailView, EditEndpoint, EndpointView, LEASE, MOST_ENDPOINTS, MOST_MISSED, Missed, NewDelivery,
    NewEndpoint, OVERLAP, ResendWish, Secret,
};
use super::queries::{self, deliveries};

use seats::Found;

pub use courier::Courier;

/// What the test event is called; no store states it.
const TEST: &str = "webhook_endpoint.test";
/// How long the log goes back.
const REMEMBER: chrono::TimeDelta = chrono::TimeDelta::days(30);

/// Makes an endpoint. `is_kind` knows the kinds there are; `private` allows addresses of this machine.
pub async fn create(
    tx: &mut WriteTx<'_>,
    new: &NewEndpoint,
    is_kind: impl Fn(&str) -> bool,
    private: bool,
) -> Result<(EndpointView, Secret), WebhookError> {
    check_url(new.url.as_str(), private)?;
    check_kinds(new.types.iter().map(souk_kernel::Text::as_str), is_kind)?;
    if queries::count(tx).await? >= MOST_ENDPOINTS {
        return Err(WebhookError::TooMany);
    }
    let (id, secret) = (WebhookEndpointId::new(), Secret::random()?);
    queries::insert(tx, id, new, secret.0.clone()).await?;
    Ok((known(tx, id).await?, secret))
}

fn check_url(url: &str, private: bool) -> Result<(), WebhookError> {
    souk_outbound::readable(url, private).map(drop).map_err(|message| WebhookError::Field("/url", message))
}

fn check_kinds<'k>(
    mut kinds: impl Iterator<Item = &'k str>,
    is_kind: impl Fn(&str) -> bool,
) -> Result<(), WebhookError> {
    match kinds.find(|kind| !is_kind(kind)) {
        None => Ok(()),
        Some(unknown) => {
            Err(WebhookError::Field("/types", format!("there are no events of kind {unknown:?}")))
        }
    }
}

/// The endpoint, or that there is none.
pub async fn known(tx: &mut ReadTx<'_>, id: WebhookEndpointId) -> Result<EndpointView, WebhookError> {
    queries::endpoint(tx, id).await?.ok_or(WebhookError::Unknown)
}

/// Changes an endpoint.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    id: WebhookEndpointId,
    edit: &EditEndpoint,
    is_kind: impl Fn(&str) -> bool,
    private: bool,
) -> Result<EndpointView, WebhookError> {
    if let Some(url) = &edit.url {
        check_url(url.as_str(), private)?;
    }
    check_kinds(edit.types.iter().flatten().map(souk_kernel::Text::as_str), is_kind)?;
    if !queries::edit(tx, id, edit).await? {
        return Err(WebhookError::Unknown);
    }
    if edit.enabled == Some(true) {
        deliveries::wake(tx, id).await?;
    }
    known(tx, id).await
}

/// Gives an endpoint a new secret; the old one signs too for a day.
pub async fn rotate(
    tx: &mut WriteTx<'_>,
    id: WebhookEndpointId,
) -> Result<(EndpointView, Secret), WebhookError> {
    let (secret, until) = (Secret::random()?, tx.now() + OVERLAP);
    if !queries::rotate(tx, id, secret.0.clone(), until).await? {
        return Err(WebhookError::Unknown);
    }
    Ok((known(tx, id).await?, secret))
}

/// Plans a delivery of a made-up event, so that a receiver can be tried.
pub async fn test(tx: &mut WriteTx<'_>, id: WebhookEndpointId) -> Result<WebhookDeliveryId, WebhookError> {
    let endpoint = known(tx, id).await?;
    if endpoint.state != "enabled" {
        return Err(WebhookError::Disabled);
    }
    let event = Event {
        id: EventId::new(),
        store: tx.store(),
        aggregate_type: "webhook_endpoint".to_owned(),
        aggregate_id: id.uuid(),
        sequence: 0,
        kind: TEST.to_owned(),
        version: 1,
        occurred_at: tx.now(),
        payload: serde_json::json!({ "endpoint_id": id, "message": "It works." }),
        traceparent: None,
    };
    let delivery = WebhookDeliveryId::new();
    queries::wake(tx, id).await?;
    deliveries::plan(tx, delivery, id, &parcel_of(&event)?).await?;
    Ok(delivery)
}

fn parcel_of(event: &Event) -> Result<NewDelivery, WebhookError> {
    Ok(NewDelivery {
        event: event.id,
        kind: event.kind.clone(),
        aggregate: event.aggregate_id,
        sequence: event.sequence,
        body: serde_json::to_string(&Envelope::from(event.clone()))?,
    })
}

/// Plans a delivery for every endpoint that wants the event.
pub async fn plan(tx: &mut WriteTx<'_>, event: &Event) -> Result<(), WebhookError> {
    let listeners = deliveries::listeners(tx, &event.kind).await?;
    if listeners.is_empty() {
        return Ok(());
    }
    let parcel = parcel_of(event)?;
    for listener in listeners {
        deliveries::plan(tx, WebhookDeliveryId::new(), listener.id, &parcel).await?;
    }
    Ok(())
}

/// A delivery with its body and all attempts.
pub async fn detail(tx: &mut ReadTx<'_>, id: WebhookDeliveryId) -> Result<DeliveryDetailView, WebhookError> {
    let delivery = deliveries::one(tx, id).await?.ok_or(WebhookError::Unknown)?;
    let request_body = deliveries::body(tx, id).await?;
    let log = deliveries::attempts(tx, id).await?;
    Ok(DeliveryDetailView { delivery, request_body, log })
}

/// Tells an endpoint again, and what it was never told.
///
/// # Errors
/// [`WebhookError::UnknownEvent`] for one that was never stated, or is no longer kept; nothing is changed.
pub async fn resend(
    tx: &mut WriteTx<'_>,
    id: WebhookEndpointId,
    wish: &ResendWish,
) -> Result<usize, WebhookError> {
    if wish.event.is_none() && wish.from.is_none() {
        return Err(WebhookError::Field("/from", "must be given unless `event` is".to_owned()));
    }
    if known(tx, id).await?.state != "enabled" {
        return Err(WebhookError::Disabled);
    }
    queries::wake(tx, id).await?;
    let mut count = deliveries::resend(tx, id, wish, None).await?;
    if !wish.only_failed {
        let (store, missed) = (tx.store(), deliveries::missed(tx, id, wish, MOST_MISSED).await?);
        let parcels: Result<Vec<_>, _> =
            missed.into_iter().map(|missed| parcel_of(&stated(missed, store))).collect();
        count += deliveries::plan_all(tx, id, parcels?).await?;
    }
    // One that is there, but is not for this endpoint, did not fail or is on its way already, is no mistake.
    if let Some(event) = wish.event
        && count == 0
        && !deliveries::is_kept(tx, id, event).await?
    {
        return Err(WebhookError::UnknownEvent);
    }
    Ok(count)
}

/// The event as it was stated.
fn stated(missed: Missed, store: StoreId) -> Event {
    Event {
        id: missed.event_id,
        store,
        aggregate_type: missed.aggregate_type,
        aggregate_id: missed.aggregate_id,
        sequence: missed.sequence,
        kind: missed.kind,
        // It was one when it was stated.
        version: u16::try_from(missed.version).unwrap_or(u16::MAX),
        occurred_at: missed.occurred_at,
        payload: missed.payload,
        traceparent: missed.traceparent,
    }
}

/// Tells the event of one delivery again.
pub async fn resend_one(tx: &mut WriteTx<'_>, id: WebhookDeliveryId) -> Result<usize, WebhookError> {
    let delivery = deliveries::one(tx, id).await?.ok_or(WebhookError::Unknown)?;
    if known(tx, delivery.endpoint_id).await?.state != "enabled" {
        return Err(WebhookError::Disabled);
    }
    queries::wake(tx, delivery.endpoint_id).await?;
    let all = ResendWish { event: None, from: None, until: None, only_failed: false };
    Ok(deliveries::resend(tx, delivery.endpoint_id, &all, Some(id)).await?)
}

/// Forgets deliveries that ended 30 days ago, at most `limit`; gives how many. One statement.
///
/// # Errors
/// The database only.
pub async fn forget(tx: &mut WriteTx<'_>, limit: u32) -> Result<usize, DbError> {
    let before = tx.now() - REMEMBER;
    deliveries::forget(tx, before, i64::from(limit)).await
}

/// What a look at a store's deliveries came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handed {
    /// Given to the courier, who goes on with each endpoint until nothing is due there or half a minute is over.
    pub taken: usize,
    /// Something is due, but endpoints of others have all seats.
    pub waiting: bool,
}

/// Hands what is due in one store to the courier, as far as there are seats for each endpoint: one look and one claim for all of them. Does
/// not wait for anybody.
///
/// # Errors
/// The database only.
pub async fn send_due(worker: &WorkerPermit, courier: &Courier) -> Result<Handed, WebhookError> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, WebhookError>(deliveries::due(tx).await?);
    let (mut handed, mut seats) = (Handed::default(), BTreeMap::new());
    for due in worker.read("webhooks.due", look).await? {
        match courier.seats(due.endpoint_id, due.failing) {
            Found::Free(free) => drop(seats.insert(due.endpoint_id, free)),
            Found::Called => {}
            Found::Full => handed.waiting = true,
        }
    }
    if seats.is_empty() {
        return Ok(handed);
    }
    let wishes: Vec<_> = seats.iter().map(|(endpoint, free)| (*endpoint, free.len())).collect();
    let take =
        async move |tx: &mut WriteTx<'_>| Ok::<_, WebhookError>(deliveries::claim(tx, &wishes, LEASE).await?);
    let parcels = worker.write("webhooks.claim", take).await?;
    if !parcels.is_empty() {
        fail_point(FailPoint::WebhookClaimed);
    }
    handed.taken = parcels.len();
    let mut of_each: BTreeMap<WebhookEndpointId, Vec<_>> = BTreeMap::new();
    for parcel in parcels {
        of_each.entry(parcel.endpoint_id).or_default().push(parcel);
    }
    for (endpoint, free) in seats {
        let parcels = of_each.remove(&endpoint).unwrap_or_default();
        courier.send(&courier.errand(worker, endpoint), parcels, free);
    }
    Ok(handed)
}
