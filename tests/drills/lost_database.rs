//! The database crashes while people pay, stays away, and comes back.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt as _;

use crate::Reckoning;
use crate::crowd::Crowd;
use crate::killed_runtime::report;
use crate::stage::Stage;

const SHOPPERS: usize = 16;
const AWAY: Duration = Duration::from_secs(4);
/// How long it may take until somebody is served, once the database answers again.
const RECOVERY: Duration = Duration::from_secs(5);

pub async fn run(stage: &Stage) -> Reckoning<'_> {
    let shop = stage.open_shop("lost-database").await;
    let variants = [shop.product("Bowl", 1890, 100_000).await, shop.product("Jug", 3490, 100_000).await];
    let (runtime, restarts) = stage.platform().child("tenant-runtime").expect("it runs");
    let crowd = Crowd::gather(&shop, &variants, SHOPPERS, stage.seed());
    crowd.weather.somebody_is_served(4 * RECOVERY, "before the crash").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let server = stage.server();
    let folder = server.to_str().expect("UTF-8");
    tokio::task::block_in_place(|| stage.platform().souk(&["db", "stop", "--immediate", "--dir", folder]));
    tokio::time::sleep(AWAY).await;
    let refused = crowd.weather.unavailable.load(Ordering::Relaxed);
    assert!(refused > 0, "people are told to come again while it is away");
    tokio::task::block_in_place(|| stage.platform().start_database(&server));
    let recovery = crowd.weather.somebody_is_served(RECOVERY, "after the database came back").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let weather = std::sync::Arc::clone(&crowd.weather);
    let history = crowd.go_home().await;
    assert_eq!(weather.rude.load(Ordering::Relaxed), 0, "answers that are no polite refusal");
    assert_eq!(stage.platform().child("tenant-runtime"), Some((runtime, restarts)), "it recovered by itself");
    async move {
        let found = stage.settle_accounts(&shop, &history).await;
        format!(
            "{} checkouts, {refused} times told to come again, served {} ms after it was back, {}",
            history.len(),
            recovery.as_millis(),
            report(&found)
        )
    }
    .boxed_local()
}
