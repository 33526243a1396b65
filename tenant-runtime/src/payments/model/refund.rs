//! What a provider says about refunds, and what that changes about ours. Pure.

use souk_kernel::{Money, OrderId, PaymentSessionId, RefundId};

use super::{Account, ProviderCode, ProviderFact};

/// Where a refund stands: ours, or the provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundState {
    /// Promised, or on its way.
    Pending,
    /// The money has left.
    Succeeded,
    /// The provider refused it, or the money came back from the shopper's bank: it is owed.
    Failed,
}

impl RefundState {
    /// Reads what is stored.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "pending" => Self::Pending,
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            _ => return None,
        })
    }
}

/// A refund as its provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundFact {
    /// Our key, under which the provider was asked for it.
    pub key: String,
    pub state: RefundState,
    pub amount: Money,
    /// Why it failed, in the provider's word.
    pub failure_code: Option<String>,
}

/// A refund of ours, as it is under the order's lock.
#[derive(Clone, Debug)]
pub struct KnownRefund {
    pub id: RefundId,
    /// The key under which it is asked for now. One that failed gets another, so that what is still said under the old one is old news.
    pub key: String,
    pub state: RefundState,
    pub amount: Money,
}

/// A refund that has left.
#[derive(Clone, Debug)]
pub struct LeftRefund {
    /// Names the movement in the books: another when it leaves once more.
    pub name: String,
    pub amount: Money,
    /// What the same refund gave back to gift cards and store credit before.
    pub credit: Money,
}

/// A refund that failed.
#[derive(Clone, Debug)]
pub struct FailedRefund {
    /// Names the movement in the books, where there is one.
    pub name: String,
    pub amount: Money,
    /// It was known to have left: books and sums take it back.
    pub had_left: bool,
}

/// What a fact changes about a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundNews {
    /// The money has left.
    Left { refund: RefundId, key: String },
    /// The money has not left, or came back.
    Failed { refund: RefundId, key: String, code: String },
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

/// What a fact changes about the refunds of its payment, in the order in which they are to be believed when only a sum is told: what the provider
/// was asked for before what it was not, and what it refused last.
///
/// A refund that the fact names is where the fact says. What has left under no name of ours (a provider that only tells sums, or somebody gave
/// it back in the provider's own pages) settles those that are owed and that it does not name.
pub fn refund_news(ours: &[KnownRefund], fact: &ProviderFact) -> Vec<RefundNews> {
    let told = |refund: &KnownRefund| fact.refunds.iter().find(|told| told.key == refund.key);
    let mut news = Vec::new();
    let named = fact.refunds.iter().filter(|told| told.state == RefundState::Succeeded);
    let named = named.map(|told| told.amount.minor()).fold(0, i64::saturating_add);
    let mut unnamed = fact.refunded.minor().saturating_sub(named);
    for refund in ours {
        let (id, key) = (refund.id, refund.key.clone());
        match (told(refund), refund.state) {
            (Some(told), RefundState::Pending | RefundState::Succeeded)
                if told.state == RefundState::Failed =>
            {
                let code = told.failure_code.clone().unwrap_or_else(|| "refund_failed".to_owned());
                news.push(RefundNews::Failed { refund: id, key, code });
            }
            (Some(told), RefundState::Pending) if told.state == RefundState::Succeeded => {
                news.push(RefundNews::Left { refund: id, key });
            }
            (None, RefundState::Succeeded) => unnamed = unnamed.saturating_sub(refund.amount.minor()),
            (Some(_) | None, RefundState::Pending | RefundState::Succeeded | RefundState::Failed) => {}
        }
    }
    for refund in ours.iter().filter(|refund| refund.state != RefundState::Succeeded) {
        let may_be = match told(refund) {
            None => true,
            // The one that failed; this one may have left otherwise.
            Some(told) => told.state == RefundState::Failed && refund.state == RefundState::Failed,
        };
        if !may_be {
            continue;
        }
        unnamed = unnamed.saturating_sub(refund.amount.minor());
        if unnamed < 0 {
            break;
        }
        news.push(RefundNews::Left { refund: refund.id, key: refund.key.clone() });
    }
    news
}

