//! What was stated, heard once more.

use std::time::Duration;

use serde_json::json;

use super::{hear, mails, work};
use crate::testing::shop::Shop;

#[actix_web::test]
async fn links_and_codes_that_were_mailed_outlive_a_replay() {
    let shop = Shop::at("http://127.0.0.1:9").await;
    let basket = shop.basket(shop.thing(9, 1299).await, 2).await;
    let path = format!("/store/v1/carts/{}/reminder", basket.id);
    let remind = shop.call("PUT", &path).header("x-cart-secret", &basket.secret);
    remind.json(&json!({ "wanted": true })).send().await.expect(204);
    shop.clock.advance(Duration::from_secs(5 * 3600));
    work(&shop).await;
    let wait = json!({ "variant": shop.thing(0, 1299).await.variant, "email": "grace@example.com" });
    shop.call("POST", "/store/v1/stock-subscriptions").json(&wait).send().await.expect(202);
    let card = json!({ "amount": { "amount_minor": 5000, "currency": "EUR" }, "origin": "granted", "send_to": "eve@example.com" });
    shop.staff("POST", "/admin/v1/gift-cards", Some(card)).await.expect(201);
    hear(&shop, 0).await;
    let all =
        "abandoned_cart>ada@example.com subscription_confirm>grace@example.com gift_card>eve@example.com";
    assert_eq!(mails(&shop).await, all);
    let whole = shop.digest().await;
    hear(&shop, 0).await;
    assert_eq!(shop.digest().await, whole, "no secret and no code is another");
}
