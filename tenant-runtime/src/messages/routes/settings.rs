//! How mails look and whom they are from, over HTTP.

use actix_web::{HttpResponse, get, post, put, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use souk_access::Permit;
use souk_api::{ETag, IfMatch, Json, Problem};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit::{By, Cause};
use crate::messages::MailRoom;
use crate::messages::actions::{self, settings as acts};
use crate::messages::error::MessageError;
use crate::messages::model::settings::{
    ConfirmSender, MailSettings, MailSettingsView, PutDkim, PutMailSettings, ReportSecretView, new_key, shown,
};
use crate::messages::permissions::{Edit, View};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(show)
        .service(replace)
        .service(confirm)
        .service(make_key)
        .service(sign)
        .service(report_secret);
}

fn answer(row: &MailSettings, room: &MailRoom) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(row.version)).json(shown(row, &room.domain))
}

/// How mails look and whom they are from
#[utoipa::path(tag = "Messages", operation_id = "mail_settings_get", responses((status = 200, body = MailSettingsView, headers(("ETag" = String)))))]
#[get("/admin/v1/mail-settings")]
async fn show(permit: Permit<View>, room: web::Data<MailRoom>) -> Result<HttpResponse, Problem> {
    let look = async |tx: &mut ReadTx<'_>| actions::settings_of(tx).await;
    Ok(answer(&permit.read("messages.settings", look).await?, &room))
}

/// Say how mails look and whom they are from
///
/// Another `sender_email` is asked by mail first; until its owner follows the link, mails come from the platform's address.
#[utoipa::path(tag = "Messages", operation_id = "mail_settings_put", params(("If-Match" = String, Header)), request_body = PutMailSettings, responses(
    (status = 200, body = MailSettingsView, headers(("ETag" = String))), (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
#[put("/admin/v1/mail-settings")]
async fn replace(
    permit: Permit<Edit>,
    room: web::Data<MailRoom>,
    seen: IfMatch,
    cause: Cause,
    body: Json<PutMailSettings>,
) -> Result<HttpResponse, Problem> {
    let (seen, by, wish) = (seen.required()?, By::of(permit.actor(), cause), body.into_inner());
    let console = room.console_url.clone();
    let work = async move |tx: &mut WriteTx<'_>| acts::put(tx, &by, &seen, &wish, &console).await;
    Ok(answer(&permit.write("messages.put_settings", work).await?, &room))
}

/// Confirm the sender's address with the token of the mailed link
#[utoipa::path(tag = "Messages", operation_id = "mail_settings_confirm_sender", request_body = ConfirmSender, responses(
    (status = 200, body = MailSettingsView), (status = 410, body = Problem)))]
#[post("/admin/v1/mail-settings/confirm-sender")]
async fn confirm(
    permit: Permit<Edit>,
    room: web::Data<MailRoom>,
    cause: Cause,
    body: Json<ConfirmSender>,
) -> Result<HttpResponse, Problem> {
    let (by, token) = (By::of(permit.actor(), cause), body.into_inner().token);
    let work = async move |tx: &mut WriteTx<'_>| acts::confirm(tx, &by, token.as_str()).await;
    Ok(answer(&permit.write("messages.confirm_sender", work).await?, &room))
}

/// Make a key that signs mails (DKIM)
///
/// For the domain of the confirmed sender. Signing is off until you have put the record into DNS and switched it on.
#[utoipa::path(tag = "Messages", operation_id = "mail_settings_make_dkim_key", responses(
    (status = 200, body = MailSettingsView), (status = 409, body = Problem)))]
#[post("/admin/v1/mail-settings/dkim-key")]
async fn make_key(
    permit: Permit<Edit>,
    room: web::Data<MailRoom>,
    cause: Cause,
) -> Result<HttpResponse, Problem> {
    let by = By::of(permit.actor(), cause);
    // Primes take a while to find: not on a thread that answers others, and not inside a transaction.
    let made = web::block(new_key).await.map_err(|_| MessageError::Random)?;
    let key = made.map_err(|_| MessageError::Random)?;
    let vault = room.vault.clone();
    let work = async move |tx: &mut WriteTx<'_>| acts::keep_key(tx, &by, &vault, &key).await;
    Ok(answer(&permit.write("messages.make_key", work).await?, &room))
}

/// Switch signing on or off
#[utoipa::path(tag = "Messages", operation_id = "mail_settings_put_dkim", request_body = PutDkim, responses(
    (status = 200, body = MailSettingsView), (status = 409, body = Problem)))]
#[put("/admin/v1/mail-settings/dkim")]
async fn sign(
    permit: Permit<Edit>,
    room: web::Data<MailRoom>,
    cause: Cause,
    body: Json<PutDkim>,
) -> Result<HttpResponse, Problem> {
    let (by, enabled) = (By::of(permit.actor(), cause), body.into_inner().enabled);
    let work = async move |tx: &mut WriteTx<'_>| acts::sign(tx, &by, enabled).await;
    Ok(answer(&permit.write("messages.sign", work).await?, &room))
}

/// Make a secret for reports of bounces
///
/// Give it to whatever tells `POST /webhooks/mail` what became of mails. Shown once; the one before is worth nothing from now on.
#[utoipa::path(tag = "Messages", operation_id = "mail_settings_make_report_secret", responses((status = 200, body = ReportSecretView)))]
#[post("/admin/v1/mail-settings/report-secret")]
async fn report_secret(permit: Permit<Edit>, cause: Cause) -> Result<HttpResponse, Problem> {
    let by = By::of(permit.actor(), cause);
    let work = async move |tx: &mut WriteTx<'_>| acts::new_report_secret(tx, &by).await;
    let secret = permit.write("messages.report_secret", work).await?;
    let secret = format!("whsec_{}", STANDARD.encode(secret));
    Ok(HttpResponse::Ok().json(ReportSecretView { path: "/webhooks/mail", secret }))
}
