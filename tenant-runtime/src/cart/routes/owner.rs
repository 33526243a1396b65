//! Carts of signed-in customers over HTTP.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, post};
use souk_access::Permit;
use souk_api::{Path, Problem};
use souk_kernel::CartId;
use souk_tenancy::WriteTx;

use super::{Secret, shown};
use crate::cart::actions;
use crate::cart::model::CartView;
use crate::cart::permissions::Use;
use crate::customers::{Reception, customer_of};

/// Make a cart yours
///
/// Call it after signing in. What lies in other carts of yours comes along, the larger quantity of each variant. The answer has a `secret`
/// that opens the cart from every device of yours; the old one works on.
#[utoipa::path(tag = "Shopping", operation_id = "claimCart",
    params(("id" = CartId, Path), ("X-Cart-Secret" = String, Header)),
    responses((status = 200, body = CartView), (status = 401, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
#[post("/store/v1/carts/{id}/customer")]
pub async fn claim_cart(
    permit: Permit<Use>,
    reception: Reception,
    id: Path<CartId>,
    secret: Secret,
) -> Result<HttpResponse, Problem> {
    let customer = customer_of(&permit)?;
    let work =
        async move |tx: &mut WriteTx<'_>| actions::claim(tx, *id, &secret.0, customer, &reception).await;
    Ok(shown(StatusCode::OK, permit.write("carts.claim", work).await?))
}

/// Your cart
///
/// The one you used last, on whatever device; a new one if there is none. The answer has the `secret` that opens it.
#[utoipa::path(tag = "Shopping", operation_id = "openOwnCart",
    responses((status = 200, body = CartView), (status = 401, body = Problem)))]
#[post("/store/v1/account/cart")]
pub async fn own_cart(permit: Permit<Use>, reception: Reception) -> Result<HttpResponse, Problem> {
    let customer = customer_of(&permit)?;
    let work = async move |tx: &mut WriteTx<'_>| actions::own(tx, customer, &reception).await;
    Ok(shown(StatusCode::OK, permit.write("carts.own", work).await?))
}
