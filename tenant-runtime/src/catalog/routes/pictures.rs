//! Pictures over HTTP: put up, fetched, arranged, shown.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use souk_access::{Permit, Reply};
use souk_api::{
    CursorKey, Digest, ETag, Json, OptionalIdempotencyKey, Page, Paging, Path, Problem, Query, not_modified,
};
use souk_kernel::{ImageFetchId, ImageId, ProductId};
use souk_media::Refused;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::keyed;
use crate::catalog::actions::pictures::{self as hanging, Hung};
use crate::catalog::error::CatalogError;
use crate::catalog::model::{
    EditImage, FetchFilter, FetchImage, ImageFetchView, ImageView, ImageWords, WantedSize, form,
};
use crate::catalog::queries::{fetches, pictures};
use crate::catalog::{actions, permissions};
use crate::media::{self, Darkroom, Developed, MOST_BYTES, MediaError, Original, Shown};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(add).service(edit).service(remove).service(fetch).service(list_fetches).service(picture);
    config.map(|config| config.route("/store/v1/images/{image}", web::head().to(show)));
}

/// How long a picture may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// A picture: a PNG, JPEG, WebP or GIF file of at most 10 MiB, 25 megapixels and 150 frames, as the body or as the part `file` of a form
/// (`multipart/form-data`). What it is, is seen by looking at it. It is kept as pixels and nothing else: turned upright, without place, time,
/// camera and whatever else was in the file.
#[utoipa::path(
    tag = "Products", operation_id = "add_image",
    params(("product" = ProductId, Path), ImageWords, ("Idempotency-Key" = Option<String>, Header)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 201, description = "The picture, last of the product's", body = ImageView),
        (status = 409, description = "The plan allows no more bytes, or the product has 250 pictures", body = Problem),
        (status = 413, description = "More than 10 MiB", body = Problem),
        (status = 415, description = "No picture, or one that may run programs: SVG, HTML", body = Problem),
        (status = 422, description = "Damaged, or too many pixels", body = Problem),
        (status = 503, description = "Too many pictures at once; try again after `Retry-After`", body = Problem)
    )
)]
#[post("/admin/v1/products/{product}/images")]
async fn add(
    permit: Permit<permissions::Edit>,
    product: Path<ProductId>,
    words: Query<ImageWords>,
    key: OptionalIdempotencyKey,
    (darkroom, req): (web::Data<Darkroom>, HttpRequest),
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let kind = req.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let boundary = kind.and_then(form::boundary);
    let beside = boundary.as_ref().map_or(0, |_| form::BESIDE);
    let body = souk_api::in_time(PATIENCE, collect(payload, MOST_BYTES + beside)).await?;
    let digest = Digest::of(&body);
    let (bytes, mut words) = (body, words.0);
    let bytes = match boundary {
        Some(boundary) => {
            let found = form::read(&bytes, &boundary)?;
            words.alt = words.alt.or(found.alt);
            bytes.slice(found.file)
        }
        None => bytes,
    };
    let (file, limit) = (developed(&permit, &darkroom, bytes).await?, permit.entry().limits.media_mb);
    let (file, words, product) = (&file, &words, *product);
    let work = async move |tx: &mut WriteTx<'_>| {
        let alt = words.alt.as_ref().map_or("", |alt| alt.as_str());
        let hung = Hung { product, variant: words.variant, alt, source: None, position: None };
        Ok(Reply::created(&hanging::add(tx, hung, file, limit).await?))
    };
    keyed(&permit, "catalog.add_image", key, digest, work).await
}

/// Takes a picture and, where there is a shelf, puts it there: announced first, so that it is found should the rest fail.
async fn developed(
    permit: &Permit<permissions::Edit>,
    darkroom: &Darkroom,
    bytes: Bytes,
) -> Result<Developed, Problem> {
    let file = darkroom.develop(bytes).await?;
    if file.shelved {
        let (announced, limit) = (&file, permit.entry().limits.media_mb);
        let announce = async move |tx: &mut WriteTx<'_>| {
            // Nobody sees anything of it before the act that follows, and that is in the log.
            tx.logged();
            media::announce(tx, announced, limit).await
        };
        permit.write("catalog.announce_image", announce).await?;
        darkroom.put(permit.store(), &file).await?;
    }
    Ok(file)
}

/// Reads no more than a picture may have.
async fn collect(mut payload: web::Payload, most: usize) -> Result<Bytes, Problem> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let broken = |error| {
            Problem::new(&souk_api::problem::BAD_REQUEST).detail(format!("The body broke off: {error}"))
        };
        let chunk = chunk.map_err(broken)?;
        if bytes.len() + chunk.len() > most {
            return Err(MediaError::from(Refused::TooManyBytes { most: MOST_BYTES }).into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// Fetch a picture from the open internet. It is fetched a moment later, and again after a minute, five and thirty, should its server be away:
/// `GET /admin/v1/image-fetches` says how far it is. The same address is fetched once for a product while it waits.
#[utoipa::path(
    tag = "Products", operation_id = "fetch_image", request_body = FetchImage,
    params(("product" = ProductId, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 202, description = "It waits for a worker", body = ImageFetchView),
        (status = 422, description = "Not an address of the open internet, or not a variant of this product", body = Problem)
    )
)]
#[post("/admin/v1/products/{product}/images/fetch")]
async fn fetch(
    permit: Permit<permissions::Edit>,
    product: Path<ProductId>,
    key: OptionalIdempotencyKey,
    body: Json<FetchImage>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish, product) = (body.digest(), &body.0, *product);
    let work = async move |tx: &mut WriteTx<'_>| {
        Ok(Reply::accepted(&actions::fetches::wish(tx, product, wish).await?))
    };
    keyed(&permit, "catalog.fetch_image", key, digest, work).await
}

