//! What was agreed: an immutable copy of the sale and what became of it.
//!
//! An order begins as an attempt (`pending_payment`, without number), written together with its payment session. [`place`] makes it an
//! order: number, books, events. [`cancel`] undoes it. The row's lock ([`lock`]) is the one lock of everything that belongs to the
//! order: its sessions, payments, refunds and events; take it first.

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

pub use actions::{
    attempt_of_cart, cancel, count_sent, give_up, insert, keep_money, lock, lock_for_session, move_status,
    name_for, name_of, note, of_customer, open_lines, place, refuse_for_stock, reopen_cart, return_money,
    set_status, state_of, view,
};
pub use error::{CATALOGUE, ORDER_STATE, OrderError};
pub use events::{OrderCancelled, OrderPaid, OrderPartiallyPaid, OrderPlaced, OrderRefunded};
pub use model::{
    AcceptedTerms, AllowedAction, CancelReason, CancelWish, FinancialStatus, FulfillmentStatus, LinkKey,
    LockedLine, LockedOrder, NewLine, NewOrder, NewShippingLine, NewTax, Sums, dispatch::OpenLine,
    financial_status, view::OrderTaxLineView, view::OrderView, view::RefundView, view::ShopperOrderView,
};
pub use queries::day::{Day, day};
pub use queries::{Reader, forget, reader, under_way};
pub use routes::{LOOK_UP, routes};
pub use state::{OrderEvent, OrderState};
