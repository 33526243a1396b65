//! The runtime dies with its workers, again and again, while people pay.

use std::time::Duration;

use futures_util::FutureExt as _;

use crate::Reckoning;
use crate::crowd::{Choices, Crowd};
use crate::stage::Stage;

const KILLS: usize = 3;
const SHOPPERS: usize = 16;
/// How long nobody may be served before the drill gives up.
const PATIENCE: Duration = Duration::from_secs(20);

pub async fn run(stage: &Stage) -> Reckoning<'_> {
    let shop = stage.open_shop("killed-runtime").await;
    let variants = [shop.product("Cup", 1250, 100_000).await, shop.product("Plate", 2390, 100_000).await];
    let mut choices = Choices::of(stage.seed());
    let crowd = Crowd::gather(&shop, &variants, SHOPPERS, stage.seed());
    for _ in 0..KILLS {
        crowd.weather.somebody_is_served(PATIENCE, "before a kill").await;
        tokio::time::sleep(Duration::from_millis(1500 + choices.below(1000) as u64)).await;
        let killed = stage.platform().kill("tenant-runtime");
        tokio::task::block_in_place(|| stage.platform().wait_for_return("tenant-runtime", killed));
    }
    crowd.weather.somebody_is_served(PATIENCE, "after the last kill").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let weather = std::sync::Arc::clone(&crowd.weather);
    let history = crowd.go_home().await;
    assert_eq!(
        weather.rude.load(std::sync::atomic::Ordering::Relaxed),
        0,
        "answers that are no polite refusal"
    );
    async move {
        let found = stage.settle_accounts(&shop, &history).await;
        format!("{KILLS} kills, {} checkouts, {}", history.len(), report(&found))
    }
    .boxed_local()
}

/// The numbers of a comparison.
pub fn report(found: &souk_tests::books::Findings) -> String {
    format!(
        "{} orders, {}.{:02} EUR in all books, {} mails ({} twice), 0 lost, 0 charged twice, 0 oversold",
        found.orders,
        found.captured_minor / 100,
        found.captured_minor % 100,
        found.mails,
        found.duplicate_mails
    )
}
