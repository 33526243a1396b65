//! Invoices over HTTP: for those who run the store, and for whoever placed the order.

use actix_web::http::header::{self, ACCEPT, CONTENT_DISPOSITION, VARY};
use actix_web::{HttpRequest, HttpResponse, get, post, put};
use souk_access::{LinkSecret, Permit, Reach};
use souk_api::{CursorKey, IfMatch, Json, Page, Paging, Path, Problem, Query, not_modified};
use souk_kernel::{InvoiceId, OrderId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::InvoiceError;
use super::model::{
    Invoice, InvoiceFilter, InvoiceSettings, InvoiceSettingsView, InvoiceSummary, IssueInvoices,
    PutInvoiceSettings,
};
use super::permissions::{Edit, Issue, View};
use super::{actions, queries};
use crate::orders::permissions::LookUp;

/// `/admin/v1/invoices`, `/admin/v1/orders/{id}/invoices`, `/admin/v1/invoice-settings`, `/store/v1/orders/{id}/invoices`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(show).service(show_pdf).service(of_order).service(issue);
    config.service(show_settings).service(put_settings);
    config.service(own_of_order).service(own_pdf);
}

/// List invoices and credit notes
///
/// Newest first.
#[utoipa::path(tag = "Invoices", operation_id = "listInvoices", params(InvoiceFilter, Paging), responses(
    (status = 200, body = Page<InvoiceSummary>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 422, body = Problem)))]
#[get("/admin/v1/invoices")]
async fn list(
    permit: Permit<View>,
    filter: Query<InvoiceFilter>,
    paging: Paging,
    request: HttpRequest,
) -> Result<Page<InvoiceSummary>, Problem> {
    let (filter, cursors) = (filter.into_inner(), CursorKey::of(&request)?);
    let scope = format!("{} invoices {}", permit.store(), serde_json::json!(filter));
    let after = paging.position::<InvoiceId>(cursors, &scope)?;
    let (filter, fetch) = (&filter, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, InvoiceError>(queries::page(tx, filter, after, fetch).await?)
    };
    let rows = permit.read("invoices.list", load).await?;
    Page::cut(rows, &paging, cursors, &scope, |row| row.id)
}

async fn found(permit: Permit<View>, id: InvoiceId) -> Result<Invoice, Problem> {
    let find = async move |tx: &mut ReadTx<'_>| queries::find(tx, id).await?.ok_or(InvoiceError::Unknown);
    Ok(permit.read("invoices.show", find).await?)
}

/// Whether the caller would rather have a PDF.
fn wants_pdf(request: &HttpRequest) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/pdf"))
}

fn printed(invoice: &Invoice) -> Result<HttpResponse, Problem> {
    let pdf = invoice.pdf().map_err(InvoiceError::from)?;
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", invoice.file_name())))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header((VARY, "Accept"))
        .body(pdf))
}

/// Get an invoice or a credit note
///
/// What it says, as it was when it was issued; with `Accept: application/pdf` as people print it.
#[utoipa::path(tag = "Invoices", operation_id = "getInvoice", params(("id" = InvoiceId, Path)), responses(
    (status = 200, content((Invoice = "application/json"), (Vec<u8> = "application/pdf"))), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
#[get("/admin/v1/invoices/{id}")]
async fn show(
    permit: Permit<View>,
    id: Path<InvoiceId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let invoice = found(permit, *id).await?;
    if wants_pdf(&request) {
        return printed(&invoice);
    }
    Ok(HttpResponse::Ok().insert_header((VARY, "Accept")).json(invoice))
}

/// Get an invoice or a credit note as a PDF
///
/// A4, in the language it was issued in, its font embedded.
#[utoipa::path(tag = "Invoices", operation_id = "getInvoicePdf", params(("id" = InvoiceId, Path)), responses(
    (status = 200, body = Vec<u8>, content_type = "application/pdf"), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
#[get("/admin/v1/invoices/{id}/pdf")]
async fn show_pdf(permit: Permit<View>, id: Path<InvoiceId>) -> Result<HttpResponse, Problem> {
    printed(&found(permit, *id).await?)
}

/// List the documents of an order
///
/// In the order in which they were issued.
#[utoipa::path(tag = "Invoices", operation_id = "listInvoicesOfOrder", params(("id" = OrderId, Path)), responses(
    (status = 200, body = Page<Invoice>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
#[get("/admin/v1/orders/{id}/invoices")]
async fn of_order(permit: Permit<View>, id: Path<OrderId>) -> Result<Page<Invoice>, Problem> {
    let id = *id;
    let find = async move |tx: &mut ReadTx<'_>| {
        crate::orders::state_of(tx, id).await?.ok_or(InvoiceError::Unknown)?;
        Ok::<_, InvoiceError>(queries::of_order(tx, id).await?)
    };
    Ok(Page::whole(permit.read("invoices.of_order", find).await?))
}

