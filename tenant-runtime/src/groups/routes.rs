//! Groups of customers over HTTP, for those who run the store. Shoppers meet them in what they pay.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use souk_access::{Permit, Reply};
use souk_api::{CursorKey, ETag, IdempotencyKey, IfMatch, Json, Page, Paging, PagingOnly, Path, Problem};
use souk_kernel::{CustomerGroupId, CustomerId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::GroupError;
use super::model::{
    ChangeMembers, CreateCustomerGroup, CustomerGroupView, EditCustomerGroup, MemberView, MembersChanged,
    MembershipView,
};
use super::permissions::{Edit, View};
use super::{actions, queries};

/// `/admin/v1/customer-groups`, and `/admin/v1/customers/{id}/groups`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(edit).service(remove);
    config.service(members).service(change_members).service(of_customer);
}

/// All groups of customers, by name; at most 200.
#[utoipa::path(
    tag = "Customers", operation_id = "listCustomerGroups",
    responses((status = 200, description = "All of them", body = Page<CustomerGroupView>), (status = 403, body = Problem))
)]
#[get("/admin/v1/customer-groups")]
async fn list(permit: Permit<View>) -> Result<Page<CustomerGroupView>, Problem> {
    let load = async move |tx: &mut ReadTx<'_>| Ok::<_, GroupError>(queries::groups(tx, None).await?);
    Ok(Page::whole(permit.read("customer_groups.list", load).await?))
}

/// Make a group of customers
///
/// Nobody is in it yet.
#[utoipa::path(
    tag = "Customers", operation_id = "createCustomerGroup", request_body = CreateCustomerGroup,
    params(("Idempotency-Key" = String, Header)),
    responses(
        (status = 201, description = "Made", body = CustomerGroupView),
        (status = 409, description = "The name or the handle is taken", body = Problem),
        (status = 422, description = "There are 200", body = Problem)
    )
)]
#[post("/admin/v1/customer-groups")]
async fn create(
    permit: Permit<Edit>,
    key: IdempotencyKey,
    body: Json<CreateCustomerGroup>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish) = (body.digest(), &body.0);
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::create(tx, wish).await?;
        let place = format!("/admin/v1/customer-groups/{}", view.id);
        Ok::<_, GroupError>(Reply::created(&view).location(&place).etag(&ETag::new(view.version)))
    };
    permit.write_once("customer_groups.create", &key, digest, work).await
}

fn shown(group: &CustomerGroupView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(group.version)).json(group)
}

/// One group of customers.
#[utoipa::path(
    tag = "Customers", operation_id = "getCustomerGroup", params(("group" = CustomerGroupId, Path)),
    responses((status = 200, description = "It", body = CustomerGroupView), (status = 404, body = Problem))
)]
#[get("/admin/v1/customer-groups/{group}")]
async fn show(permit: Permit<View>, id: Path<CustomerGroupId>) -> Result<HttpResponse, Problem> {
    let id = *id;
    let find = async move |tx: &mut ReadTx<'_>| actions::show(tx, id).await;
    Ok(shown(&permit.read("customer_groups.show", find).await?))
}

/// Rename a group of customers, or note something about it.
#[utoipa::path(
    tag = "Customers", operation_id = "editCustomerGroup", request_body = EditCustomerGroup,
    params(("group" = CustomerGroupId, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Changed", body = CustomerGroupView), (status = 404, body = Problem),
        (status = 409, description = "The name or the handle is taken", body = Problem),
        (status = 412, description = "It changed since you read it", body = Problem)
    )
)]
#[patch("/admin/v1/customer-groups/{group}")]
async fn edit(
    permit: Permit<Edit>,
    id: Path<CustomerGroupId>,
    seen: IfMatch,
    body: Json<EditCustomerGroup>,
) -> Result<HttpResponse, Problem> {
    let (id, wish) = (*id, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::edit(tx, id, seen, wish).await;
    Ok(shown(&permit.write("customer_groups.edit", work).await?))
}

/// Delete a group of customers
///
/// While a price list, a discount or an exemption from tax is only for it, it stays: 409 names them.
#[utoipa::path(
    tag = "Customers", operation_id = "deleteCustomerGroup", params(("group" = CustomerGroupId, Path)),
    responses(
        (status = 204, description = "Gone"), (status = 404, body = Problem),
        (status = 409, description = "Something is only for it", body = Problem)
    )
)]
#[delete("/admin/v1/customer-groups/{group}")]
async fn remove(permit: Permit<Edit>, id: Path<CustomerGroupId>) -> Result<HttpResponse, Problem> {
    let id = *id;
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, id).await;
    permit.write("customer_groups.remove", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who is in a group, those who became customers last first.
#[utoipa::path(
    tag = "Customers", operation_id = "listCustomerGroupMembers", params(("group" = CustomerGroupId, Path), Paging),
    responses((status = 200, description = "One page", body = Page<MemberView>), (status = 404, body = Problem))
)]
#[get("/admin/v1/customer-groups/{group}/members")]
async fn members(
    permit: Permit<View>,
    id: Path<CustomerGroupId>,
    paging: PagingOnly,
    request: HttpRequest,
) -> Result<Page<MemberView>, Problem> {
    let id = *id;
    let (key, scope) = (CursorKey::of(&request)?, format!("customer-group:{}:{id}", permit.store()));
    let before = paging.position::<CustomerId>(key, &scope)?;
    let fetch = paging.fetch();
    let load = async move |tx: &mut ReadTx<'_>| {
        actions::show(tx, id).await?;
        Ok::<_, GroupError>(queries::members(tx, id, before, fetch).await?)
    };
    let rows = permit.read("customer_groups.members", load).await?;
    Page::cut(rows, &paging, key, &scope, |row| row.customer)
}

/// Put customers into a group and take others out
///
/// Up to 1000 at once, all or none. What is priced from then on follows; orders stay as they are. Repeating it changes nothing.
#[utoipa::path(
    tag = "Customers", operation_id = "changeCustomerGroupMembers", request_body = ChangeMembers,
    params(("group" = CustomerGroupId, Path)),
    responses(
        (status = 200, description = "Who came and went", body = MembersChanged), (status = 404, body = Problem),
        (status = 422, description = "Too many, contradictory, or no customers of this store", body = Problem)
    )
)]
#[post("/admin/v1/customer-groups/{group}/members")]
async fn change_members(
    permit: Permit<Edit>,
    id: Path<CustomerGroupId>,
    body: Json<ChangeMembers>,
) -> Result<Json<MembersChanged>, Problem> {
    let (id, wish) = (*id, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::change_members(tx, id, wish).await;
    Ok(Json::new(permit.write("customer_groups.change_members", work).await?))
}

/// The groups a customer is in, by name.
#[utoipa::path(
    tag = "Customers", operation_id = "listGroupsOfCustomer", params(("id" = CustomerId, Path)),
    responses((status = 200, description = "All of them", body = Page<MembershipView>), (status = 404, body = Problem))
)]
#[get("/admin/v1/customers/{id}/groups")]
async fn of_customer(
    permit: Permit<View>,
    customer: Path<CustomerId>,
) -> Result<Page<MembershipView>, Problem> {
    let customer = *customer;
    let find =
        async move |tx: &mut ReadTx<'_>| queries::of_customer(tx, customer).await?.ok_or(GroupError::Unknown);
    Ok(Page::whole(permit.read("customer_groups.of_customer", find).await?))
}
