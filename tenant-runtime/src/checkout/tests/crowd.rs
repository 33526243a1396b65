//! A crowd that does not behave: cards that are declined, shoppers who walk away from the bank's page.

use std::time::Duration;

use futures_util::future::join_all;

use super::shop::{Basket, Shop};
use crate::checkout::Swept;
use crate::testing::Answer;

const BUYERS: usize = 500;
const PIECES: i64 = 100;

/// What a buyer pays with: a fifth have a card that is declined, a fifth are sent to their bank and do not come back.
fn token(buyer: usize) -> &'static str {
    match buyer % 5 {
        0 => "tok_declined",
        1 => "tok_3ds",
        _ => "tok_ok",
    }
}

/// Everybody at once; whoever is told that too many are at it comes again.
async fn all_buy(shop: &Shop, buyers: &[(Basket, &str)]) -> Vec<Answer> {
    join_all(buyers.iter().map(async |(basket, token)| {
        loop {
            let answer = shop.buys(basket, 1490, token).await;
            if answer.status != 503 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }))
    .await
}

async fn sold(shop: &Shop) -> i64 {
    shop.number("SELECT committed AS number FROM inventory_levels").await
}

#[actix_web::test]
async fn five_hundred_buyers_a_hundred_pieces_and_cards_that_fail() {
    let shop = Shop::open().await;
    let mug = shop.thing(PIECES, 1000).await;
    let mut buyers = Vec::new();
    for number in 0..BUYERS {
        buyers.push((shop.basket(mug, 1).await, token(number)));
    }
    let answers = all_buy(&shop, &buyers).await;
    let (mut bought, mut waiting, mut declined, mut late) = (0, 0, 0, Vec::new());
    for (answer, buyer) in answers.into_iter().zip(buyers) {
        match answer.status {
            201 => bought += 1,
            202 => waiting += 1,
            402 => {
                assert_eq!(answer.json["code"], "payment_declined", "{}", answer.json);
                declined += 1;
            }
            _ => {
                answer.refused(409, "out_of_stock");
                late.push(buyer);
            }
        }
    }
    assert_eq!(bought + waiting + declined + i64::try_from(late.len()).unwrap(), 500);
    // Nothing is held but for those who are at their bank; what was declined is on the shelf again.
    assert_eq!(shop.stock().await, format!("{PIECES}/{bought}/{waiting}"));
    assert!(bought + waiting <= PIECES);
    // Those who stay away give theirs back.
    shop.clock.advance(Duration::from_secs(31 * 60));
    while shop.sweep().await != Swept::default() {}
    let left = PIECES - sold(&shop).await;
    assert_eq!(shop.stock().await, format!("{PIECES}/{}/0", PIECES - left));
    // Who came too late comes again: as many as there are pieces now, and a few more.
    late.retain(|(_, token)| *token == "tok_ok");
    assert!(late.len() >= 100, "{} are left", late.len());
    late.truncate(usize::try_from(left).unwrap() + 20);
    let mut again = all_buy(&shop, &late).await;
    again.retain(|answer| answer.status != 201);
    assert_eq!(again.len(), 20);
    for answer in again {
        answer.refused(409, "out_of_stock");
    }
    assert_eq!((shop.stock().await, sold(&shop).await), (format!("{PIECES}/{PIECES}/0"), PIECES));
    assert_eq!(shop.taken().await, (PIECES * 1490, 0));
    assert_eq!(shop.number("SELECT count(*) AS number FROM orders WHERE state = 'open'").await, PIECES);
    let held = "SELECT count(*) AS number FROM orders WHERE state = 'pending_payment'";
    assert_eq!((shop.number(held).await, shop.unexplained_levels().await), (0, 0));
    assert_eq!((shop.balance_of("1000").await, shop.balance_of("1100").await), (PIECES * 1490, 0));
}
