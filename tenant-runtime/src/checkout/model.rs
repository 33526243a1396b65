//! What a checkout needs and decides without asking anybody.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{CartLineId, Money, OrderId};
use souk_tenancy::StoreEntry;
use url::Url;
use utoipa::ToSchema;

use crate::orders::{FinancialStatus, LinkKey, OrderState, OrderView, ShopperOrderView};
use crate::payments::{
    PaymentSession, ProviderCode, ProviderFact, ProviderStatus, Providers, SessionState, Setup,
};
use crate::storefront::PublicAddress;

/// What every checkout of a process shares. One per app, as `web::Data<Till>`, and one for the worker.
#[derive(Clone, Debug)]
pub struct Till {
    pub providers: Providers,
    pub links: LinkKey,
    pub address: PublicAddress,
}

/// What the shopper wants to do about the money.
#[derive(Clone, Debug)]
pub struct Wish {
    pub expected_total: Money,
    /// What is left to pay after credit; needed only where credit pays.
    pub expected_due: Option<Money>,
    pub provider: ProviderCode,
    pub token: Option<String>,
    pub return_url: Option<String>,
    /// The lines that the shopper saw, if their client says so.
    pub expected_lines: Vec<SeenLine>,
    /// The version of the terms that the shopper agreed to.
    pub accepted_terms: Option<i32>,
}

/// A line as the shopper saw it.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenLine {
    pub line: CartLineId,
    /// Its `total`.
    pub total: Money,
}

/// Whether the shopper may be sent there: an absolute http(s) address without credentials on a host of the store, on one the merchant has
/// listed, or on this very machine while the provider is the `test` one.
pub fn may_return_to(address: &str, store: &StoreEntry, setup: &Setup, provider: ProviderCode) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let Some(host) = url.host_str() else { return false };
    let plain =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    let own = store.hosts.iter().chain(&setup.return_hosts).any(|allowed| allowed.eq_ignore_ascii_case(host));
    let at_home = matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost");
    plain && (own || at_home && provider == ProviderCode::Test)
}

/// The address the shopper is sent back to, with what we know of the order. The storefront asks the API for the truth.
pub fn return_address(address: &str, order: OrderId, status: CheckoutStatus) -> Option<String> {
    let mut url = Url::parse(address).ok()?;
    url.query_pairs_mut().append_pair("order", &order.to_string()).append_pair("status", status.as_str());
    Some(url.into())
}

/// How a checkout went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutStatus {
    /// There is an order.
    Completed,
    /// The shopper has to do something at the provider: `next_action`.
    ActionRequired,
    /// The provider has not said yet; read the order again in a moment.
    Processing,
    /// There is no order.
    Failed,
}

impl CheckoutStatus {
    /// As in the return address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ActionRequired => "action_required",
            Self::Processing => "processing",
            Self::Failed => "failed",
        }
    }

    /// How the checkout of this order stands.
    pub fn of(order: &OrderView) -> Self {
        match order.state {
            OrderState::Open | OrderState::Closed => Self::Completed,
            OrderState::Cancelled => Self::Failed,
            OrderState::PendingPayment => match order.payments.last() {
                Some(payment) if payment.state == SessionState::RequiresAction.as_str() => {
                    Self::ActionRequired
                }
                _ => Self::Processing,
            },
        }
    }
}

/// The answer to a checkout.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CheckoutView {
    pub status: CheckoutStatus,
    pub order: ShopperOrderView,
    /// Opens the order: send it as `X-Order-Secret`.
    #[schema(example = "Vd3iP0f0…")]
    pub secret: String,
    pub next_action: Option<NextAction>,
}

/// Where the shopper has to go.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NextAction {
    /// Always `redirect`.
    #[schema(example = "redirect")]
    pub kind: &'static str,
    pub url: String,
}

impl CheckoutView {
    /// The answer for an order as it stands.
    pub fn of(order: OrderView, secret: String) -> Self {
        let status = CheckoutStatus::of(&order);
        let order = ShopperOrderView::from(order);
        let url = order.payment.as_ref().and_then(|payment| payment.redirect_url.clone());
        let next_action = url.map(|url| NextAction { kind: "redirect", url });
        Self { status, order, secret, next_action }
    }
}

/// What a provider that refused, or never heard of a payment, would have said had it kept it: it failed, without money.
pub fn failed_fact(session: &PaymentSession, code: &str, message: &str) -> ProviderFact {
    let zero = Money::zero(session.amount.currency());
    ProviderFact {
        reference: session.reference.clone().unwrap_or_default(),
        status: ProviderStatus::Failed,
        amount: session.amount,
        authorized: zero,
        captured: zero,
        refunded: zero,
        redirect_url: None,
        failure: Some((code.to_owned(), message.to_owned())),
    }
}

/// What staff says when money came outside of any provider.
pub fn paid_fact(session: &PaymentSession) -> ProviderFact {
    ProviderFact {
        reference: session.id.to_string(),
        status: ProviderStatus::Captured,
        authorized: session.amount,
        captured: session.amount,
        failure: None,
        ..failed_fact(session, "", "")
    }
}

