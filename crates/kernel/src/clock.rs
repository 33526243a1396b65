//! What time it is: the only place that asks the system, so that tests can move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};

/// A source of the current time, cheap to clone; clones of a manual clock share their hands.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Stands still until [`Clock::advance`] moves it.
    Fixed(Arc<Hands>),
}

/// Where a manual clock stands: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug)]
pub struct Hands(AtomicI64);

impl Clock {
    /// The machine's clock.
    pub const fn system() -> Self {
        Self::System
    }

    /// A clock that stands at `start`, cut to microseconds.
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self::Fixed(Arc::new(Hands(AtomicI64::new(start.timestamp_micros()))))
    }

    /// Move a manual clock, and all its clones, forward; it stops at the end of representable time.
    /// The system's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Self::Fixed(hands) = self {
            let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            hands.0.update(Ordering::SeqCst, Ordering::SeqCst, |now| now.saturating_add(by));
        }
    }

    /// Now, cut to microseconds: what `PostgreSQL` keeps, so a stored time equals the one that was stored.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now().trunc_subsecs(6),
            Self::Fixed(hands) => DateTime::from_timestamp_micros(hands.0.load(Ordering::SeqCst))
                .unwrap_or(DateTime::<Utc>::MAX_UTC),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let start = DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap();
        let clock = Clock::manual(start);
        let twin = clock.clone();
        assert_eq!(clock.now(), DateTime::from_timestamp(1_700_000_000, 123_456_000).unwrap());
        clock.advance(Duration::from_secs(90));
        assert_eq!(twin.now(), DateTime::from_timestamp(1_700_000_090, 123_456_000).unwrap());
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), DateTime::<Utc>::MAX_UTC);
    }

    #[test]
    fn the_system_clock_is_cut_to_microseconds() {
        assert_eq!(Clock::system().now().timestamp_subsec_nanos() % 1000, 0);
    }
}
