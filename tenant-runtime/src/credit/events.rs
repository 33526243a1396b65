//! What credit tells the rest of the house.

use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::{CreditId, Money};
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::CreditKind;

/// `credit.issued`: a gift card was made, or a customer was given store credit. The code is in no event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditIssued {
    pub credit: CreditId,
    pub kind: CreditKind,
    pub amount: Money,
}

impl Fact for CreditIssued {
    const KIND: &'static str = "credit.issued";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "credit";
    fn aggregate_id(&self) -> Uuid {
        self.credit.uuid()
    }
}

/// `credit.letter_wanted`: the mail that brings a gift card to whom it is for is due. Neither the address nor the code is in any event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GiftCardLetterWanted {
    pub credit: CreditId,
}

impl Fact for GiftCardLetterWanted {
    const KIND: &'static str = "credit.letter_wanted";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "credit";
    fn aggregate_id(&self) -> Uuid {
        self.credit.uuid()
    }
}