/// Issue what is due for an order
///
/// An invoice once it is paid, a credit note for each refund after that, and one for the rest of a cancelled order. What is issued is not
/// issued again, so it can be asked for as often as one likes; answers with all documents of the order.
#[utoipa::path(tag = "Invoices", operation_id = "issueInvoices", params(("id" = OrderId, Path)), request_body = IssueInvoices, responses(
    (status = 200, body = Page<Invoice>, description = "There was nothing new to issue"), (status = 201, body = Page<Invoice>),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[post("/admin/v1/orders/{id}/invoices")]
async fn issue(
    permit: Permit<Issue>,
    id: Path<OrderId>,
    _body: Json<IssueInvoices>,
) -> Result<HttpResponse, Problem> {
    let (id, actor) = (*id, permit.actor().to_string());
    let actor = actor.as_str();
    let work = async move |tx: &mut WriteTx<'_>| actions::issue(tx, id, actor).await;
    let issued = permit.write("invoices.issue", work).await?;
    let mut reply = if issued.fresh == 0 { HttpResponse::Ok() } else { HttpResponse::Created() };
    Ok(reply.json(Page::whole(issued.all)))
}

/// Whose order it is to see: the secret that a request shows for it, and what the caller's rows are.
struct Claim {
    order: OrderId,
    secret: Option<LinkSecret>,
    reach: Reach,
}

impl Claim {
    fn of(permit: &Permit<LookUp>, order: OrderId, request: &HttpRequest) -> Self {
        let secret = request.headers().get("x-order-secret").and_then(|value| value.to_str().ok());
        Self { order, secret: secret.and_then(LinkSecret::parse), reach: permit.reach() }
    }
}

/// The invoices of one's own order
///
/// Invoice and credit notes, as far as they were issued, in that order: with the order's secret in `X-Order-Secret`, or signed in as the customer
/// who placed it.
#[utoipa::path(tag = "Shopping", operation_id = "listOwnInvoices",
    params(("id" = OrderId, Path), ("X-Order-Secret" = Option<String>, Header)), responses(
    (status = 200, body = Page<Invoice>), (status = 404, body = Problem)))]
#[get("/store/v1/orders/{id}/invoices")]
async fn own_of_order(
    permit: Permit<LookUp>,
    id: Path<OrderId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Claim { order, secret, reach } = Claim::of(&permit, *id, &request);
    let look = async move |tx: &mut ReadTx<'_>| actions::own(tx, order, secret.as_ref(), reach).await;
    let all = permit.look_up("invoices.own", look).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "private, no-store")).json(Page::whole(all)))
}

/// An invoice of one's own order as a PDF
///
/// Or a credit note. With the order's secret in `X-Order-Secret`, or signed in as the customer who placed it; a document of another order is not
/// there.
#[utoipa::path(tag = "Shopping", operation_id = "getOwnInvoicePdf",
    params(("id" = OrderId, Path), ("invoice" = InvoiceId, Path), ("X-Order-Secret" = Option<String>, Header)), responses(
    (status = 200, body = Vec<u8>, content_type = "application/pdf"), (status = 404, body = Problem)))]
#[get("/store/v1/orders/{id}/invoices/{invoice}/pdf")]
async fn own_pdf(
    permit: Permit<LookUp>,
    path: Path<(OrderId, InvoiceId)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (order, id) = path.into_inner();
    let Claim { order, secret, reach } = Claim::of(&permit, order, &request);
    let look = async move |tx: &mut ReadTx<'_>| actions::own(tx, order, secret.as_ref(), reach).await;
    let all = permit.look_up("invoices.own_pdf", look).await?;
    let wanted = all.into_iter().find(|invoice| invoice.id == id).ok_or(InvoiceError::Unknown)?;
    printed(&wanted)
}

fn settled(settings: InvoiceSettings) -> HttpResponse {
    HttpResponse::Ok().insert_header(settings.etag()).json(InvoiceSettingsView::from(settings))
}

/// What stands on invoices, and when they are issued
#[utoipa::path(tag = "Invoices", operation_id = "getInvoiceSettings", responses(
    (status = 200, body = InvoiceSettingsView, headers(("ETag" = String))), (status = 304, description = "Not modified"),
    (status = 401, body = Problem), (status = 403, body = Problem)))]
#[get("/admin/v1/invoice-settings")]
async fn show_settings(permit: Permit<View>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, InvoiceError>(queries::settings(tx).await?);
    let settings = permit.read("invoices.settings", look).await?;
    Ok(not_modified(&request, &settings.etag()).unwrap_or_else(|| settled(settings)))
}

/// Say what stands on invoices, and when they are issued
///
/// Replaces all of it. Documents that are issued stay as they are.
#[utoipa::path(tag = "Invoices", operation_id = "putInvoiceSettings", params(("If-Match" = String, Header)),
    request_body = PutInvoiceSettings, responses((status = 200, body = InvoiceSettingsView, headers(("ETag" = String))),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem),
    (status = 428, body = Problem)))]
#[put("/admin/v1/invoice-settings")]
async fn put_settings(
    permit: Permit<Edit>,
    seen: IfMatch,
    body: Json<PutInvoiceSettings>,
) -> Result<HttpResponse, Problem> {
    let (seen, wish) = (seen.required()?, body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::put_settings(tx, &seen, &wish).await;
    Ok(settled(permit.write("invoices.put_settings", work).await?))
}
