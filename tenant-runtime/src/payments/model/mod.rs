//! Sessions, payments, facts and the arithmetic between them. Pure.

mod account;
mod card_number;
mod dispute;
mod setup;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use souk_access::KeyMode;
use souk_kernel::{Money, MoneyError, OrderId, PaymentId, PaymentSessionId, PaymentTransactionId, RefundId};
use utoipa::ToSchema;

pub use account::{Account, CredentialsView, Keys, NewCredentials, Safe, SetCredentials};
pub use card_number::resembles_card_number;
pub use dispute::{DisputeFact, DisputeNews, DisputeState, DisputeView};
pub use setup::{EditProvider, ProviderOfferView, ProviderView, Setup};

use super::state::{SessionEvent, SessionState};

/// Who takes the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderCode {
    /// Outside of any provider: transfer, cash. Staff says when it is paid.
    Manual,
    /// The provider of our own, for development and tests.
    Test,
    /// Stripe, with an account of the store's own there.
    Stripe,
}

impl ProviderCode {
    /// As stored and as in paths.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Test => "test",
            Self::Stripe => "stripe",
        }
    }

    /// Reads what [`ProviderCode::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Manual, Self::Test, Self::Stripe].into_iter().find(|code| code.as_str() == text)
    }

    /// Whether whoever has a key of this mode may pay with it: play money is for test keys, and what moves none by itself for both. Where the
    /// store has an account, its keys decide ([`Setup::is_for`]).
    pub const fn is_for(self, mode: KeyMode) -> bool {
        match self {
            Self::Manual | Self::Stripe => true,
            Self::Test => matches!(mode, KeyMode::Test),
        }
    }

    /// Whether the store needs an account there, with keys of its own.
    pub const fn has_account(self) -> bool {
        matches!(self, Self::Stripe)
    }

    /// Whether nobody has to be asked before the order stands.
    pub const fn is_offline(self) -> bool {
        matches!(self, Self::Manual)
    }
}

/// One attempt of a shopper to pay for an order.
#[derive(Clone, Debug)]
pub struct PaymentSession {
    pub id: PaymentSessionId,
    pub order: OrderId,
    pub provider: ProviderCode,
    pub state: SessionState,
    pub amount: Money,
    /// The same for every call that starts this session at the provider.
    pub idempotency_key: String,
    /// The provider's name for it, once known.
    pub reference: Option<String>,
    /// Where the shopper has to go.
    pub redirect_url: Option<String>,
    /// Where the shopper wants to end up.
    pub return_url: Option<String>,
    pub failure_code: Option<String>,
    /// How often the poller asked.
    pub attempts: i32,
    pub created_at: DateTime<Utc>,
    /// The part of the held money that staff decided to take, less than `amount`; the rest is let go. None is all of it.
    pub part: Option<Money>,
    /// The store's keys at the provider, as they are now.
    pub account: Option<Account>,
}

/// `failure_code` of a session whose provider spoke of another amount than was asked for.
pub const MISMATCH: &str = "amount_mismatch";

impl PaymentSession {
    /// Whether its provider once spoke of another amount, and nothing has cleared that up.
    pub fn is_flagged(&self) -> bool {
        self.failure_code.as_deref() == Some(MISMATCH)
    }
}

/// The money of a session: sums over its transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    pub authorized: Money,
    pub captured: Money,
    pub refunded: Money,
}

/// A session and its payment as they are under the order's lock.
#[derive(Clone, Debug)]
pub struct Held {
    pub session: PaymentSession,
    /// None until money was held or taken.
    pub payment: Option<Payment>,
}

/// Where a payment stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderStatus {
    RequiresAction,
    /// Nobody has to do anything: the money is on its way, for days perhaps.
    Processing,
    Authorized,
    Captured,
    Voided,
    Failed,
}

/// What a provider says about one payment: all of it, every time. The amounts only grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderFact {
    /// The provider's name for the payment.
    pub reference: String,
    pub status: ProviderStatus,
    /// What was asked for.
    pub amount: Money,
    pub authorized: Money,
    pub captured: Money,
    pub refunded: Money,
    pub redirect_url: Option<String>,
    pub failure: Option<(String, String)>,
}

