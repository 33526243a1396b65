//! Five hundred shoppers, one piece.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use souk_tests::books::Told;

use crate::Reckoning;
use crate::crowd::{Weather, cart, pay_until_told};
use crate::stage::Stage;

const BUYERS: usize = 500;
/// Nobody goes home without an answer, however slow the machine: the drill is about what they are told.
const PATIENCE: Duration = Duration::from_secs(300);

pub async fn run(stage: &Stage) -> Reckoning<'_> {
    let shop = stage.open_shop("flash-sale").await;
    let piece = shop.product("Last piece", 4900, 1).await;
    let carts: Vec<_> = stream::iter(0..BUYERS)
        .map(|number| {
            let (shop, piece) = (&shop, &piece);
            async move { cart(shop, piece, &format!("buyer-{number}@example.com")).await }
        })
        .buffer_unordered(24)
        .collect()
        .await;
    let weather = Weather::default();
    let history =
        join_all(carts.iter().map(|cart| pay_until_told(&shop, cart, "tok_ok", &weather, PATIENCE))).await;
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for entry in &history {
        let word = match &entry.told {
            Told::Ordered { paid, .. } => format!("ordered, paid: {paid}"),
            Told::Refused(code) => code.clone(),
            Told::Nothing => "nothing".to_owned(),
        };
        *outcomes.entry(word).or_default() += 1;
    }
    let expected =
        BTreeMap::from([("ordered, paid: true".to_owned(), 1), ("out_of_stock".to_owned(), BUYERS - 1)]);
    assert_eq!(outcomes, expected);
    assert_eq!(weather.rude.into_inner(), 0, "answers that are no polite refusal");
    let again = weather.unavailable.into_inner();
    async move {
        let found = stage.settle_accounts(&shop, &history).await;
        let stock = "SELECT on_hand - unavailable - committed - reserved FROM inventory_levels";
        assert_eq!((found.orders, stage.books(&shop).await.number(stock).await), (1, 0));
        format!("1 order, {} refused cleanly, {again} times told to come again, stock 0", BUYERS - 1)
    }
    .boxed_local()
}
