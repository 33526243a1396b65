//! Stripe's own book of an account: what became of each movement of money, and what it pays out.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use souk_kernel::{PaymentSessionId, RefundId};

use super::super::super::model::{BalanceEntry, EntryKind, Keys, PayoutFact, PayoutState};
use super::super::provider::ProviderError;
use super::wire::{List, Names, currency_of, money_of, or_none, time_of};
use super::{PAGE, Stripe};

/// Pages looked at: ten thousand payouts, or movements in one.
const MOST_PAGES: usize = 100;

/// A movement: its name alone where nobody asked for more.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Movement {
    Whole(Box<Transaction>),
    #[expect(dead_code, reason = "only that it is a name matters, not which")]
    Name(String),
}

impl Movement {
    /// What it says about the charge of this session.
    pub fn entry(&self, session: Option<PaymentSessionId>) -> Result<Option<BalanceEntry>, ProviderError> {
        match self {
            Self::Whole(whole) => Ok(Some(BalanceEntry { session, ..whole.entry()? })),
            Self::Name(_) => Ok(None),
        }
    }
}

/// A balance transaction.
#[derive(Deserialize)]
pub struct Transaction {
    id: String,
    r#type: String,
    amount: i64,
    fee: i64,
    currency: String,
    created: i64,
    #[serde(default)]
    source: Option<Source>,
}

/// What a movement is about.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    Whole(Box<WholeSource>),
    Name(String),
}

#[derive(Deserialize)]
struct WholeSource {
    #[serde(default)]
    id: String,
    #[serde(default)]
    object: String,
    #[serde(default, deserialize_with = "or_none")]
    metadata: Names,
}

impl Transaction {
    fn kind(&self) -> EntryKind {
        let disputed = match &self.source {
            Some(Source::Whole(source)) => source.object == "dispute",
            Some(Source::Name(id)) => id.starts_with("dp_") || id.starts_with("du_"),
            None => false,
        };
        match self.r#type.as_str() {
            "charge" | "payment" => EntryKind::Charge,
            // One that came back is booked as that at the refund.
            "refund" | "payment_refund" | "refund_failure" => EntryKind::Refund,
            "stripe_fee" | "stripe_fx_fee" | "tax_fee" | "network_cost" => EntryKind::Fee,
            "payout_failure" | "payout_cancel" => EntryKind::PayoutReturn,
            "adjustment" if disputed => EntryKind::Dispute,
            _ => EntryKind::Adjustment,
        }
    }

    fn entry(&self) -> Result<BalanceEntry, ProviderError> {
        let currency = currency_of(&self.currency)?;
        let (source, names) = match &self.source {
            Some(Source::Whole(source)) => (Some(&source.id), Some(&source.metadata)),
            Some(Source::Name(id)) => (Some(id), None),
            None => (None, None),
        };
        // A refund that was tried again has the attempt behind its id.
        let refund = names.and_then(|names| names.souk_refund.as_deref()?.split('.').next());
        Ok(BalanceEntry {
            reference: self.id.clone(),
            kind: self.kind(),
            gross: money_of(self.amount, currency)?,
            fee: money_of(self.fee, currency)?,
            source: source.cloned(),
            session: names.and_then(Names::session),
            refund: refund.and_then(|id| RefundId::parse(id).ok()),
            at: time_of(self.created)?,
        })
    }
}

#[derive(Deserialize)]
struct Payout {
    id: String,
    status: String,
    amount: i64,
    currency: String,
    /// Of a payout that somebody asked for Stripe does not tell what is in it.
    #[serde(default)]
    automatic: bool,
    #[serde(default)]
    failure_code: Option<String>,
    arrival_date: i64,
    created: i64,
}

impl Payout {
    fn fact(self) -> Result<PayoutFact, ProviderError> {
        let state = PayoutState::parse(&self.status)
            .ok_or_else(|| ProviderError::Unknown(format!("a payout that is {}", self.status)))?;
        Ok(PayoutFact {
            reference: self.id,
            state,
            amount: money_of(self.amount, currency_of(&self.currency)?)?,
            itemised: self.automatic,
            failure_code: self.failure_code.map(|code| code.chars().take(100).collect()),
            arrives_at: time_of(self.arrival_date)?,
            created_at: time_of(self.created)?,
        })
    }
}

