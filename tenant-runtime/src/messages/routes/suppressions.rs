//! The suppression list over HTTP; what mail services and recipients say.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use souk_access::Permit;
use souk_api::{CursorKey, Json, Page, Paging, PagingOnly, Path, Problem};
use souk_kernel::Email;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit::{By, Cause};
use crate::messages::MailRoom;
use crate::messages::actions::suppress::{self, Signed};
use crate::messages::error::MessageError;
use crate::messages::model::{MailReport, NewSuppression, SuppressionView};
use crate::messages::permissions::{Edit, Report, Unsubscribe, View};
use crate::messages::queries;

const SCOPE: &str = "/admin/v1/email-suppressions";

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(add).service(remove).service(report).service(unsubscribe);
}

/// Addresses that are not written to, by address
#[utoipa::path(tag = "Messages", operation_id = "email_suppressions_list", params(Paging), responses((status = 200, body = Page<SuppressionView>)))]
#[get("/admin/v1/email-suppressions")]
async fn list(
    permit: Permit<View>,
    paging: PagingOnly,
    key: web::Data<CursorKey>,
) -> Result<Page<SuppressionView>, Problem> {
    let (after, fetch) = (paging.position(&key, SCOPE)?, paging.fetch());
    let look = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, MessageError>(queries::suppressions::list(tx, after, fetch).await?)
    };
    let rows = permit.read("messages.suppressions", look).await?;
    Page::cut(rows, &paging, &key, SCOPE, |row| {
        Email::parse(&row.email).map_or_else(|_| row.email.clone(), |email| email.key())
    })
}

/// Stop writing to an address
///
/// Mails to it are logged as `suppressed` from now on. Doing it again changes nothing.
#[utoipa::path(tag = "Messages", operation_id = "email_suppressions_add", request_body = NewSuppression, responses((status = 200, body = SuppressionView), (status = 422, body = Problem)))]
#[post("/admin/v1/email-suppressions")]
async fn add(
    permit: Permit<Edit>,
    cause: Cause,
    body: Json<NewSuppression>,
) -> Result<HttpResponse, Problem> {
    let (by, new) = (By::of(permit.actor(), cause), body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| suppress::add(tx, &by, &new).await;
    Ok(HttpResponse::Ok().json(permit.write("messages.suppress", work).await?))
}

/// Write to an address again
#[utoipa::path(tag = "Messages", operation_id = "email_suppressions_remove", params(("email" = String, Path)), responses(
    (status = 204, description = "It is written to again"), (status = 404, body = Problem)))]
#[delete("/admin/v1/email-suppressions/{email}")]
async fn remove(permit: Permit<Edit>, cause: Cause, email: Path<String>) -> Result<HttpResponse, Problem> {
    let by = By::of(permit.actor(), cause);
    let email = Email::parse(&email).map_err(|_| MessageError::Unknown)?;
    let work = async move |tx: &mut WriteTx<'_>| suppress::remove(tx, &by, &email).await;
    permit.write("messages.unsuppress", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Tell of a bounce or a complaint
///
/// For mail services, or a small function behind one: signed as Standard Webhooks say. A permanent bounce and a complaint put the address on
/// the suppression list. Telling again changes nothing.
#[utoipa::path(tag = "Messages", operation_id = "mail_report", security(()),
    params(("webhook-id" = String, Header), ("webhook-timestamp" = String, Header), ("webhook-signature" = String, Header)),
    request_body(content = MailReport, content_type = "application/json",
        example = json!({"type": "bounced", "recipient": "ada@example.com", "permanent": true, "detail": "550 no such user"})),
    responses((status = 204, description = "Heard"), (status = 400, body = Problem), (status = 422, body = Problem)))]
#[post("/webhooks/mail")]
async fn report(
    permit: Permit<Report>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let header = |name: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let (id, timestamp, signature) =
        (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let work = async move |tx: &mut WriteTx<'_>| {
        let signed = Signed { id: &id, timestamp: &timestamp, signature: &signature, body: &body };
        suppress::report(tx, &signed).await
    };
    permit.write("messages.report", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End marketing to the address a mail went to
///
/// With what the link of the mail carries. Mail programs do it with one click (RFC 8058), so any body is taken. What one must have (orders,
/// passwords) is still sent.
#[utoipa::path(tag = "Messages", operation_id = "unsubscribe", security(()), params(("token" = String, Path)), responses(
    (status = 204, description = "Ended"), (status = 410, body = Problem)))]
#[post("/store/v1/unsubscribe/{token}")]
async fn unsubscribe(
    permit: Permit<Unsubscribe>,
    room: web::Data<MailRoom>,
    token: Path<String>,
) -> Result<HttpResponse, Problem> {
    let (token, vault) = (token.into_inner(), room.vault.clone());
    let work = async move |tx: &mut WriteTx<'_>| suppress::unsubscribe(tx, &vault, &token).await;
    permit.write("messages.unsubscribe", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
