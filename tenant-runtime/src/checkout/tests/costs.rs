//! What the hot endpoints ask of the database, to the statement: a new query on one of these paths is a decision, not an accident.

use serde_json::{Value, json};

use super::shop::{Shop, ada};
use crate::testing::Answer;

/// Asks with these headers; the answer must be a success.
async fn ask(
    shop: &Shop,
    method: &str,
    path: &str,
    body: Option<&Value>,
    headers: &[(&str, &str)],
) -> Answer {
    let call = headers.iter().fold(shop.call(method, path), |call, (name, value)| call.header(name, value));
    let answer = match body {
        Some(body) => call.json(body).send().await,
        None => call.send().await,
    };
    assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.json);
    answer
}

#[actix_web::test]
async fn hot_endpoints_cost_so_many_statements_and_transactions() {
    let shop = Shop::open().await;
    let (mug, cup) = (shop.thing(50, 1900).await, shop.thing(50, 900).await);
    let mut costs = Vec::new();

    let list = ask(&shop, "GET", "/store/v1/products?limit=20", None, &[]).await;
    costs.push(("list", list.cost));
    let detail = format!("/store/v1/products/{}", list.text("/data/0/handle"));
    costs.push(("detail", ask(&shop, "GET", &detail, None, &[]).await.cost));
    costs.push(("collections", ask(&shop, "GET", "/store/v1/collections", None, &[]).await.cost));
    costs.push(("search", ask(&shop, "GET", "/store/v1/search?q=mug", None, &[]).await.cost));

    let cart = ask(&shop, "POST", "/store/v1/carts", Some(&json!({})), &[]).await;
    costs.push(("empty cart", cart.cost));
    let (path, secret) = (format!("/store/v1/carts/{}", cart.text("/id")), cart.text("/secret"));
    let opens = [("x-cart-secret", secret.as_str())];
    let line = json!({ "variant": mug.variant, "quantity": 1 });
    let added = ask(&shop, "POST", &format!("{path}/lines"), Some(&line), &opens).await;
    costs.push(("add line", added.cost));
    let line = format!("{path}/lines/{}", added.text("/lines/0/id"));
    costs.push((
        "change line",
        ask(&shop, "PATCH", &line, Some(&json!({ "quantity": 2 })), &opens).await.cost,
    ));
    costs.push(("show cart", ask(&shop, "GET", &path, None, &opens).await.cost));

    for (name, provider) in [("check out, pay later", "manual"), ("check out, test provider", "test")] {
        let lines = [&mug, &cup].map(|thing| json!({ "variant": thing.variant, "quantity": 1 }));
        let whole = json!({ "lines": lines, "email": "ada@example.com", "shipping_address": ada() });
        let cart = ask(&shop, "POST", "/store/v1/carts", Some(&whole), &[]).await;
        let (path, secret) = (format!("/store/v1/carts/{}", cart.text("/id")), cart.text("/secret"));
        let opens = [("x-cart-secret", secret.as_str())];
        let rate = json!({ "shipping_rate": cart.json["shipping_options"][0]["id"] });
        let chosen = ask(&shop, "PUT", &format!("{path}/shipping-option"), Some(&rate), &opens).await;
        if provider == "manual" {
            costs.extend([("cart of two lines", cart.cost), ("choose delivery", chosen.cost)]);
        }
        let payment = json!({ "provider": provider, "token": "tok_ok" });
        let wish = json!({ "expected_total": chosen.json["total"], "payment": payment });
        let key = super::shop::key();
        let headers = [opens[0], ("idempotency-key", key.as_str())];
        let bought = ask(&shop, "POST", &format!("{path}/checkout"), Some(&wish), &headers).await;
        costs.push((name, bought.cost));
        if provider == "test" {
            let path = format!("/admin/v1/orders/{}", bought.text("/order/id"));
            // The first call of a member of staff looks them up, the next ones remember.
            shop.owner_call("GET", &path).send().await.expect(200);
            costs.push(("order, by staff", shop.owner_call("GET", &path).send().await.expect(200).cost));
        }
    }

    assert_eq!(
        costs,
        [
            ("list", (2, 1)),
            ("detail", (2, 1)),
            ("collections", (1, 1)),
            ("search", (1, 1)),
            ("empty cart", (2, 1)),
            ("add line", (7, 1)),
            ("change line", (7, 1)),
            ("show cart", (5, 1)),
            ("cart of two lines", (7, 1)),
            ("choose delivery", (7, 1)),
            ("check out, pay later", (23, 1)),
            ("check out, test provider", (29, 2)),
            ("order, by staff", (1, 1)),
        ]
    );
}
