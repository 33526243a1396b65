//! What staff does about a draft order whose buyer pays by another way, or later: it becomes an order at once.

use souk_access::Reply;
use souk_api::ETag;
use souk_kernel::{DraftOrderId, Money, PaymentSessionId};
use souk_tenancy::WriteTx;

use super::super::error::CheckoutError;
use super::super::model::{Till, Wish, paid_fact};
use super::prepare::{at_once, attempt, check};
use super::settle::settle;
use crate::payments::{self, NewSession, ProviderCode};
use crate::{cart, drafts, orders};

/// How staff completes a draft order.
#[derive(Clone, Copy, Debug)]
pub struct Completion {
    /// Whether the money is there; else it is waited for, as for a bank transfer.
    pub paid: bool,
    /// The total that staff saw, if they say so.
    pub expected_total: Option<Money>,
}

/// Makes a draft order an order, whether or not the store lets shoppers pay by hand. Locks the draft's cart, so that its buyer and staff, or two of
/// staff, make one order between them.
///
/// # Errors
/// See [`drafts::open`]; [`CheckoutError::Incomplete`], 409 `price_changed`, what is out of stock. Roll back.
pub async fn complete(
    tx: &mut WriteTx<'_>,
    till: &Till,
    id: DraftOrderId,
    wish: Completion,
    actor: &str,
) -> Result<Reply, CheckoutError> {
    let cart = drafts::open(tx, id).await?;
    let quote = cart::priced(tx, &cart).await?;
    let provider = ProviderCode::Manual;
    let seen = Wish {
        expected_total: wish.expected_total.unwrap_or(quote.total),
        expected_due: Some(quote.due),
        provider,
        token: None,
        return_url: None,
        expected_lines: Vec::new(),
        accepted_terms: None,
    };
    check(&cart, &quote, &seen)?;
    let order = attempt(tx, till, &cart, &quote, None, actor).await?;
    if wish.paid && !quote.due.is_zero() {
        let session = NewSession {
            id: PaymentSessionId::new(),
            order: order.id,
            provider,
            amount: quote.due,
            return_url: None,
            first_poll_at: None,
        };
        payments::new_session(tx, &session).await?;
        let held = payments::held(tx, session.id).await?.ok_or(CheckoutError::SessionUnknown)?;
        settle(tx, session.id, &paid_fact(&held.session), actor).await?;
    } else {
        at_once(tx, &order, quote.due, provider, actor).await?;
    }
    let view = orders::view(tx, order.id).await?;
    let place = format!("/admin/v1/orders/{}", view.id);
    Ok(Reply::created(&view).location(&place).etag(&ETag::new(view.version)))
}
