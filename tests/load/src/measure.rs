//! Runs one piece of work at a number of connections and says what it cost.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::process;

/// A process tree that is part of the system under test.
#[derive(Clone, Copy, Debug)]
pub struct System {
    pub runtime: i32,
    pub postgres: i32,
}

impl System {
    fn cpu(self) -> (Duration, Duration) {
        (process::cpu(self.runtime), process::cpu(self.postgres))
    }
}

/// What a run showed.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub connections: usize,
    pub errors: u64,
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
    /// CPU-seconds per 1,000 requests.
    pub runtime: f64,
    pub postgres: f64,
}

impl Figures {
    pub fn cpu(&self) -> f64 {
        self.runtime + self.postgres
    }
}

/// The value below which this share of the sorted times lies.
pub fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let at = ((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}

/// Work that is done over and over on a connection of its own. Each call is one request in the tables, whatever it sends.
pub trait Work {
    fn once(&mut self) -> impl Future<Output = anyhow::Result<()>>;
}

/// Closed loop: `connections` workers, each beginning anew when it is answered, for `time` after a warm-up.
pub async fn closed<W: Work>(
    system: System,
    connections: usize,
    time: Duration,
    worker: impl FnMut(usize) -> W,
) -> anyhow::Result<Figures> {
    closed_until(system, connections, time, worker, async || Ok(())).await
}

/// Like [`closed`]; what the system still does until `rest` returns is counted too, though not the time it takes.
pub async fn closed_until<W: Work>(
    system: System,
    connections: usize,
    time: Duration,
    mut worker: impl FnMut(usize) -> W,
    rest: impl AsyncFn() -> anyhow::Result<()>,
) -> anyhow::Result<Figures> {
    let mut workers: Vec<W> = (0..connections).map(&mut worker).collect();
    run(&mut workers, time / 4).await?;
    rest().await?;
    let (before, began) = (system.cpu(), Instant::now());
    let (mut times, errors) = run(&mut workers, time).await?;
    let elapsed = began.elapsed();
    rest().await?;
    let after = system.cpu();
    times.sort_unstable();
    let thousands = (times.len() as f64 / 1000.0).max(f64::EPSILON);
    Ok(Figures {
        connections,
        errors,
        per_second: times.len() as f64 / elapsed.as_secs_f64(),
        p50: percentile(&times, 0.5),
        p99: percentile(&times, 0.99),
        runtime: (after.0.saturating_sub(before.0)).as_secs_f64() / thousands,
        postgres: (after.1.saturating_sub(before.1)).as_secs_f64() / thousands,
    })
}

async fn run<W: Work>(workers: &mut [W], time: Duration) -> anyhow::Result<(Vec<Duration>, u64)> {
    let end = Instant::now() + time;
    let loops = workers.iter_mut().map(|worker| async move {
        let (mut times, mut errors) = (Vec::new(), 0_u64);
        while Instant::now() < end {
            let began = Instant::now();
            match worker.once().await {
                Ok(()) => times.push(began.elapsed()),
                Err(error) => {
                    errors += 1;
                    if errors > 50 {
                        return Err(error);
                    }
                }
            }
        }
        Ok((times, errors))
    });
    let mut all = (Vec::new(), 0);
    for (times, errors) in try_join_all(loops).await? {
        all.0.extend(times);
        all.1 += errors;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nap {
        done: u32,
    }

    impl Work for Nap {
        async fn once(&mut self) -> anyhow::Result<()> {
            self.done += 1;
            tokio::time::sleep(Duration::from_millis(2)).await;
            anyhow::ensure!(!self.done.is_multiple_of(4), "every fourth fails");
            Ok(())
        }
    }

    #[test]
    fn percentiles_are_ranks() {
        let times: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 0.5), Duration::from_millis(50));
        assert_eq!(percentile(&times, 0.99), Duration::from_millis(99));
        assert_eq!(percentile(&times, 1.0), Duration::from_millis(100));
        assert_eq!(percentile(&times[..1], 0.99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_closed_loop_counts_what_was_answered_and_what_failed_and_burns_the_right_cpu() {
        let own = i32::try_from(std::process::id()).unwrap();
        let system = System { runtime: own, postgres: -1 };
        let figures = closed(system, 4, Duration::from_millis(200), |_| Nap { done: 0 }).await.unwrap();
        assert_eq!((figures.connections, figures.postgres), (4, 0.0), "no such process, no time");
        assert!(figures.errors > 0 && figures.per_second > 0.0, "{figures:?}");
        assert!(figures.p50 >= Duration::from_millis(2) && figures.p99 >= figures.p50, "{figures:?}");
    }
}
