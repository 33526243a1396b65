//! Stripe's refunds, and what they say.

use serde::Deserialize;
use souk_kernel::Currency;

use super::super::super::model::{RefundFact, RefundState};
use super::super::provider::ProviderError;
use super::wire::{Names, money_of, or_none};

#[derive(Deserialize)]
pub struct Refund {
    pub amount: i64,
    status: Option<String>,
    failure_reason: Option<String>,
    #[serde(default, deserialize_with = "or_none")]
    pub metadata: Names,
}

impl Refund {
    /// Where it stands.
    pub fn state(&self) -> RefundState {
        match self.status.as_deref() {
            Some("succeeded") => RefundState::Succeeded,
            Some("failed" | "canceled") => RefundState::Failed,
            Some(_) | None => RefundState::Pending,
        }
    }

    /// What it says, if it is one that we asked for.
    pub fn fact(&self, currency: Currency) -> Option<Result<RefundFact, ProviderError>> {
        let key = self.metadata.souk_refund.clone()?;
        let fact = |amount| RefundFact {
            key,
            state: self.state(),
            amount,
            failure_code: self.failure_reason.clone(),
        };
        Some(money_of(self.amount, currency).map(fact))
    }

    /// Whether the money has left.
    pub fn outcome(self) -> Result<(), ProviderError> {
        match self.state() {
            RefundState::Succeeded => Ok(()),
            RefundState::Failed => {
                let code = self.failure_reason.unwrap_or_else(|| "refund_failed".to_owned());
                Err(ProviderError::Refused {
                    code,
                    message: "Stripe could not give the money back.".to_owned(),
                })
            }
            RefundState::Pending => Err(ProviderError::Unknown("the refund is on its way".to_owned())),
        }
    }
}