/// A verified webhook.
#[derive(Clone, Debug)]
pub struct ProviderEvent {
    /// The provider's id of the event.
    pub id: String,
    /// `payment.captured`
    pub kind: String,
    pub about: About,
    /// What is kept of it: nothing of a person.
    pub payload: serde_json::Value,
}

/// What an event of a provider is about.
#[derive(Clone, Debug)]
pub enum About {
    /// A payment. Our session as we named it to the provider; None if the name is not one of ours.
    Payment(Option<PaymentSessionId>, ProviderFact),
    /// Money that a bank takes back.
    Dispute(PaymentSessionId, DisputeFact),
    /// Nothing of ours.
    Nothing,
}

impl ProviderEvent {
    /// The provider's name for what it is about.
    pub fn reference(&self) -> Option<&str> {
        match &self.about {
            About::Payment(_, fact) => Some(&fact.reference),
            About::Dispute(_, fact) => Some(&fact.reference),
            About::Nothing => None,
        }
    }
}

/// What a fact changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing that we did not know.
    Nothing,
    /// The shopper has to act.
    ActionRequired,
    /// The attempt is over without money.
    Failed,
    /// The money is on its way.
    Processing,
    /// Money is held.
    Authorized,
    /// Held money was let go.
    Voided,
    /// This much more money is ours, `total` in all.
    Captured { amount: Money, total: Money },
    /// Amount or currency are not those asked for. Nothing was changed: ask the provider, then a person.
    Mismatch,
}

/// A transaction to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTransaction {
    pub id: PaymentTransactionId,
    pub kind: &'static str,
    pub amount: Money,
    pub idempotency_key: String,
}

/// A fact folded into what is held: what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    pub state: SessionState,
    pub authorized: Money,
    pub captured: Money,
    pub transactions: Vec<NewTransaction>,
    pub news: News,
}

impl ProviderFact {
    /// What it means for the session; money that is on its way decides nothing.
    const fn event(&self) -> Option<SessionEvent> {
        match self.status {
            ProviderStatus::RequiresAction => Some(SessionEvent::ActionRequired),
            ProviderStatus::Processing => None,
            ProviderStatus::Authorized => Some(SessionEvent::Authorized),
            ProviderStatus::Captured => Some(SessionEvent::Captured),
            ProviderStatus::Voided => Some(SessionEvent::Voided),
            ProviderStatus::Failed => Some(SessionEvent::Failed),
        }
    }

    /// Whether it speaks about what was asked for: all of it, or the part that staff decided to take.
    fn matches(&self, asked: Money, part: Option<Money>) -> bool {
        let zero = Money::zero(asked.currency());
        let whole_or_nothing = |amount: Money| amount == asked || amount == zero;
        self.amount == asked
            && whole_or_nothing(self.authorized)
            && (whole_or_nothing(self.captured) || Some(self.captured) == part)
            && self.refunded.currency() == asked.currency()
            && self.refunded.minor() <= self.captured.minor()
            && (self.status == ProviderStatus::Captured) == (self.captured != zero)
    }
}

impl Held {
    /// Folds a fact in. Facts may repeat and come in any order: the result is the same, and each movement is appended once.
    ///
    /// # Errors
    /// Amounts that cannot be counted.
    pub fn fold(&self, fact: &ProviderFact) -> Result<Folded, MoneyError> {
        let session = &self.session;
        let zero = Money::zero(session.amount.currency());
        let (authorized, captured) =
            self.payment.map_or((zero, zero), |payment| (payment.authorized, payment.captured));
        let unchanged =
            |news| Folded { state: session.state, authorized, captured, transactions: Vec::new(), news };
        if !fact.matches(session.amount, session.part) {
            return Ok(unchanged(News::Mismatch));
        }
        let mut folded = unchanged(News::Nothing);
        if let Some(transaction) = grown("authorization", session.id, authorized, fact.authorized)? {
            folded.authorized = fact.authorized;
            folded.transactions.push(transaction);
            folded.news = News::Authorized;
        }
        if let Some(transaction) = grown("capture", session.id, captured, fact.captured)? {
            folded.captured = fact.captured;
            folded.news = News::Captured { amount: transaction.amount, total: fact.captured };
            folded.transactions.push(transaction);
        }
        let Some(event) = fact.event() else {
            // Facts come in any order: what is decided is not on its way any more.
            if session.state.is_undecided() {
                folded.news = News::Processing;
            }
            return Ok(folded);
        };
        // Older news than the state: the amounts above are still true.
        let Ok(state) = session.state.on(event) else { return Ok(folded) };
        folded.state = state;
        if state != session.state {
            folded.news = match (state, folded.news) {
                (_, news @ News::Captured { .. }) => news,
                (SessionState::RequiresAction, _) => News::ActionRequired,
                (SessionState::Failed, _) => News::Failed,
                (SessionState::Canceled, _) => News::Voided,
                (SessionState::Authorized, _) => News::Authorized,
                (SessionState::Pending | SessionState::Captured, news) => news,
            };
        }
        Ok(folded)
    }
}

