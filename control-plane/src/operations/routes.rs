//! Operations over HTTP: once, or as a stream.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde_json::json;
use souk_access::{Cause, ControlPermit};
use souk_api::{CursorKey, ETag, Page, Paging, PagingOnly, Path, Problem, not_modified};
use souk_kernel::{OperationId, OrganizationId};
use souk_tenancy::{ReadTx, WriteTx};
use tokio::sync::watch;
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::OperationError;
use super::model::{Keys, OperationView};
use super::{actions, permissions, queries};
use crate::audit::{self, By, Subject};
use crate::plane::Plane;

/// How long a stream waits before it looks by itself: other processes work too.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Looks without news before a comment keeps the connection alive.
const SILENT_LOOKS: u32 = 30;

/// `/v1/operations`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(events).service(reveal).service(show).service(list);
}

/// Everything an organization asked for, newest first.
#[utoipa::path(
    tag = "Operations", params(("organization" = OrganizationId, Path), Paging),
    responses((status = 200, description = "One page", body = Page<OperationView>))
)]
#[get("/v1/organizations/{organization}/operations")]
async fn list(
    permit: ControlPermit<permissions::View>,
    plane: Plane,
    paging: PagingOnly,
    key: web::Data<CursorKey>,
) -> Result<Page<OperationView>, Problem> {
    let organization = permit.organization()?;
    let scope = format!("operations:{organization}");
    let (before, limit) = (paging.position::<OperationId>(&key, &scope)?, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, OperationError>(queries::list(tx, organization, before, limit).await?)
    };
    let rows = permit.read("operations.list", load).await?;
    let page = Page::cut(rows, &paging, &key, &scope, |whole| whole.operation.id)?;
    let now = permit.clock().now();
    Ok(page.map(|whole| whole.view(now, |handle| plane.settings().store_url(handle))))
}

/// One operation: poll it with If-None-Match, or follow its events.
#[utoipa::path(
    tag = "Operations", params(("operation" = OperationId, Path)),
    responses((status = 200, description = "Where it is", body = OperationView))
)]
#[get("/v1/operations/{operation}")]
async fn show(
    permit: ControlPermit<permissions::View>,
    plane: Plane,
    id: Path<OperationId>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (view, version) = look(&permit, &plane, *id).await?;
    let etag = ETag::new(version);
    Ok(not_modified(&req, &etag).unwrap_or_else(|| HttpResponse::Ok().insert_header(etag).json(view)))
}

async fn look(
    permit: &ControlPermit<permissions::View>,
    plane: &Plane,
    id: OperationId,
) -> Result<(OperationView, i64), Problem> {
    let find = async move |tx: &mut ReadTx<'_>| Ok::<_, OperationError>(queries::view(tx, id).await?);
    let whole = permit.read("operations.show", find).await?.ok_or(OperationError::Unknown)?;
    let version = whole.operation.version;
    Ok((whole.view(permit.clock().now(), |handle| plane.settings().store_url(handle)), version))
}

/// The progress of one operation as server-sent events: `event: operation`, `id:` its version, `data:` the operation. Ends
/// with the operation.
#[utoipa::path(
    tag = "Operations", params(("operation" = OperationId, Path)),
    responses((status = 200, description = "A stream of operations", content_type = "text/event-stream", body = String))
)]
#[get("/v1/operations/{operation}/events")]
async fn events(
    permit: ControlPermit<permissions::View>,
    plane: Plane,
    id: Path<OperationId>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let progress = plane.progress();
    let follower = Follower { permit, plane, id: *id, progress, seen: 0, over: false };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(souk_telemetry::until_shutdown(&req, follower.stream())))
}

/// One client that watches one operation.
struct Follower {
    permit: ControlPermit<permissions::View>,
    plane: Plane,
    id: OperationId,
    progress: watch::Receiver<u64>,
    seen: i64,
    over: bool,
}

impl Follower {
    fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, async |mut follower| {
            let next = follower.next().await?;
            Some((Ok(next), follower))
        })
    }

    /// The next event, or a comment when there was nothing to say for a while; `None` after the last.
    async fn next(&mut self) -> Option<Bytes> {
        if self.over {
            return None;
        }
        for _ in 0..SILENT_LOOKS {
            self.progress.mark_unchanged();
            let (view, version) = look(&self.permit, &self.plane, self.id).await.ok()?;
            if version != self.seen {
                self.seen = version;
                self.over = view.state.is_over();
                let data = serde_json::to_string(&view).ok()?;
                return Some(Bytes::from(format!("event: operation\nid: {version}\ndata: {data}\n\n")));
            }
            // Either somebody here made a step, or it is time to look at what others did.
            let _ = tokio::time::timeout(LOOK_AGAIN, self.progress.changed()).await;
        }
        Some(Bytes::from_static(b": still there\n\n"))
    }
}

/// Take the keys of a new store. They are shown once: a second request is 410, and so is the first after 24 hours.
#[utoipa::path(
    tag = "Operations", params(("operation" = OperationId, Path)),
    responses((status = 200, description = "The keys; keep them now", body = Keys))
)]
#[post("/v1/operations/{operation}/keys")]
async fn reveal(
    permit: ControlPermit<permissions::RevealKeys>,
    id: Path<OperationId>,
    cause: Cause,
) -> Result<HttpResponse, Problem> {
    let (by, organization, id) = (By::of(permit.actor(), &cause), permit.organization()?, *id);
    let work = async move |tx: &mut WriteTx<'_>| {
        let was = audit::look(tx, Subject::Operation(id)).await?;
        let keys = actions::reveal_keys(tx, id).await?;
        audit::record(tx, organization, &by, "store.keys_revealed", id.to_string(), was, json!({})).await?;
        Ok::<_, OperationError>(keys)
    };
    let keys = permit.write("operations.reveal", work).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(keys))
}