#[cfg(test)]
mod tests {
    use souk_kernel::Currency;

    use super::super::ProviderStatus;
    use super::RefundState::{Failed, Pending, Succeeded};
    use super::*;

    fn eur(minor: i64) -> Money {
        Money::new(minor, Currency::EUR)
    }

    fn ours(key: &str, state: RefundState, amount: i64) -> KnownRefund {
        KnownRefund { id: RefundId::new(), key: key.to_owned(), state, amount: eur(amount) }
    }

    fn fact(refunded: i64, told: &[(&str, RefundState, i64)]) -> ProviderFact {
        let told = told.iter().map(|(key, state, amount)| RefundFact {
            key: (*key).to_owned(),
            state: *state,
            amount: eur(*amount),
            failure_code: None,
        });
        ProviderFact {
            reference: "pi_1".to_owned(),
            status: ProviderStatus::Captured,
            amount: eur(1000),
            authorized: eur(1000),
            captured: eur(1000),
            refunded: eur(refunded),
            refunds: told.collect(),
            redirect_url: None,
            failure: None,
            settled: None,
        }
    }

    /// The keys of what left and of what failed.
    fn news(ours: &[KnownRefund], fact: &ProviderFact) -> (Vec<String>, Vec<String>) {
        let (mut left, mut failed) = (Vec::new(), Vec::new());
        for news in refund_news(ours, fact) {
            match news {
                RefundNews::Left { key, .. } => left.push(key),
                RefundNews::Failed { key, .. } => failed.push(key),
            }
        }
        (left, failed)
    }

    fn keys(left: &[&str], failed: &[&str]) -> (Vec<String>, Vec<String>) {
        let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        (owned(left), owned(failed))
    }

    #[test]
    fn the_younger_one_that_left_first_is_the_one_that_left() {
        let both = [ours("a", Pending, 300), ours("b", Pending, 300)];
        let told = fact(300, &[("b", Succeeded, 300), ("a", Pending, 300)]);
        assert_eq!(news(&both, &told), keys(&["b"], &[]));
        // Without names the older one is as good a guess as any.
        assert_eq!(news(&both, &fact(300, &[])), keys(&["a"], &[]));
    }

    #[test]
    fn what_came_back_is_owed_and_old_news_are_not_heard() {
        let left = [ours("a", Succeeded, 300), ours("b", Succeeded, 200)];
        let told = fact(200, &[("a", Failed, 300), ("b", Succeeded, 200)]);
        assert_eq!(news(&left, &told), keys(&[], &["a"]));
        // A smaller sum alone says nothing, nor does a state that was true once.
        assert_eq!(news(&left, &fact(200, &[])), keys(&[], &[]));
        assert_eq!(news(&left, &fact(0, &[("a", Pending, 300), ("b", Pending, 200)])), keys(&[], &[]));
        let owed = [ours("a.1", Failed, 300), ours("b", Succeeded, 200)];
        let old = fact(500, &[("a", Succeeded, 300), ("b", Succeeded, 200)]);
        assert_eq!(news(&owed, &old), keys(&[], &[]));
        assert_eq!(news(&owed, &told), keys(&[], &[]));
    }

    #[test]
    fn what_somebody_gave_back_by_hand_settles_what_is_owed() {
        let owed = [ours("b", Pending, 200), ours("a.1", Failed, 300)];
        let by_hand = fact(300, &[("a", Failed, 300), ("b", Pending, 200)]);
        assert_eq!(news(&owed, &by_hand), keys(&["a.1"], &[]));
        // And stays so, however often it is told.
        let settled = [ours("b", Pending, 200), ours("a.1", Succeeded, 300)];
        assert_eq!(news(&settled, &by_hand), keys(&[], &[]));
        // Not enough for any.
        assert_eq!(news(&owed, &fact(299, &[("b", Pending, 200)])), keys(&[], &[]));
    }
}
