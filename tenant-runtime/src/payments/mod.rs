//! Money in and out: sessions, payments, transactions, refunds, and the providers behind a trait.
//!
//! A **session** is one attempt of a shopper to pay for an order. What a provider says about it is a [`ProviderFact`]: not a step but
//! the whole state, in amounts that only grow. [`record`] folds it into the session, the payment and its append-only transactions, so
//! facts may arrive twice and in any order. What a fact means for the order, the stock and the books is decided above, in `checkout`.
//!
//! Every function here expects the caller to hold the lock on the order's row: it is the one lock of everything that belongs to an order.
//! Providers are called outside any transaction, with the session's or the refund's id as idempotency key, for ever the same.

mod actions;
mod error;
mod events;
mod model;
pub mod permissions;
mod queries;
mod routes;
mod state;
#[cfg(test)]
mod tests;

pub use actions::disputes::{HeardDispute, hear_dispute};
pub use actions::provider::{
    Provider, ProviderError, Providers, ProvidersConfig, StartPayment, WebhookError, WebhookHeaders,
};
pub use actions::{
    NewSession, account, chosen_provider, demand_mode, due_refunds, due_sessions, hear, held, new_session,
    poll_soon, promise_refund, promised, record, record_outcome, refund_failed, refund_later,
    refund_succeeded, refunds_covered, retry_refund, session, set_part,
};
pub use error::{CATALOGUE, PROVIDER_AWAY, PaymentError, WEBHOOK_REFUSED};
pub use events::{DisputeLost, DisputeOpened, DisputeWon};
pub use model::{
    About, Account, DisputeFact, DisputeState, DueRefund, Held, News, Payment, PaymentSession, ProviderCode,
    ProviderEvent, ProviderFact, ProviderStatus, Setup, resembles_card_number,
};
pub use routes::routes;
pub use state::{SessionEvent, SessionState};