/// Pictures that are to be, were or could not be fetched, by request and from files of products, latest first; for 30 days after their end.
#[utoipa::path(
    tag = "Products", operation_id = "list_image_fetches", params(FetchFilter, Paging),
    responses((status = 200, description = "One page", body = Page<ImageFetchView>))
)]
#[get("/admin/v1/image-fetches")]
async fn list_fetches(
    permit: Permit<permissions::View>,
    filter: Query<FetchFilter>,
    paging: Paging,
    key: web::Data<CursorKey>,
) -> Result<Page<ImageFetchView>, Problem> {
    let scope = format!("image fetches:{}:{:?}", permit.store(), filter.0);
    let (before, limit) = (paging.position::<ImageFetchId>(&key, &scope)?, paging.fetch());
    let wanted = filter.0;
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, CatalogError>(fetches::page(tx, wanted, before, limit).await?)
    };
    Page::cut(permit.read("catalog.fetches", load).await?, &paging, &key, &scope, |row| row.id)
}

/// Change what is said about a picture, which variant it shows, or its place. What is left out stays.
#[utoipa::path(
    tag = "Products", operation_id = "edit_image", request_body = EditImage,
    params(("product" = ProductId, Path), ("image" = ImageId, Path)),
    responses(
        (status = 200, description = "The picture", body = ImageView),
        (status = 422, description = "Not a variant of this product", body = Problem)
    )
)]
#[patch("/admin/v1/products/{product}/images/{image}")]
async fn edit(
    permit: Permit<permissions::Edit>,
    path: Path<(ProductId, ImageId)>,
    body: Json<EditImage>,
) -> Result<HttpResponse, Problem> {
    let ((product, image), wish) = (*path, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| hanging::edit(tx, product, image, wish).await;
    Ok(HttpResponse::Ok().json(permit.write("catalog.edit_image", work).await?))
}

/// Delete a picture; its file and all its sizes go a moment later.
#[utoipa::path(
    tag = "Products", operation_id = "delete_image",
    params(("product" = ProductId, Path), ("image" = ImageId, Path)),
    responses((status = 204, description = "Gone"))
)]
#[delete("/admin/v1/products/{product}/images/{image}")]
async fn remove(
    permit: Permit<permissions::Edit>,
    path: Path<(ProductId, ImageId)>,
) -> Result<HttpResponse, Problem> {
    let (product, image) = *path;
    let work = async move |tx: &mut WriteTx<'_>| hanging::remove(tx, product, image).await;
    permit.write("catalog.remove_image", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The bytes of a picture, as it is kept or in one of the sizes there are. They never change under the same address. `HEAD` answers the same
/// without them.
#[utoipa::path(
    tag = "Shop", operation_id = "shop_image", params(("image" = ImageId, Path), WantedSize),
    responses(
        (status = 200, description = "The picture", body = Vec<u8>, content_type = "image/*"), (status = 304),
        (status = 422, description = "A width that there is not", body = Problem),
        (status = 503, description = "Too many sizes are being made; try again after `Retry-After`", body = Problem)
    )
)]
#[get("/store/v1/images/{image}")]
async fn picture(
    permit: Permit<permissions::Browse>,
    image: Path<ImageId>,
    wanted: Query<WantedSize>,
    (darkroom, req): (web::Data<Darkroom>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    show(permit, image, wanted, (darkroom, req)).await
}

/// For `GET` and `HEAD`.
async fn show(
    permit: Permit<permissions::Browse>,
    image: Path<ImageId>,
    wanted: Query<WantedSize>,
    (darkroom, req): (web::Data<Darkroom>, HttpRequest),
) -> Result<HttpResponse, Problem> {
    let (id, wanted) = (*image, wanted.0);
    let found = original(&permit, id, wanted.width.is_none()).await?;
    let shown = match wanted.size(&found.content_type)? {
        None => darkroom.whole(permit.store(), found).await?,
        Some(size) => {
            let again = original(&permit, id, true);
            darkroom.sized(permit.store(), id, found.object, size, again).await?
        }
    };
    Ok(sent(&req, shown))
}

/// Where this store has the picture; another's is not there.
async fn original(
    permit: &Permit<permissions::Browse>,
    image: ImageId,
    content: bool,
) -> Result<Original, Problem> {
    let find =
        async move |tx: &mut ReadTx<'_>| Ok::<_, CatalogError>(pictures::original(tx, image, content).await?);
    let found = permit.look_up("shop.image", find).await?;
    Ok(found.ok_or(CatalogError::Unknown)?)
}

fn sent(req: &HttpRequest, shown: Shown) -> HttpResponse {
    let etag = ETag::of(&shown.bytes);
    let fresh = || {
        HttpResponse::Ok()
            .insert_header(&etag)
            .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .content_type(shown.content_type)
            .body(shown.bytes)
    };
    not_modified(req, &etag).unwrap_or_else(fresh)
}
