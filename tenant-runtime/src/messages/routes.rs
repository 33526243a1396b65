//! The log of mails, and the page of captured ones.

use actix_web::{HttpResponse, get, web};
use souk_access::Permit;
use souk_api::{CursorKey, Page, Paging, PagingOnly, Problem};
use souk_kernel::MessageId;
use souk_tenancy::ReadTx;
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::MessageError;
use super::model::MessageView;
use super::{permissions, queries};

const SCOPE: &str = "/admin/v1/messages";

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list);
}

/// Only where there is no mail server: the page is for development.
pub fn captured_routes(config: &mut web::ServiceConfig) {
    config.service(captured);
}

/// Mails of the store, newest first.
#[utoipa::path(tag = "Messages", operation_id = "messages_list", params(Paging), responses((status = 200, body = Page<MessageView>)))]
#[get("/admin/v1/messages")]
async fn list(
    permit: Permit<permissions::View>,
    paging: PagingOnly,
    key: web::Data<CursorKey>,
) -> Result<Page<MessageView>, Problem> {
    let before: Option<MessageId> = paging.position(&key, SCOPE)?;
    let fetch = paging.fetch();
    let look =
        async move |tx: &mut ReadTx<'_>| Ok::<_, MessageError>(queries::list(tx, before, fetch).await?);
    let rows = permit.read("messages.list", look).await?;
    Page::cut(rows, &paging, &key, SCOPE, |row| row.id)
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
