//! Templates over HTTP.

use actix_web::{HttpResponse, delete, get, post, put, web};
use souk_access::Permit;
use souk_api::{CursorKey, ETag, IfMatch, Json, Page, Paging, PagingOnly, Path, Problem};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::messages::actions::templates as actions;
use crate::messages::model::{
    MailKindView, MessageDetailView, PreviewView, PreviewWish, PutTemplate, TemplateView, TestWish,
    VersionView,
};
use crate::messages::permissions::{Edit, View};
use crate::storefront::PublicAddress;

const SCOPE: &str = "/admin/v1/email-templates/versions";

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(show).service(replace).service(remove);
    config.service(versions).service(restore).service(preview).service(send_try);
}

fn shown(view: &TemplateView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(view.version)).json(view)
}

/// The mails there are
///
/// Every kind, when it is sent, and in which languages there is a text.
#[utoipa::path(tag = "Messages", operation_id = "email_templates_list", responses((status = 200, body = Page<MailKindView>)))]
#[get("/admin/v1/email-templates")]
async fn list(permit: Permit<View>) -> Result<Page<MailKindView>, Problem> {
    let look = async |tx: &mut ReadTx<'_>| actions::kinds(tx).await;
    Ok(Page::whole(permit.read("messages.kinds", look).await?))
}

/// The texts of a mail in a locale, as they are in force
///
/// The store's own words, or the committed ones. `sample` is everything they may name.
#[utoipa::path(tag = "Messages", operation_id = "email_templates_get", params(("kind" = String, Path), ("locale" = String, Path)), responses(
    (status = 200, body = TemplateView, headers(("ETag" = String))), (status = 404, body = Problem)))]
#[get("/admin/v1/email-templates/{kind}/{locale}")]
async fn show(permit: Permit<View>, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (kind, locale) = path.into_inner();
    let look = async move |tx: &mut ReadTx<'_>| actions::show(tx, &kind, &locale).await;
    Ok(shown(&permit.read("messages.template", look).await?))
}

/// Say a mail in the store's own words
///
/// Jinja, in a sandbox: loops and questions over what `sample` shows, `{% extends "layout.html" %}`, the filters `money`, `betrag`, `upper`,
/// `lower`, `title`, `trim`, `default`, `length`, `first`, `last`, `round`, `abs`, `safe`. Checked when saved: a mistake is refused with its line.
#[utoipa::path(tag = "Messages", operation_id = "email_templates_put", params(("kind" = String, Path), ("locale" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = PutTemplate, responses((status = 200, body = TemplateView, headers(("ETag" = String))), (status = 404, body = Problem),
    (status = 412, body = Problem), (status = 422, body = Problem)))]
#[put("/admin/v1/email-templates/{kind}/{locale}")]
async fn replace(
    permit: Permit<Edit>,
    path: Path<(String, String)>,
    seen: IfMatch,
    body: Json<PutTemplate>,
) -> Result<HttpResponse, Problem> {
    let ((kind, locale), wish, actor) = (path.into_inner(), body.into_inner(), permit.actor().to_string());
    let work = async move |tx: &mut WriteTx<'_>| actions::put(tx, &kind, &locale, &seen, &wish, &actor).await;
    Ok(shown(&permit.write("messages.put_template", work).await?))
}

/// Back to the committed words
///
/// The history stays, so that one can go forth again.
#[utoipa::path(tag = "Messages", operation_id = "email_templates_delete", params(("kind" = String, Path), ("locale" = String, Path)), responses(
    (status = 204, description = "The committed words are in force"), (status = 404, body = Problem)))]
#[delete("/admin/v1/email-templates/{kind}/{locale}")]
async fn remove(permit: Permit<Edit>, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (kind, locale) = path.into_inner();
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, &kind, &locale).await;
    permit.write("messages.remove_template", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Every version there was, newest first
#[utoipa::path(tag = "Messages", operation_id = "email_templates_versions", params(("kind" = String, Path), ("locale" = String, Path), Paging), responses(
    (status = 200, body = Page<VersionView>), (status = 404, body = Problem)))]
#[get("/admin/v1/email-templates/{kind}/{locale}/versions")]
async fn versions(
    permit: Permit<View>,
    path: Path<(String, String)>,
    paging: PagingOnly,
    key: web::Data<CursorKey>,
) -> Result<Page<VersionView>, Problem> {
    let (kind, locale) = path.into_inner();
    let (before, fetch) = (paging.position(&key, SCOPE)?, paging.fetch());
    let look = async move |tx: &mut ReadTx<'_>| actions::versions(tx, &kind, &locale, before, fetch).await;
    let rows = permit.read("messages.versions", look).await?;
    Page::cut(rows, &paging, &key, SCOPE, |row| row.version)
}

/// Go back to an earlier version
///
/// Its words become a new version.
#[utoipa::path(tag = "Messages", operation_id = "email_templates_restore", params(("kind" = String, Path), ("locale" = String, Path), ("version" = i64, Path)), responses(
    (status = 200, body = TemplateView), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/email-templates/{kind}/{locale}/versions/{version}/restore")]
async fn restore(permit: Permit<Edit>, path: Path<(String, String, i64)>) -> Result<HttpResponse, Problem> {
    let ((kind, locale, version), actor) = (path.into_inner(), permit.actor().to_string());
    let work = async move |tx: &mut WriteTx<'_>| actions::restore(tx, &kind, &locale, version, &actor).await;
    Ok(shown(&permit.write("messages.restore_template", work).await?))
}

/// See a mail as it would leave
///
/// With made-up facts, or with an order, a cart, a variant, a customer, a draft order or a gift card of yours and nothing made up (but the secrets
/// of links and the codes of cards); as it is in force, or as a draft that is not saved.
#[utoipa::path(tag = "Messages", operation_id = "email_templates_preview", params(("kind" = String, Path), ("locale" = String, Path)),
    request_body = PreviewWish, responses((status = 200, body = PreviewView), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/email-templates/{kind}/{locale}/preview")]
async fn preview(
    permit: Permit<View>,
    path: Path<(String, String)>,
    address: web::Data<PublicAddress>,
    body: Json<PreviewWish>,
) -> Result<HttpResponse, Problem> {
    let ((kind, locale), wish) = (path.into_inner(), body.into_inner());
    let look = async move |tx: &mut ReadTx<'_>| actions::preview(tx, &kind, &locale, &wish, &address).await;
    Ok(HttpResponse::Ok().json(PreviewView::from(permit.read("messages.preview", look).await?)))
}

/// Send a mail to yourself
///
/// The preview, mailed. At most 50 a day.
#[utoipa::path(tag = "Messages", operation_id = "email_templates_test", params(("kind" = String, Path), ("locale" = String, Path)),
    request_body = TestWish, responses((status = 202, body = MessageDetailView), (status = 404, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem)))]
#[post("/admin/v1/email-templates/{kind}/{locale}/test")]
async fn send_try(
    permit: Permit<Edit>,
    path: Path<(String, String)>,
    address: web::Data<PublicAddress>,
    body: Json<TestWish>,
) -> Result<HttpResponse, Problem> {
    let ((kind, locale), wish) = (path.into_inner(), body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::send_try(tx, &kind, &locale, &wish, &address).await;
    Ok(HttpResponse::Accepted().json(permit.write("messages.try", work).await?))
}
