//! Mails over HTTP: the log, templates, looks, the suppression list; and the page of captured ones.

mod pages;
mod settings;
mod suppressions;
mod templates;

use actix_web::{HttpResponse, get, post, web};
use souk_access::Permit;
use souk_api::{CursorKey, Page, Paging, Path, Problem, Query};
use souk_kernel::MessageId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::MessageError;
use super::model::{MessageDetailView, MessageFilter, MessageView};
use super::{actions, permissions, queries};

#[cfg(test)]
pub use pages::PAGES;
pub use pages::page_routes;

const SCOPE: &str = "/admin/v1/messages";

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(one).service(resend);
    config.configure(templates::routes).configure(settings::routes).configure(suppressions::routes);
}

/// Only where there is no mail server: the page is for development.
pub fn captured_routes(config: &mut web::ServiceConfig) {
    config.service(captured);
}

/// Mails of the store, newest first.
#[utoipa::path(tag = "Messages", operation_id = "messages_list", params(Paging, MessageFilter), responses((status = 200, body = Page<MessageView>)))]
#[get("/admin/v1/messages")]
async fn list(
    permit: Permit<permissions::View>,
    paging: Paging,
    filter: Query<MessageFilter>,
    key: web::Data<CursorKey>,
) -> Result<Page<MessageView>, Problem> {
    let before: Option<MessageId> = paging.position(&key, SCOPE)?;
    let (fetch, filter) = (paging.fetch(), filter.0);
    let look = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, MessageError>(queries::list(tx, &filter, before, fetch).await?)
    };
    let rows = permit.read("messages.list", look).await?;
    Page::cut(rows, &paging, &key, SCOPE, |row| row.id)
}

/// One mail with what it said.
#[utoipa::path(tag = "Messages", operation_id = "messages_get", params(("id" = MessageId, Path)), responses((status = 200, body = MessageDetailView), (status = 404, body = Problem)))]
#[get("/admin/v1/messages/{id}")]
async fn one(permit: Permit<permissions::View>, id: Path<MessageId>) -> Result<HttpResponse, Problem> {
    let look = async move |tx: &mut ReadTx<'_>| actions::show(tx, *id).await;
    Ok(HttpResponse::Ok().json(permit.read("messages.get", look).await?))
}

/// Sends a mail again: the same words to the same address, as a new mail of the log. One that is still queued is refused.
#[utoipa::path(tag = "Messages", operation_id = "messages_resend", params(("id" = MessageId, Path)), responses((status = 202, body = MessageDetailView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem)))]
#[post("/admin/v1/messages/{id}/resend")]
async fn resend(permit: Permit<permissions::Edit>, id: Path<MessageId>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::resend(tx, *id).await;
    Ok(HttpResponse::Accepted().json(permit.write("messages.resend", work).await?))
}

/// Captured mails of the store whose host was asked, as a page. Needs the right to see messages.
#[get("/dev/mail")]
async fn captured(permit: Permit<permissions::View>) -> Result<HttpResponse, Problem> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, MessageError>(queries::captured(tx, 50).await?);
    let mails = permit.read("messages.captured", look).await?;
    let mut page = String::new();
    for mail in mails {
        page.push_str(&format!(
            "To: {}\nSubject: {}\n\n{}\n{}\n",
            mail.recipient,
            mail.subject,
            mail.body_text,
            "-".repeat(72)
        ));
    }
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(page))
}
