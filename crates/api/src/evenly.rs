//! Answers that take the same time whatever is true.

use std::time::{Duration, Instant};

/// What goes on behind such an answer fits in here on a machine that is not drowning.
const STEP: Duration = Duration::from_millis(100);

/// Does the work and gives its outcome at the next whole tenth of a second: whether there is an account behind an address shows in the
/// work (a row, a mail), and must not show in the time of the answer. Holds nothing meanwhile but the request itself.
pub async fn evenly<T>(work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let outcome = work.await;
    tokio::time::sleep(rest(began.elapsed())).await;
    outcome
}

fn rest(spent: Duration) -> Duration {
    let over = u64::try_from(spent.as_micros() % STEP.as_micros()).unwrap_or_default();
    STEP.saturating_sub(Duration::from_micros(over))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_whole_step_is_meant() {
        for (spent, waits) in [(0, 100_000), (1, 99_999), (99_999, 1), (100_000, 100_000), (250_000, 50_000)]
        {
            assert_eq!(rest(Duration::from_micros(spent)), Duration::from_micros(waits), "{spent}");
        }
    }
}
