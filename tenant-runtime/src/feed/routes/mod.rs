//! Events over HTTP.

mod letters;
mod stream;

use actix_web::{get, web};
use souk_access::Permit;
use souk_api::{Cursor, CursorKey, Page, PageInfo, Paging, Problem, Query};
use souk_event_bus::ENVELOPE_VERSION;
use souk_kernel::StoreId;
use souk_tenancy::ReadTx;
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::FeedError;
use super::model::catalogue::announced;
use super::model::{EventTypeView, EventView, Filter, Place};
use super::queries::EventRow;
use super::{permissions, queries};

const SCOPE: &str = "/admin/v1/events";

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(stream::stream).service(types).configure(letters::routes);
}

fn view(row: EventRow, store: StoreId, key: &CursorKey) -> Result<EventView, Problem> {
    let cursor = Cursor::sign(key, SCOPE, &row.place())?.into_string();
    Ok(EventView {
        envelope: ENVELOPE_VERSION,
        id: row.event_id,
        store_id: store,
        kind: row.kind,
        version: row.version,
        aggregate_type: row.aggregate_type,
        aggregate_id: row.aggregate_id,
        sequence: row.sequence,
        occurred_at: row.occurred_at,
        data: row.payload,
        cursor,
    })
}

/// Events of the last 30 days, oldest first. To follow, ask again after the `cursor` of the last one.
#[utoipa::path(tag = "Events", operation_id = "events_list", params(Paging, Filter), responses((status = 200, body = Page<EventView>)))]
#[get("/admin/v1/events")]
async fn list(
    permit: Permit<permissions::View>,
    paging: Paging,
    filter: Query<Filter>,
    key: web::Data<CursorKey>,
) -> Result<Page<EventView>, Problem> {
    let after = paging.position(&key, SCOPE)?.unwrap_or(Place::START);
    let (kinds, most) = (filter.kinds()?, paging.fetch());
    let look =
        async move |tx: &mut ReadTx<'_>| Ok::<_, FeedError>(queries::after(tx, after, kinds, most).await?);
    let mut rows = permit.read("feed.list", look).await?;
    let has_more = rows.len() > paging.limit as usize;
    rows.truncate(paging.limit as usize);
    let data = rows.into_iter().map(|row| view(row, permit.store(), &key)).collect::<Result<Vec<_>, _>>()?;
    let next = data.last().filter(|_| has_more).map(|last| last.cursor.clone());
    Ok(Page { data, page: PageInfo { next, has_more } })
}

/// Every kind of event, with the JSON Schema of its data.
#[utoipa::path(tag = "Events", operation_id = "event_types_list", responses((status = 200, body = Page<EventTypeView>)))]
#[get("/admin/v1/event-types")]
async fn types(_permit: Permit<permissions::View>) -> Result<Page<EventTypeView>, Problem> {
    let each = announced().iter().map(|event| EventTypeView {
        kind: event.kind,
        version: event.version,
        aggregate_type: event.aggregate,
        description: event.description.clone(),
        schema: event.schema.clone(),
    });
    Ok(Page::whole(each.collect()))
}
