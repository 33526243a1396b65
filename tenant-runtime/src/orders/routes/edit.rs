//! Note and tags of an order over HTTP.

use actix_web::{HttpResponse, patch};
use souk_access::Permit;
use souk_api::{ETag, IfMatch, Json, Path, Problem};
use souk_kernel::OrderId;
use souk_tenancy::WriteTx;

use crate::orders::actions::edit::edit;
use crate::orders::model::edit::EditOrder;
use crate::orders::model::view::OrderView;
use crate::orders::permissions::Edit;

/// Change an order's note and tags
///
/// What was agreed stays. Its timeline says who changed what, but not the note's words.
#[utoipa::path(tag = "Orders", operation_id = "editOrder",
    params(("id" = OrderId, Path), ("If-Match" = Option<String>, Header)), request_body = EditOrder, responses(
    (status = 200, body = OrderView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
#[patch("/admin/v1/orders/{id}")]
pub(super) async fn edit_order(
    permit: Permit<Edit>,
    id: Path<OrderId>,
    seen: IfMatch,
    body: Json<EditOrder>,
) -> Result<HttpResponse, Problem> {
    let (id, wish, actor) = (*id, body.into_inner(), permit.actor().to_string());
    let work = async move |tx: &mut WriteTx<'_>| edit(tx, id, &seen, &wish, &actor).await;
    let order = permit.write("orders.edit", work).await?;
    Ok(HttpResponse::Ok().insert_header(ETag::new(order.version)).json(order))
}
