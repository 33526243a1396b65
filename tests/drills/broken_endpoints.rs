//! Fifty endpoints, a third of which fail, hang or flood: the others are told everything, and soon.

use std::time::Duration;

use futures_util::FutureExt as _;
use reqwest::Method;
use serde_json::json;
use souk_tests::books::Told;
use souk_tests::receiver::{Manner, Receiver};

use crate::Reckoning;
use crate::crowd::{Weather, cart, pay_until_told};
use crate::stage::Stage;

const ENDPOINTS: usize = 50;
const ORDERS: usize = 20;
/// How long the good ones may wait for the last of it, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every third is broken, in one of three manners.
const fn manner(number: usize) -> Manner {
    match number % 9 {
        0 => Manner::Fails,
        3 => Manner::Hangs,
        6 => Manner::Floods,
        _ => Manner::Takes,
    }
}

pub async fn run(stage: &Stage) -> Reckoning<'_> {
    let shop = stage.open_shop("broken-endpoints").await;
    let piece = shop.product("Envelope", 320, 1000).await;
    let mut good = Vec::new();
    for number in 0..ENDPOINTS {
        let receiver = Receiver::new(manner(number));
        let takes = manner(number) == Manner::Takes;
        let word = if takes { "good" } else { "broken" };
        let endpoint = json!({ "url": receiver.start(), "description": word, "types": ["order.placed"] });
        shop.admin(Method::POST, "/admin/v1/webhook-endpoints", None, Some(endpoint))
            .await
            .fine("an endpoint");
        if takes {
            good.push(receiver);
        }
    }
    let mut history = Vec::new();
    for number in 0..ORDERS {
        let cart = cart(&shop, &piece, &format!("writer-{number}@example.com")).await;
        history.push(pay_until_told(&shop, &cart, "tok_ok", &Weather::default(), PATIENCE).await);
    }
    assert!(
        history.iter().all(|entry| matches!(entry.told, Told::Ordered { paid: true, .. })),
        "{history:?}"
    );
    let of = |word: &str, state: &str| {
        format!(
            "SELECT count(*) FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id
             WHERE e.description = '{word}' AND d.state {state}"
        )
    };
    // Before the next drill kills who tells them: whatever was being told then is told twice.
    let told = of("good", "= 'delivered'");
    let all = i64::try_from(good.len() * ORDERS).expect("few");
    let missing = format!("SELECT {all} - ({told})");
    stage.books(&shop).await.until_none("deliveries to good endpoints wait", &missing, PATIENCE).await;
    async move {
        stage.settle_accounts(&shop, &history).await;
        // Another connection: the database was stopped in the meantime.
        let books = stage.books(&shop).await;
        let mut repeated = 0;
        for receiver in &good {
            let times = receiver.times();
            assert_eq!(times.len(), ORDERS, "each order was told to each good endpoint");
            repeated += i64::try_from(times.values().map(|times| times - 1).sum::<usize>()).expect("few");
        }
        // An answer that came too late for whoever waits for it: the same is told again.
        let again = "SELECT coalesce(sum(d.attempts - 1), 0)::bigint FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id
            WHERE e.description = 'good'";
        let again = books.number(again).await;
        assert!(repeated <= again, "{repeated} were told twice, and only {again} attempts had failed");
        let kept = books.number(&of("broken", "= 'pending'")).await;
        let expected = i64::try_from((ENDPOINTS - good.len()) * ORDERS).expect("few");
        assert_eq!(kept, expected, "what broken endpoints did not take is kept for them");
        let slowest = "SELECT ceil(extract(epoch FROM max(d.finished_at - d.created_at)) * 1000)::bigint FROM webhook_deliveries d
            JOIN webhook_endpoints e ON e.id = d.endpoint_id WHERE e.description = 'good'";
        format!(
            "{ORDERS} orders to {} good endpoints beside {} broken ones: each told ({repeated} twice after an answer that came too late), the slowest {} ms after its event; {kept} deliveries wait for the broken",
            good.len(),
            ENDPOINTS - good.len(),
            books.number(slowest).await
        )
    }
    .boxed_local()
}
