//! Errors in Stripe's form.

use serde_json::{Value, json};

/// A call that is refused: status and body.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `{"error": …}`
    pub body: Value,
}

impl Refusal {
    /// A mistake of the caller's.
    pub fn invalid(code: &str, message: impl Into<String>) -> Self {
        Self::of(400, "invalid_request_error", code, message)
    }

    /// There is no such thing.
    pub fn missing(id: &str) -> Self {
        Self::of(404, "invalid_request_error", "resource_missing", format!("No such object: '{id}'"))
    }

    /// A card that was declined.
    pub fn declined(decline_code: &str) -> Self {
        let mut refusal = Self::of(402, "card_error", "card_declined", words(decline_code));
        refusal.body["error"]["decline_code"] = json!(decline_code);
        refusal
    }

    /// Any other.
    pub fn of(status: u16, kind: &str, code: &str, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self { status, body: json!({ "error": { "type": kind, "code": code, "message": message } }) }
    }
}

/// What the shopper reads.
pub fn words(decline_code: &str) -> &'static str {
    match decline_code {
        "insufficient_funds" => "Your card has insufficient funds.",
        _ => "Your card was declined.",
    }
}
