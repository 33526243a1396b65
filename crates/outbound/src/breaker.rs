//! Leaving somebody alone who does not answer, so that their silence does not become everybody's waiting.

use chrono::{DateTime, TimeDelta, Utc};

/// So many calls in a row without an answer, and they are left alone …
const PATIENCE: u32 = 8;
/// … for this long; then one call tries.
const PAUSE: TimeDelta = TimeDelta::seconds(5);

/// What is remembered of those who are called. The default is of somebody who answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    closed_again: Option<DateTime<Utc>>,
}

impl Breaker {
    /// Whether a call may go out now. Of those that come when the pause is over, the first: the next pause begins with it.
    pub fn admits(&mut self, now: DateTime<Utc>) -> bool {
        match self.closed_again {
            Some(until) if now < until => false,
            Some(_) => {
                self.closed_again = Some(now + PAUSE);
                true
            }
            None => true,
        }
    }

    /// What a call that went out came to. True when this opens the breaker.
    pub fn heard(&mut self, answered: bool, now: DateTime<Utc>) -> bool {
        if answered {
            *self = Self::default();
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        let opens = self.failures >= PATIENCE;
        if opens {
            self.closed_again = Some(now + PAUSE);
        }
        opens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_opens_it_and_one_answer_closes_it() {
        let (mut breaker, start) = (Breaker::default(), DateTime::UNIX_EPOCH);
        for failure in 1..=PATIENCE {
            assert!(breaker.admits(start));
            assert_eq!(breaker.heard(false, start), failure == PATIENCE);
        }
        assert!(!breaker.admits(start + PAUSE - TimeDelta::milliseconds(1)));
        // One tries, the others wait for it.
        assert!(breaker.admits(start + PAUSE));
        assert!(!breaker.admits(start + PAUSE));
        assert!(breaker.heard(false, start + PAUSE));
        assert!(breaker.admits(start + PAUSE + PAUSE));
        assert!(!breaker.heard(true, start + PAUSE + PAUSE));
        assert_eq!(breaker, Breaker::default());
        assert!(breaker.admits(start) && breaker.admits(start));
    }

    #[test]
    fn an_answer_in_between_starts_the_count_anew() {
        let mut breaker = Breaker::default();
        for _ in 0..PATIENCE - 1 {
            breaker.heard(false, DateTime::UNIX_EPOCH);
        }
        breaker.heard(true, DateTime::UNIX_EPOCH);
        assert!(!breaker.heard(false, DateTime::UNIX_EPOCH));
        assert!(breaker.admits(DateTime::UNIX_EPOCH));
    }
}