/// The transaction for an amount that is larger than known.
fn grown(
    kind: &'static str,
    session: PaymentSessionId,
    known: Money,
    told: Money,
) -> Result<Option<NewTransaction>, MoneyError> {
    let amount = told.checked_sub(known)?;
    Ok(amount.is_positive().then(|| NewTransaction {
        id: PaymentTransactionId::new(),
        kind,
        amount,
        idempotency_key: format!("{kind}:{session}:{}", told.minor()),
    }))
}

/// A refund whose turn has come.
#[derive(Clone, Debug)]
pub struct DueRefund {
    pub id: RefundId,
    pub order: OrderId,
    pub session: PaymentSessionId,
    pub provider: ProviderCode,
    /// The provider's name for the payment; None when it was paid offline.
    pub reference: Option<String>,
    pub amount: Money,
    pub idempotency_key: String,
    pub reason: String,
    /// This one counted.
    pub attempts: i32,
    /// The store's keys at the provider.
    pub account: Option<Account>,
}

/// When to try something again that has failed `attempts` times: 15 s, 30 s, 1 min … at most 1 h.
pub fn pause_after(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts).unwrap_or_default().min(8);
    TimeDelta::seconds((15_i64 << doublings).min(3600))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    fn eur(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    fn held(state: SessionState) -> Held {
        let session = PaymentSession {
            id: PaymentSessionId::new(),
            order: OrderId::new(),
            provider: ProviderCode::Test,
            state,
            amount: eur(1999),
            idempotency_key: "k".to_owned(),
            reference: None,
            redirect_url: None,
            return_url: None,
            failure_code: None,
            attempts: 0,
            created_at: DateTime::UNIX_EPOCH,
            part: None,
            account: None,
        };
        Held { session, payment: None }
    }

    fn fact(status: ProviderStatus, authorized: i64, captured: i64, refunded: i64) -> ProviderFact {
        ProviderFact {
            reference: "pp_1".to_owned(),
            status,
            amount: eur(1999),
            authorized: eur(authorized),
            captured: eur(captured),
            refunded: eur(refunded),
            redirect_url: None,
            failure: None,
        }
    }

    fn facts() -> [ProviderFact; 7] {
        [
            fact(ProviderStatus::RequiresAction, 0, 0, 0),
            fact(ProviderStatus::Processing, 0, 0, 0),
            fact(ProviderStatus::Failed, 0, 0, 0),
            fact(ProviderStatus::Authorized, 1999, 0, 0),
            fact(ProviderStatus::Voided, 1999, 0, 0),
            fact(ProviderStatus::Captured, 1999, 1999, 0),
            fact(ProviderStatus::Captured, 1999, 1999, 700),
        ]
    }

    /// What the database does with a fold.
    fn apply(held: &mut Held, fact: &ProviderFact, book: &mut Vec<(String, Money)>) -> News {
        let folded = held.fold(fact).unwrap();
        held.session.state = folded.state;
        for transaction in folded.transactions {
            assert!(!book.iter().any(|(key, _)| *key == transaction.idempotency_key), "appended twice");
            book.push((transaction.idempotency_key, transaction.amount));
        }
        held.payment = Some(Payment {
            id: PaymentId::new(),
            authorized: folded.authorized,
            captured: folded.captured,
            refunded: eur(0),
        });
        folded.news
    }

    #[test]
    fn a_capture_is_news_once() {
        let (mut held, mut book) = (held(SessionState::Pending), Vec::new());
        let captured = fact(ProviderStatus::Captured, 1999, 1999, 0);
        let news = News::Captured { amount: eur(1999), total: eur(1999) };
        assert_eq!(apply(&mut held, &captured, &mut book), news);
        assert_eq!(apply(&mut held, &captured, &mut book), News::Nothing);
        assert_eq!(apply(&mut held, &fact(ProviderStatus::Failed, 0, 0, 0), &mut book), News::Nothing);
        assert_eq!((held.session.state, book.len()), (SessionState::Captured, 2));
    }

    #[test]
    fn another_amount_or_currency_changes_nothing() {
        let captured = || fact(ProviderStatus::Captured, 1999, 1999, 0);
        let dollars = Money::new(1999, "USD".parse().unwrap());
        for wrong in [
            ProviderFact { amount: eur(1998), ..captured() },
            ProviderFact { captured: eur(1998), ..captured() },
            ProviderFact { authorized: eur(1), ..captured() },
            ProviderFact { amount: dollars, authorized: dollars, captured: dollars, ..captured() },
            ProviderFact { refunded: eur(2000), ..captured() },
            ProviderFact { captured: eur(0), ..captured() },
        ] {
            let held = held(SessionState::Pending);
            let folded = held.fold(&wrong).unwrap();
            assert_eq!((folded.news, folded.state), (News::Mismatch, SessionState::Pending), "{wrong:?}");
            assert!(folded.transactions.is_empty());
        }
    }

    #[test]
    fn a_part_is_believed_where_it_was_asked_for() {
        let part = fact(ProviderStatus::Captured, 1999, 700, 0);
        let mut held = held(SessionState::Authorized);
        assert_eq!(held.fold(&part).unwrap().news, News::Mismatch);
        held.session.part = Some(eur(700));
        let mut book = Vec::new();
        let news = News::Captured { amount: eur(700), total: eur(700) };
        assert_eq!(apply(&mut held, &part, &mut book), news);
        assert_eq!(apply(&mut held, &part, &mut book), News::Nothing);
        // Late news of the hold, and of the rest that was let go.
        assert_eq!(apply(&mut held, &fact(ProviderStatus::Authorized, 1999, 0, 0), &mut book), News::Nothing);
        assert_eq!(apply(&mut held, &fact(ProviderStatus::Voided, 1999, 0, 0), &mut book), News::Nothing);
        assert_eq!(held.fold(&fact(ProviderStatus::Captured, 1999, 699, 0)).unwrap().news, News::Mismatch);
        assert_eq!(held.fold(&fact(ProviderStatus::Captured, 1999, 700, 701)).unwrap().news, News::Mismatch);
        assert_eq!((held.session.state, book.len()), (SessionState::Captured, 2));
    }

    #[test]
    fn pauses_grow_and_stop_growing() {
        let seconds: Vec<i64> = (0..11).map(|attempts| pause_after(attempts).num_seconds()).collect();
        assert_eq!(seconds, [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
        assert_eq!(pause_after(-1).num_seconds(), 15);
        assert_eq!(pause_after(i32::MAX).num_seconds(), 3600);
    }

    proptest! {
        /// Any number of facts of one history, repeated and in any order, give the same session, sums and book.
        #[test]
        fn provider_events_commute(order in proptest::collection::vec(any::<Index>(), 1..24)) {
            let facts = facts();
            let heard: Vec<&ProviderFact> = order.iter().map(|index| index.get(&facts)).collect();
            let end = |heard: &[&ProviderFact]| {
                let (mut held, mut book) = (held(SessionState::Pending), Vec::new());
                held.session.id = PaymentSessionId::from_uuid(uuid::Uuid::nil());
                for fact in heard {
                    apply(&mut held, fact, &mut book);
                }
                book.sort_by(|a, b| a.0.cmp(&b.0));
                (held.session.state, held.payment.map(|p| (p.authorized, p.captured)), book)
            };
            let mut sorted = heard.clone();
            sorted.sort_by_key(|fact| (fact.status as u8, fact.captured.minor(), fact.refunded.minor()));
            let mut reversed = heard.clone();
            reversed.reverse();
            prop_assert_eq!(end(&heard), end(&sorted));
            prop_assert_eq!(end(&heard), end(&reversed));
        }
    }
}
