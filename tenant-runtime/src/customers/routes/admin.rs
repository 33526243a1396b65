//! Customers for the people of the store.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};
use serde::{Deserialize, Serialize};
use souk_access::Permit;
use souk_api::{CursorKey, ETag, IfMatch, Json, Page, Paging, Path, Problem, Query, not_modified};
use souk_kernel::CustomerId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::customers::error::CustomerError;
use crate::customers::model::{Customer, CustomerView, EditCustomer, EndReason, ListFilter};
use crate::customers::permissions::{Edit, View};
use crate::customers::{actions, queries};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(show).service(edit).service(sign_out);
}

/// Which customers.
#[derive(Debug, Clone, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CustomerQuery {
    /// The beginning of an address or a name.
    q: Option<String>,
    #[param(inline)]
    state: Option<State>,
}

/// How a customer stands.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    Invited,
    Enabled,
    Disabled,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

/// `%` and `_` of a person are letters, not wildcards.
fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// List customers
///
/// Newest first, with how many orders each has placed.
#[utoipa::path(tag = "Customers", operation_id = "listCustomers", params(CustomerQuery, Paging), responses(
    (status = 200, body = Page<CustomerView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
#[get("/admin/v1/customers")]
async fn list(
    permit: Permit<View>,
    query: Query<CustomerQuery>,
    paging: Paging,
    request: HttpRequest,
) -> Result<Page<CustomerView>, Problem> {
    let (query, cursors) = (query.into_inner(), CursorKey::of(&request)?);
    let scope = format!("{} customers {}", permit.store(), serde_json::json!(query));
    let filter = ListFilter {
        q: query.q.as_deref().map(literal),
        state: query.state.map(|state| state.as_str().to_owned()),
        before: paging.position(cursors, &scope)?,
        fetch: paging.fetch(),
    };
    let work = async move |tx: &mut ReadTx<'_>| Ok::<_, CustomerError>(queries::list(tx, filter).await?);
    let rows = permit.read("customers.list", work).await?;
    Ok(Page::cut(rows, &paging, cursors, &scope, |row: &Customer| row.id)?.map(CustomerView::from))
}

fn shown(customer: Customer) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(customer.version)).json(CustomerView::from(customer))
}

/// Get a customer
#[utoipa::path(tag = "Customers", operation_id = "getCustomer", params(("id" = CustomerId, Path)), responses(
    (status = 200, body = CustomerView), (status = 304, description = "Not modified"), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
#[get("/admin/v1/customers/{id}")]
async fn show(
    permit: Permit<View>,
    id: Path<CustomerId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = *id;
    let work = async move |tx: &mut ReadTx<'_>| Ok::<_, CustomerError>(queries::find(tx, id).await?);
    let customer = permit.read("customers.get", work).await?.ok_or(CustomerError::Unknown)?;
    Ok(not_modified(&request, &ETag::new(customer.version)).unwrap_or_else(|| shown(customer)))
}

/// Change a customer
///
/// `state: disabled` signs the customer out everywhere and lets them in no more.
#[utoipa::path(tag = "Customers", operation_id = "editCustomer",
    params(("id" = CustomerId, Path), ("If-Match" = Option<String>, Header)), request_body = EditCustomer, responses(
    (status = 200, body = CustomerView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
#[patch("/admin/v1/customers/{id}")]
async fn edit(
    permit: Permit<Edit>,
    id: Path<CustomerId>,
    seen: IfMatch,
    body: Json<EditCustomer>,
) -> Result<HttpResponse, Problem> {
    let (id, wish) = (*id, body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::edit(tx, id, &seen, &wish).await;
    Ok(shown(permit.write("customers.edit", work).await?))
}

/// Sign a customer out everywhere
#[utoipa::path(tag = "Customers", operation_id = "signCustomerOut", params(("id" = CustomerId, Path)), responses(
    (status = 204, description = "All sessions ended"), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
#[post("/admin/v1/customers/{id}/sign-out")]
async fn sign_out(permit: Permit<Edit>, id: Path<CustomerId>) -> Result<HttpResponse, Problem> {
    let id = *id;
    let work =
        async move |tx: &mut WriteTx<'_>| actions::end_all(tx, id, EndReason::SignedOutEverywhere).await;
    permit.write("customers.sign_out_by_staff", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
