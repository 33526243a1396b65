//! How a payment misbehaves: the one table of tokens and magic amounts (README, "Behaviours").

use serde::{Deserialize, Serialize};

/// What happens to a payment, and to the calls and webhooks about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Succeeds at once.
    Ok,
    /// Fails with `card_declined`.
    Declined,
    /// Waits for the shopper on the hosted page.
    ThreeDSecure,
    /// The capturing call is done but not answered in time.
    TimeoutAfterCapture,
    /// Every webhook is sent three times.
    DuplicateWebhooks,
    /// Webhooks that arise together are sent newest first.
    ReorderedWebhooks,
    /// No webhook is sent.
    LostWebhook,
    /// The first call with a key answers 500 and does nothing.
    ErrorThenOk,
    /// Calls take three seconds.
    Slow,
    /// Refunds are refused.
    RefundDeclined,
    /// The work is done but the answer is cut off.
    BrokenJson,
    /// Webhooks state a wrong amount.
    WrongAmount,
}

/// (last two digits of the amount, token, behaviour); `Ok` has no digits of its own.
const TABLE: [(Option<i64>, &str, Behaviour); 12] = [
    (None, "tok_ok", Behaviour::Ok),
    (Some(2), "tok_declined", Behaviour::Declined),
    (Some(13), "tok_3ds", Behaviour::ThreeDSecure),
    (Some(37), "tok_timeout_after_capture", Behaviour::TimeoutAfterCapture),
    (Some(41), "tok_duplicate_webhooks", Behaviour::DuplicateWebhooks),
    (Some(43), "tok_reordered_webhooks", Behaviour::ReorderedWebhooks),
    (Some(47), "tok_lost_webhook", Behaviour::LostWebhook),
    (Some(53), "tok_500_then_ok", Behaviour::ErrorThenOk),
    (Some(59), "tok_slow", Behaviour::Slow),
    (Some(61), "tok_refund_declined", Behaviour::RefundDeclined),
    (Some(67), "tok_broken_json", Behaviour::BrokenJson),
    (Some(71), "tok_wrong_amount", Behaviour::WrongAmount),
];

impl Behaviour {
    /// The behaviour a token asks for; `None` for a token that is not in the table.
    #[must_use]
    pub fn of_token(token: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == token).map(|row| row.2)
    }

    /// The behaviour the last two digits of an amount in minor units ask for.
    #[must_use]
    pub fn of_amount(amount_minor: i64) -> Self {
        let digits = Some(amount_minor % 100);
        TABLE.iter().find(|row| row.0 == digits).map_or(Self::Ok, |row| row.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_the_readme() {
        let readme = include_str!("../README.md");
        for (digits, token, behaviour) in TABLE {
            let row = match digits {
                Some(digits) => format!("| {digits:02} | `{token}` |"),
                None => format!("| any other | `{token}` |"),
            };
            assert!(readme.contains(&row), "the README lacks the row {row}");
            assert_eq!(Behaviour::of_token(token), Some(behaviour));
            assert_eq!(Behaviour::of_amount(12_300 + digits.unwrap_or(0)), behaviour);
        }
        assert_eq!(Behaviour::of_token("tok_typo"), None);
    }
}
