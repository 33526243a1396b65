//! Who buys, so far as it matters to the state, over HTTP.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, put, web};
use souk_access::Permit;
use souk_api::{Json, Path, Problem};
use souk_kernel::CartId;
use souk_tenancy::WriteTx;

use super::{Secret, shown};
use crate::cart::actions;
use crate::cart::model::{CartView, PutVatNumber};
use crate::cart::permissions::Use;
use crate::tax::Registers;

/// Say that a business buys
///
/// Its VAT number is checked, by its form and by the register of its country where that can be asked. Whether it relieves the sale of tax,
/// `tax_relief` of the answer says.
#[utoipa::path(tag = "Shopping", operation_id = "putCartVatNumber",
    params(("id" = CartId, Path), ("X-Cart-Secret" = String, Header)), request_body = PutVatNumber,
    responses((status = 200, body = CartView), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
#[put("/store/v1/carts/{id}/vat-number")]
pub async fn put_vat_number(
    permit: Permit<Use>,
    registers: web::Data<Registers>,
    id: Path<CartId>,
    secret: Secret,
    body: Json<PutVatNumber>,
) -> Result<HttpResponse, Problem> {
    let number = body.into_inner().vat_number;
    // Outside of any transaction: somebody else's machine is asked.
    let outcome = match &number {
        Some(number) => registers.outcome(number).await,
        None => "well_formed",
    };
    let work = async move |tx: &mut WriteTx<'_>| {
        let number = number.as_ref().map(|number| (number, outcome));
        actions::put_vat_number(tx, *id, &secret.0, number).await
    };
    Ok(shown(StatusCode::OK, permit.write("carts.put_vat_number", work).await?))
}
