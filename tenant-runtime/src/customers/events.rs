//! What customers tell the world. No address, no name, no secret: who hears it looks the customer up.

use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::{CustomerId, SessionId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::LetterKind;

/// `customer.letter_wanted`: a mail to a customer is due. Also stated for customers that do not exist, so that asking costs the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LetterWanted {
    pub customer_id: CustomerId,
    pub letter: LetterKind,
    /// The session a letter about a sign-in tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The identity provider a letter about a way in tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

impl Fact for LetterWanted {
    const KIND: &'static str = "customer.letter_wanted";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "customer";
    fn aggregate_id(&self) -> Uuid {
        self.customer_id.uuid()
    }
}

/// `customer.registered`: there is a new customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomerRegistered {
    pub customer_id: CustomerId,
}

impl Fact for CustomerRegistered {
    const KIND: &'static str = "customer.registered";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "customer";
    fn aggregate_id(&self) -> Uuid {
        self.customer_id.uuid()
    }
}

/// `customer.erased`: the person goes. Whoever keeps mail to them finds it by the SHA-256 of their address in lower case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomerErased {
    pub customer_id: CustomerId,
    /// Hexadecimal.
    pub email_sha256: String,
}

impl Fact for CustomerErased {
    const KIND: &'static str = "customer.erased";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "customer";
    fn aggregate_id(&self) -> Uuid {
        self.customer_id.uuid()
    }
}
