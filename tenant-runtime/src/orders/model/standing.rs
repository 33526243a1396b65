//! What may be done with an order. Pure.

use super::{AllowedAction, FinancialStatus, FulfillmentStatus};
use crate::orders::state::OrderState;

/// Where an order stands, as far as that decides what may be done with it.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub state: OrderState,
    pub financial: FinancialStatus,
    pub fulfillment: FulfillmentStatus,
    /// There are pieces that are still to leave.
    pub unsent: bool,
    /// Paid outside of any provider.
    pub offline: bool,
    /// It cost nothing.
    pub free: bool,
}

impl Standing {
    /// What staff may do with the order now.
    pub fn allowed_actions(self) -> Vec<AllowedAction> {
        let Self { state, financial, fulfillment, unsent, offline, free } = self;
        let mut actions = Vec::new();
        let untouched = fulfillment == FulfillmentStatus::Unfulfilled;
        if untouched && matches!(state, OrderState::PendingPayment | OrderState::Open) {
            actions.push(AllowedAction::Cancel);
        }
        if state == OrderState::Open && financial == FinancialStatus::Authorized {
            actions.push(AllowedAction::Capture);
        }
        if state == OrderState::Open && financial == FinancialStatus::Pending && offline {
            actions.push(AllowedAction::MarkPaid);
        }
        let ours = matches!(
            financial,
            FinancialStatus::Paid | FinancialStatus::PartiallyPaid | FinancialStatus::PartiallyRefunded
        );
        if matches!(state, OrderState::Open | OrderState::Closed) && ours && !free {
            actions.push(AllowedAction::Refund);
        }
        if state == OrderState::Open && unsent {
            actions.push(AllowedAction::Fulfill);
        }
        actions
    }
}
