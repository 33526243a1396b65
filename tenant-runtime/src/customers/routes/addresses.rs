//! One's own address book, and what belongs into an address.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, delete, get, post, put};
use souk_access::Permit;
use souk_api::{ETag, IfMatch, Json, Page, Path, Problem};
use souk_kernel::{AddressId, Country};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::customers::error::CustomerError;
use crate::customers::model::{AddressRulesView, AddressView, NewAddress, customer_of};
use crate::customers::permissions::{EditOwn, ViewOwn};
use crate::customers::{actions, queries};
use crate::settings::permissions::ViewStore;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(add).service(show).service(replace).service(remove).service(rules);
}

/// How addresses of a country are written
///
/// What a form for an address asks for: which members must be given, which provinces there are, what a postal code looks like. Addresses that are
/// written in carts, checkouts, draft orders and address books are held against it; those that were there before stay. Costs no statement.
#[utoipa::path(tag = "Shopping", operation_id = "getAddressRules", security(()),
    params(("country" = Country, Path, example = "US")), responses((status = 200, body = AddressRulesView),
    (status = 404, body = Problem)))]
#[get("/store/v1/address-rules/{country}")]
async fn rules(_permit: Permit<ViewStore>, country: Path<Country>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .json(AddressRulesView::of(*country))
}

/// Your address book
#[utoipa::path(tag = "Customers", operation_id = "listAddresses", responses(
    (status = 200, body = Page<AddressView>), (status = 401, body = Problem)))]
#[get("/store/v1/account/addresses")]
async fn list(permit: Permit<ViewOwn>) -> Result<Page<AddressView>, Problem> {
    let id = customer_of(&permit)?;
    let work = async move |tx: &mut ReadTx<'_>| Ok::<_, CustomerError>(queries::addresses(tx, id).await?);
    Ok(Page::whole(permit.read("customers.addresses", work).await?))
}

/// Add an address
///
/// The first one is the default for both. A new default takes the place of the old one.
#[utoipa::path(tag = "Customers", operation_id = "addAddress", request_body = NewAddress, responses(
    (status = 201, body = AddressView), (status = 401, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
#[post("/store/v1/account/addresses")]
async fn add(permit: Permit<EditOwn>, body: Json<NewAddress>) -> Result<HttpResponse, Problem> {
    let (id, wish) = (customer_of(&permit)?, body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::add_address(tx, id, wish).await;
    let (address, version) = permit.write("customers.add_address", work).await?;
    let place = ("location", format!("/store/v1/account/addresses/{}", address.id));
    Ok(HttpResponse::Created().insert_header(ETag::new(version)).insert_header(place).json(address))
}

/// One of your addresses
#[utoipa::path(tag = "Customers", operation_id = "getAddress", params(("id" = AddressId, Path)), responses(
    (status = 200, body = AddressView), (status = 401, body = Problem), (status = 404, body = Problem)))]
#[get("/store/v1/account/addresses/{id}")]
async fn show(permit: Permit<ViewOwn>, id: Path<AddressId>) -> Result<HttpResponse, Problem> {
    let (customer, id) = (customer_of(&permit)?, *id);
    let work = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, CustomerError>(queries::find_address(tx, customer, id).await?)
    };
    let found = permit.read("customers.address", work).await?;
    let (address, version) = found.ok_or(CustomerError::Unknown)?;
    Ok(HttpResponse::Ok().insert_header(ETag::new(version)).json(address))
}

/// Replace an address
#[utoipa::path(tag = "Customers", operation_id = "replaceAddress",
    params(("id" = AddressId, Path), ("If-Match" = Option<String>, Header)), request_body = NewAddress, responses(
    (status = 200, body = AddressView), (status = 401, body = Problem), (status = 404, body = Problem),
    (status = 412, body = Problem), (status = 422, body = Problem)))]
#[put("/store/v1/account/addresses/{id}")]
async fn replace(
    permit: Permit<EditOwn>,
    id: Path<AddressId>,
    seen: IfMatch,
    body: Json<NewAddress>,
) -> Result<HttpResponse, Problem> {
    let (customer, id, wish) = (customer_of(&permit)?, *id, body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::put_address(tx, customer, id, &seen, wish).await;
    let (address, version) = permit.write("customers.put_address", work).await?;
    Ok(HttpResponse::Ok().insert_header(ETag::new(version)).json(address))
}

/// Remove an address
#[utoipa::path(tag = "Customers", operation_id = "removeAddress", params(("id" = AddressId, Path)), responses(
    (status = 204, description = "Removed"), (status = 401, body = Problem), (status = 404, body = Problem)))]
#[delete("/store/v1/account/addresses/{id}")]
async fn remove(permit: Permit<EditOwn>, id: Path<AddressId>) -> Result<HttpResponse, Problem> {
    let (customer, id) = (customer_of(&permit)?, *id);
    let work = async move |tx: &mut WriteTx<'_>| actions::remove_address(tx, customer, id).await;
    permit.write("customers.remove_address", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
