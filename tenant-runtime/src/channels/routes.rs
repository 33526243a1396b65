//! Sales channels over HTTP, for those who run the store.

use actix_web::{HttpResponse, delete, get, patch, post, put};
use souk_access::{Permit, Reply};
use souk_api::{ETag, IdempotencyKey, IfMatch, Json, Page, Path, Problem};
use souk_kernel::{ProductId, SalesChannelId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::ChannelError;
use super::model::{ChannelView, CreateChannel, EditChannel, PublicationView, Publish};
use super::permissions::{Edit, View};
use super::{actions, queries};

/// `/admin/v1/channels`, and `/admin/v1/products/{product}/publications`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(edit).service(remove);
    config.service(publications).service(publish).service(unpublish);
}

/// All sales channels, the default one first.
#[utoipa::path(
    tag = "Channels", operation_id = "listChannels",
    responses((status = 200, description = "All of them", body = Page<ChannelView>))
)]
#[get("/admin/v1/channels")]
async fn list(permit: Permit<View>) -> Result<Page<ChannelView>, Problem> {
    let load = async move |tx: &mut ReadTx<'_>| Ok::<_, ChannelError>(queries::channels(tx, None).await?);
    Ok(Page::whole(permit.read("channels.list", load).await?))
}

/// A sales channel, on which nothing is published yet. Keys that see it: `POST /admin/v1/api-keys` with `channel`.
#[utoipa::path(
    tag = "Channels", operation_id = "createChannel", request_body = CreateChannel,
    params(("Idempotency-Key" = String, Header)),
    responses(
        (status = 201, description = "Made", body = ChannelView),
        (status = 409, description = "The name is taken", body = Problem),
        (status = 422, description = "There are 50", body = Problem)
    )
)]
#[post("/admin/v1/channels")]
async fn create(
    permit: Permit<Edit>,
    key: IdempotencyKey,
    body: Json<CreateChannel>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish) = (body.digest(), &body.0);
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::create(tx, wish).await?;
        let place = format!("/admin/v1/channels/{}", view.id);
        Ok::<_, ChannelError>(Reply::created(&view).location(&place).etag(&ETag::new(view.version)))
    };
    permit.write_once("channels.create", &key, digest, work).await
}

fn shown(channel: &ChannelView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(channel.version)).json(channel)
}

/// One sales channel.
#[utoipa::path(
    tag = "Channels", operation_id = "getChannel", params(("channel" = SalesChannelId, Path)),
    responses((status = 200, description = "It", body = ChannelView), (status = 404, body = Problem))
)]
#[get("/admin/v1/channels/{channel}")]
async fn show(permit: Permit<View>, id: Path<SalesChannelId>) -> Result<HttpResponse, Problem> {
    let id = *id;
    let find = async move |tx: &mut ReadTx<'_>| actions::show(tx, id).await;
    Ok(shown(&permit.read("channels.show", find).await?))
}

/// Rename a sales channel, or say whether new products are published on it.
#[utoipa::path(
    tag = "Channels", operation_id = "editChannel", request_body = EditChannel,
    params(("channel" = SalesChannelId, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Changed", body = ChannelView), (status = 404, body = Problem),
        (status = 409, description = "The name is taken", body = Problem),
        (status = 412, description = "It changed since you read it", body = Problem)
    )
)]
#[patch("/admin/v1/channels/{channel}")]
async fn edit(
    permit: Permit<Edit>,
    id: Path<SalesChannelId>,
    seen: IfMatch,
    body: Json<EditChannel>,
) -> Result<HttpResponse, Problem> {
    let (id, wish) = (*id, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::edit(tx, id, seen, wish).await;
    Ok(shown(&permit.write("channels.edit", work).await?))
}

/// Delete a sales channel. The default one stays, and one with keys that are good.
#[utoipa::path(
    tag = "Channels", operation_id = "deleteChannel", params(("channel" = SalesChannelId, Path)),
    responses(
        (status = 204, description = "Gone"), (status = 404, body = Problem),
        (status = 409, description = "It is the default one, or keys belong to it", body = Problem)
    )
)]
#[delete("/admin/v1/channels/{channel}")]
async fn remove(permit: Permit<Edit>, id: Path<SalesChannelId>) -> Result<HttpResponse, Problem> {
    let id = *id;
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, id).await;
    permit.write("channels.remove", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Where a product is sold: every channel, the default one first.
#[utoipa::path(
    tag = "Channels", operation_id = "listPublications", params(("product" = ProductId, Path)),
    responses((status = 200, description = "All channels", body = Page<PublicationView>), (status = 404, body = Problem))
)]
#[get("/admin/v1/products/{product}/publications")]
async fn publications(
    permit: Permit<View>,
    product: Path<ProductId>,
) -> Result<Page<PublicationView>, Problem> {
    let product = *product;
    let load = async move |tx: &mut ReadTx<'_>| actions::publications(tx, product).await;
    Ok(Page::whole(permit.read("channels.publications", load).await?))
}

/// Sell a product on a channel: from now on, or from `publish_at` on, and until `unpublish_at`. What was planned before is forgotten.
#[utoipa::path(
    tag = "Channels", operation_id = "publishProduct", request_body = Publish,
    params(("product" = ProductId, Path), ("channel" = SalesChannelId, Path)),
    responses(
        (status = 200, description = "As it is now", body = PublicationView), (status = 404, body = Problem),
        (status = 422, description = "Times that are over, or in the wrong order", body = Problem)
    )
)]
#[put("/admin/v1/products/{product}/publications/{channel}")]
async fn publish(
    permit: Permit<Edit>,
    path: Path<(ProductId, SalesChannelId)>,
    body: Json<Publish>,
) -> Result<Json<PublicationView>, Problem> {
    let (place, wish) = (*path, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::publish(tx, place, wish).await;
    Ok(Json::new(permit.write("channels.publish", work).await?))
}

/// Sell a product on a channel no more.
#[utoipa::path(
    tag = "Channels", operation_id = "unpublishProduct",
    params(("product" = ProductId, Path), ("channel" = SalesChannelId, Path)),
    responses((status = 204, description = "It is not there"), (status = 404, body = Problem))
)]
#[delete("/admin/v1/products/{product}/publications/{channel}")]
async fn unpublish(
    permit: Permit<Edit>,
    path: Path<(ProductId, SalesChannelId)>,
) -> Result<HttpResponse, Problem> {
    let (product, channel) = *path;
    let work = async move |tx: &mut WriteTx<'_>| actions::unpublish(tx, product, channel).await;
    permit.write("channels.unpublish", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
