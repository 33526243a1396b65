//! The worker dies after the mail server has a mail and before that is noted.

use std::time::Duration;

use futures_util::FutureExt as _;
use souk_tests::books::Told;
use souk_tests::platform::until;

use crate::Reckoning;
use crate::crowd::{PATIENCE, Weather, cart, pay_until_told};
use crate::stage::Stage;

const ORDERS: usize = 4;

pub async fn run(stage: &Stage) -> Reckoning<'_> {
    let shop = stage.open_shop("mail").await;
    let piece = shop.product("Letter paper", 900, 100).await;
    std::fs::write(stage.hold(), "").expect("the sink is told to hold");
    let mut history = Vec::new();
    for number in 0..ORDERS {
        let cart = cart(&shop, &piece, &format!("mail-{number}@example.com")).await;
        history.push(pay_until_told(&shop, &cart, "tok_ok", &Weather::default(), PATIENCE).await);
    }
    assert!(
        history.iter().all(|entry| matches!(entry.told, Told::Ordered { paid: true, .. })),
        "{history:?}"
    );
    until(Duration::from_secs(20), "the first mail reaches the sink", || kept(stage, 0) > 0);
    // It is written down and not acknowledged: between send and mark.
    let killed = stage.platform().kill("tenant-runtime");
    std::fs::remove_file(stage.hold()).expect("the sink goes on");
    stage.platform().wait_for_return("tenant-runtime", killed);
    async move {
        let found = stage.settle_accounts(&shop, &history).await;
        assert_eq!((found.orders, found.mails), (ORDERS, ORDERS));
        // `settle_accounts` counts by Message-ID: a second copy under another one would be a mail too many here.
        let copies = (0..ORDERS).map(|number| kept(stage, number)).collect::<Vec<_>>();
        // Others may have been on their way beside the first: each once more at most.
        assert!(copies[0] == 2 && copies.iter().all(|copies| (1..=2).contains(copies)), "{copies:?}");
        let twice = copies.iter().sum::<usize>() - ORDERS;
        assert_eq!(found.duplicate_mails, twice, "{copies:?}");
        format!(
            "{ORDERS} orders, {} mails, {twice} of them twice under the same Message-ID, 0 lost",
            found.mails
        )
    }
    .boxed_local()
}

/// How many mails the sink has for one shopper.
fn kept(stage: &Stage, number: usize) -> usize {
    let text = std::fs::read_to_string(stage.mail()).unwrap_or_default();
    text.lines().filter(|line| line.contains(&format!("mail-{number}@example.com"))).count()
}
