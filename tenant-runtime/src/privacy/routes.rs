//! Export and erasure over HTTP, for oneself and by the people of the store.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, delete, get};
use souk_access::Permit;
use souk_api::{Json, Path, Problem, Query};
use souk_kernel::CustomerId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions;
use super::model::{DeleteAccount, EraseQuery, PersonalData};
use crate::customers::permissions::{Edit, EditOwn, Erase, ViewOwn};
use crate::customers::{self, Origin, Reception, Typed, customer_of};

/// `/store/v1/account{,/export}`, `/admin/v1/customers/{id}{,/export}`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(export_own).service(delete_account).service(export).service(erase);
}

fn for_one_reader(data: &PersonalData) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(data)
}

/// A copy of everything the store knows of you
#[utoipa::path(tag = "Customers", operation_id = "exportAccount", responses(
    (status = 200, body = PersonalData), (status = 401, body = Problem)))]
#[get("/store/v1/account/export")]
async fn export_own(permit: Permit<ViewOwn>) -> Result<HttpResponse, Problem> {
    let id = customer_of(&permit)?;
    let work = async move |tx: &mut ReadTx<'_>| actions::export(tx, id).await;
    Ok(for_one_reader(&permit.read("privacy.export_own", work).await?))
}

/// Delete your account
///
/// You are signed out everywhere; names and addresses go, orders and books stay without them. Refused while goods are still to be
/// delivered to you. Whoever has no password signs in with their provider again, with `fresh=true`, and asks within 15 minutes.
#[utoipa::path(tag = "Customers", operation_id = "deleteAccount", request_body = DeleteAccount, responses(
    (status = 204, description = "Deleted"), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem), (status = 429, body = Problem)))]
#[delete("/store/v1/account")]
async fn delete_account(
    permit: Permit<EditOwn>,
    reception: Reception,
    origin: Origin,
    body: Json<DeleteAccount>,
) -> Result<HttpResponse, Problem> {
    let typed = body.password.as_ref().map(Typed::as_str);
    let customer = customers::prove(&permit, &reception, &origin, typed).await?;
    let work = async move |tx: &mut WriteTx<'_>| actions::erase(tx, customer, false).await;
    permit.write("privacy.delete_account", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A copy of everything the store knows of a customer
///
/// Not for whoever may only look at customers; who takes it is in the log.
#[utoipa::path(tag = "Customers", operation_id = "exportCustomer", params(("id" = CustomerId, Path)), responses(
    (status = 200, body = PersonalData), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
#[get("/admin/v1/customers/{id}/export")]
async fn export(permit: Permit<Edit>, id: Path<CustomerId>) -> Result<HttpResponse, Problem> {
    let id = *id;
    // Nothing but the entry in the log is written.
    let work = async move |tx: &mut WriteTx<'_>| actions::export(tx, id).await;
    Ok(for_one_reader(&permit.write("privacy.export", work).await?))
}

/// Forget a customer
///
/// Names and addresses go, orders and books stay without them. It cannot be undone.
#[utoipa::path(tag = "Customers", operation_id = "eraseCustomer", params(("id" = CustomerId, Path), EraseQuery), responses(
    (status = 204, description = "Forgotten"), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/admin/v1/customers/{id}")]
async fn erase(
    permit: Permit<Erase>,
    id: Path<CustomerId>,
    query: Query<EraseQuery>,
) -> Result<HttpResponse, Problem> {
    let (id, force) = (*id, query.into_inner().force);
    let work = async move |tx: &mut WriteTx<'_>| actions::erase(tx, id, force).await;
    permit.write("privacy.erase", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