/// Anything that has a name to go on behind.
trait HasId {
    fn id(&self) -> &str;
}

impl HasId for Payout {
    fn id(&self) -> &str {
        &self.id
    }
}

impl HasId for Transaction {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Stripe {
    /// A payout by its name.
    pub(super) async fn payout(&self, keys: &Keys, id: &str) -> Result<PayoutFact, ProviderError> {
        self.client.get::<Payout>(keys, &format!("/v1/payouts/{id}"), &[]).await?.fact()
    }

    /// Payouts that were made since then, newest first.
    pub(super) async fn payouts_since(
        &self,
        keys: &Keys,
        since: DateTime<Utc>,
    ) -> Result<Vec<PayoutFact>, ProviderError> {
        let since = since.timestamp().to_string();
        let payouts: Vec<Payout> =
            self.whole_list(keys, "/v1/payouts", &[("created[gte]", since.as_str())]).await?;
        payouts.into_iter().map(Payout::fact).collect()
    }

    /// What a payout is made of, without the payout itself.
    pub(super) async fn entries_of(
        &self,
        keys: &Keys,
        payout: &str,
    ) -> Result<Vec<BalanceEntry>, ProviderError> {
        let query = [("payout", payout), ("expand[]", "data.source")];
        let list: Vec<Transaction> = self.whole_list(keys, "/v1/balance_transactions", &query).await?;
        list.iter().filter(|one| one.r#type != "payout").map(Transaction::entry).collect()
    }

    async fn whole_list<T: DeserializeOwned + HasId>(
        &self,
        keys: &Keys,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, ProviderError> {
        let mut all: Vec<T> = Vec::new();
        for _ in 0..MOST_PAGES {
            let behind = all.last().map(|last| last.id().to_owned());
            let mut query = query.to_vec();
            query.push(("limit", PAGE));
            query.extend(behind.as_deref().map(|last| ("starting_after", last)));
            let list: List<T> = self.client.get(keys, path, &query).await?;
            let is_last = !list.has_more || list.data.is_empty();
            all.extend(list.data);
            if is_last {
                return Ok(all);
            }
        }
        Err(ProviderError::Unknown(format!("{path} has more than {MOST_PAGES} pages")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn entry(change: Value) -> BalanceEntry {
        let mut body = json!({ "id": "txn_1", "type": "charge", "amount": 1490, "fee": 73, "currency": "eur", "created": 1_760_000_000,
            "source": "ch_1" });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        serde_json::from_value::<Transaction>(body).unwrap().entry().unwrap()
    }

    #[test]
    fn a_movement_says_what_it_is_about() {
        let session = PaymentSessionId::new();
        let charge = json!({ "id": "ch_1", "object": "charge", "metadata": { "souk_session": session } });
        let told = entry(json!({ "source": charge }));
        assert_eq!((told.kind, told.session), (EntryKind::Charge, Some(session)));
        assert_eq!((told.gross.minor(), told.fee.minor()), (1490, 73));
        let refund = RefundId::new();
        let again =
            json!({ "id": "re_1", "object": "refund", "metadata": { "souk_refund": format!("{refund}.2") } });
        let told = entry(json!({ "type": "refund", "amount": -490, "fee": 0, "source": again }));
        assert_eq!((told.kind, told.refund, told.gross.minor()), (EntryKind::Refund, Some(refund), -490));
        for (change, kind) in [
            (json!({ "type": "adjustment", "source": "dp_1" }), EntryKind::Dispute),
            (json!({ "type": "adjustment", "source": null }), EntryKind::Adjustment),
            (json!({ "type": "stripe_fee", "source": null }), EntryKind::Fee),
            (json!({ "type": "payout_failure", "source": "po_1" }), EntryKind::PayoutReturn),
            (json!({ "type": "topup" }), EntryKind::Adjustment),
        ] {
            assert_eq!(entry(change).kind, kind);
        }
    }
}