/// A provider that has not heard of a payment after this long never will.
const NEVER_STARTED_AFTER: TimeDelta = TimeDelta::minutes(2);
/// A shopper who has not come back from the provider after this long does not get the stock kept any more.
const ABANDONED_AFTER: TimeDelta = TimeDelta::minutes(30);
/// Nobody asks about a session any more after this long.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(48);
/// Nor about money that was on its way: no direct debit takes longer.
const LOST_AFTER: TimeDelta = TimeDelta::days(30);

/// What the poller does about a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask the provider what became of it.
    Ask,
    /// Have the provider let the money go.
    LetGo,
    /// Never look again.
    Forget,
}

/// What to do about a session whose turn it is.
pub fn next_step(order: OrderState, session: &PaymentSession, now: DateTime<Utc>) -> Next {
    let patience = if order == OrderState::Open { LOST_AFTER } else { FORGOTTEN_AFTER };
    let old = now - session.created_at > patience;
    match (order, session.state) {
        _ if session.provider.is_offline() => Next::Forget,
        (OrderState::Cancelled, SessionState::Authorized) => Next::LetGo,
        // Nobody should pay for what is not to be had any more.
        (OrderState::Cancelled, SessionState::RequiresAction) if !old => Next::LetGo,
        // A session that flagged a mismatch is asked about whatever its state.
        _ if session.is_flagged() && !old => Next::Ask,
        (_, SessionState::Pending | SessionState::RequiresAction) if !old => Next::Ask,
        (_, SessionState::Pending | SessionState::RequiresAction) => Next::Forget,
        (
            _,
            SessionState::Failed | SessionState::Canceled | SessionState::Captured | SessionState::Authorized,
        ) => Next::Forget,
    }
}

/// What a provider's silence about a session means.
pub fn never_started(session: &PaymentSession, now: DateTime<Utc>) -> bool {
    now - session.created_at > NEVER_STARTED_AFTER
}

/// Whether a shopper has stayed away too long.
pub fn is_abandoned(session: &PaymentSession, now: DateTime<Utc>) -> bool {
    session.state.is_undecided() && now - session.created_at > ABANDONED_AFTER
}

/// Where the money of a payment stands after this news: `captured` of what was asked for is ours, or all of it is held.
pub const fn status_after(asked: Money, captured: Option<Money>) -> FinancialStatus {
    match captured {
        None => FinancialStatus::Authorized,
        Some(total) if total.minor() < asked.minor() => FinancialStatus::PartiallyPaid,
        Some(_) => FinancialStatus::Paid,
    }
}

#[cfg(test)]
mod tests {
    use souk_kernel::{OrderId, PaymentSessionId};

    use super::*;

    fn session(state: SessionState) -> PaymentSession {
        PaymentSession {
            id: PaymentSessionId::new(),
            order: OrderId::new(),
            provider: ProviderCode::Test,
            state,
            amount: Money::new(1, "EUR".parse().unwrap()),
            idempotency_key: String::new(),
            reference: None,
            redirect_url: None,
            return_url: None,
            failure_code: None,
            attempts: 0,
            created_at: DateTime::UNIX_EPOCH,
            part: None,
            account: None,
        }
    }

    #[test]
    fn what_is_open_is_asked_about_and_what_is_held_for_nothing_let_go() {
        let after = |hours| DateTime::UNIX_EPOCH + TimeDelta::hours(hours);
        let next = |order, state, hours| next_step(order, &session(state), after(hours));
        assert_eq!(next(OrderState::PendingPayment, SessionState::Pending, 1), Next::Ask);
        assert_eq!(next(OrderState::PendingPayment, SessionState::RequiresAction, 1), Next::Ask);
        assert_eq!(next(OrderState::Cancelled, SessionState::RequiresAction, 1), Next::LetGo);
        assert_eq!(next(OrderState::Cancelled, SessionState::RequiresAction, 49), Next::Forget);
        // Money that is on its way takes days.
        assert_eq!(next(OrderState::Open, SessionState::Pending, 24 * 29), Next::Ask);
        assert_eq!(next(OrderState::Open, SessionState::Pending, 24 * 31), Next::Forget);
        assert_eq!(next(OrderState::PendingPayment, SessionState::Pending, 49), Next::Forget);
        assert_eq!(next(OrderState::Cancelled, SessionState::Authorized, 490), Next::LetGo);
        for state in
            [SessionState::Captured, SessionState::Failed, SessionState::Canceled, SessionState::Authorized]
        {
            assert_eq!(next(OrderState::Open, state, 1), Next::Forget);
        }
        let flagged = PaymentSession {
            failure_code: Some("amount_mismatch".to_owned()),
            ..session(SessionState::Captured)
        };
        assert_eq!(next_step(OrderState::Open, &flagged, after(1)), Next::Ask);
        assert_eq!(next_step(OrderState::Open, &flagged, after(24 * 31)), Next::Forget);
        let offline = PaymentSession { provider: ProviderCode::Manual, ..session(SessionState::Pending) };
        assert_eq!(next_step(OrderState::Open, &offline, after(1)), Next::Forget);
    }
}
