//! The daily digest.

use std::time::Duration;

use serde_json::json;

use super::{hear, mails, work};
use crate::testing::shop::Shop;

#[actix_web::test]
async fn the_owner_is_told_every_morning_what_the_day_before_sold() {
    let shop = Shop::open().await;
    shop.admin(
        "UPDATE {s}.store_settings SET time_zone = 'Europe/Berlin', contact_email = 'owner@shop.example'",
    )
    .await;
    let thing = shop.thing(9, 1299).await;
    let wish =
        json!({ "low_stock_threshold": null, "daily_digest": true, "digest_hour": 7, "back_in_stock": true });
    let put = shop
        .owner_call("PUT", "/admin/v1/notice-settings")
        .header("if-match", "\"1\"")
        .json(&wish)
        .send()
        .await
        .expect(200);
    let next = chrono::DateTime::parse_from_rfc3339(&put.text("/next_digest_at")).unwrap();
    assert!(next > shop.clock.now() && next < shop.clock.now() + chrono::TimeDelta::hours(26));
    // Not before the hour.
    work(&shop).await;
    let mut at = hear(&shop, 0).await;
    // A day on, so that what is sold now is yesterday's then.
    let to_seven = (next.to_utc() - shop.clock.now()).to_std().unwrap();
    shop.clock.advance(to_seven + Duration::from_secs(60));
    work(&shop).await;
    at = hear(&shop, at).await;
    assert_eq!(mails(&shop).await, "", "a day that sold nothing is not told");
    shop.buys(&shop.basket(thing, 2).await, 3088, "tok_ok").await.expect(201);
    shop.clock.advance(Duration::from_secs(24 * 3600));
    for _ in 0..3 {
        work(&shop).await;
        at = hear(&shop, at).await;
    }
    assert_eq!(mails(&shop).await, "daily_digest>owner@shop.example");
    let text = shop.words("SELECT body_text AS word FROM email_messages").await;
    assert!(
        text.contains("Orders: 1") && text.contains("30.88 EUR") && text.contains("2 x Enamel mug (Blue)"),
        "{text}"
    );
    let off = json!({ "low_stock_threshold": null, "daily_digest": false, "digest_hour": 7, "back_in_stock": true });
    shop.owner_call("PUT", "/admin/v1/notice-settings")
        .header("if-match", "*")
        .json(&off)
        .send()
        .await
        .expect(200);
    shop.clock.advance(Duration::from_secs(24 * 3600));
    work(&shop).await;
    hear(&shop, at).await;
    assert_eq!(mails(&shop).await, "daily_digest>owner@shop.example");
}
