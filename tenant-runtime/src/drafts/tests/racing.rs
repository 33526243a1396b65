//! Everybody at once: one draft order is one order, or none.

use futures_util::future::{join, join_all};
use serde_json::json;

use super::{offered, orders, pays, staff, states, two_of};
use crate::testing::shop::Shop;

const ROUNDS: usize = 4;

#[actix_web::test]
async fn many_payers_of_one_link_are_one_order_and_one_charge() {
    let shop = Shop::open().await;
    let (id, secret) = offered(&shop, two_of(shop.thing(5, 1000).await)).await;
    let answers = join_all((0..6).map(|_| pays(&shop, (&id, &secret), 2490, "tok_ok"))).await;
    let ids: std::collections::HashSet<_> = answers.iter().map(|answer| answer.text("/order/id")).collect();
    let seen: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert!(seen.iter().all(|status| matches!(status, 200..=202)), "{seen:?}");
    assert_eq!((ids.len(), orders(&shop).await, shop.taken().await), (1, 1, (2490, 0)));
    assert_eq!((shop.stock().await.as_str(), states(&shop).await.as_str()), ("5/2/0", "completed"));
    let told = shop.told().await;
    assert_eq!(told.iter().filter(|kind| *kind == "draft_order.completed").count(), 1);
}

#[actix_web::test]
async fn the_buyer_and_staff_at_once_make_one_order_between_them() {
    let shop = Shop::open().await;
    let mug = shop.thing(50, 1000).await;
    let mut charged = 0;
    for round in 1..=ROUNDS {
        let (id, secret) = offered(&shop, two_of(mug)).await;
        let says = staff(&shop, &id, "complete", Some(json!({ "paid": true })));
        let (said, paid) = join(says, pays(&shop, (&id, &secret), 2490, "tok_ok")).await;
        match said.status {
            // Staff was first: whoever pays then gets that order, and pays nothing.
            201 => assert_eq!((paid.status, paid.text("/order/id")), (200, said.text("/id"))),
            _ => {
                let code = said.json["code"].as_str().unwrap();
                assert!(
                    said.status == 409 && ["draft_order_paying", "draft_order_state"].contains(&code),
                    "{}",
                    said.json
                );
                assert_eq!(paid.status, 201, "{}", paid.json);
                charged += 2490;
            }
        }
        assert_eq!((orders(&shop).await, shop.taken().await), (i64::try_from(round).unwrap(), (charged, 0)));
    }
    let sold = 2 * ROUNDS;
    assert_eq!((shop.stock().await, shop.unexplained_levels().await), (format!("50/{sold}/0"), 0));
    assert_eq!(shop.balance_of("1000").await, i64::try_from(ROUNDS).unwrap() * 2490);
}

#[actix_web::test]
async fn two_of_staff_complete_it_once() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let (id, _) = offered(&shop, two_of(shop.thing(9, 1000).await)).await;
    let answers = join_all((0..4).map(|_| staff(&shop, &id, "complete", Some(json!({}))))).await;
    let done = answers.iter().filter(|answer| answer.status == 201).count();
    let late = answers.iter().filter(|answer| answer.json["code"] == "draft_order_state").count();
    assert_eq!((done, late, orders(&shop).await), (1, 3, 1));
    assert_eq!(shop.stock().await, "9/2/0");
}

#[actix_web::test]
async fn taken_back_or_paid_but_never_both() {
    let shop = Shop::open().await;
    let mug = shop.thing(50, 1000).await;
    let mut bought = 0;
    for _ in 0..ROUNDS {
        let (id, secret) = offered(&shop, two_of(mug)).await;
        let cancels = staff(&shop, &id, "cancel", None);
        let (cancelled, paid) = join(cancels, pays(&shop, (&id, &secret), 2490, "tok_ok")).await;
        match cancelled.status {
            200 => drop(paid.refused(409, "draft_order_state")),
            _ => {
                let code = cancelled.json["code"].as_str().unwrap();
                let known = ["draft_order_paying", "draft_order_state"].contains(&code);
                assert!(cancelled.status == 409 && known, "{}", cancelled.json);
                assert_eq!(paid.status, 201, "{}", paid.json);
                bought += 1;
            }
        }
    }
    assert_eq!((orders(&shop).await, shop.taken().await), (bought, (bought * 2490, 0)));
    assert_eq!(shop.stock().await, format!("50/{}/0", 2 * bought));
    let states = states(&shop).await;
    let count = |state: &str| i64::try_from(states.split(' ').filter(|word| *word == state).count()).unwrap();
    let all = i64::try_from(ROUNDS).unwrap();
    assert_eq!((count("completed"), count("cancelled")), (bought, all - bought));
}
