//! Markets, currencies and price lists, from the price as explained to the order in another currency.

use serde_json::{Value, json};

use super::shop::{Basket, Shop, Thing, ada, key};

impl Shop {
    async fn put(&self, path: &str, seen: i64, body: Value) -> crate::testing::Answer {
        let (bearer, seen) = (format!("Bearer {}", self.inner.owner()), format!("\"{seen}\""));
        let headers = [("authorization", bearer.as_str()), ("if-match", seen.as_str())];
        self.inner.send("PUT", path, Some(body.to_string().into_bytes()), &headers).await
    }

    async fn made(&self, path: &str, body: Value) -> Value {
        let answer = self.staff("POST", path, Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        answer.json
    }

    async fn price(&self, thing: Thing, question: &str) -> Value {
        let path = format!("/store/v1/variants/{}/price?{question}", thing.variant);
        self.inner.send("GET", &path, None, &[]).await.json
    }

    async fn basket_in(&self, country: &str, thing: Thing, quantity: u32) -> (Basket, Value) {
        let mut address = ada();
        address["country"] = json!(country);
        if country == "CH" {
            address["postal_code"] = json!("3011");
        }
        let body = json!({ "lines": [{ "variant": thing.variant, "quantity": quantity }], "email": "ada@example.com",
            "country": country, "shipping_address": address });
        let answer =
            self.inner.send("POST", "/store/v1/carts", Some(body.to_string().into_bytes()), &[]).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        let text = |name: &str| answer.json[name].as_str().unwrap().to_owned();
        (Basket { id: text("id").parse().unwrap(), secret: text("secret") }, answer.json)
    }
}

fn switzerland() -> Value {
    json!({ "name": "Switzerland", "countries": ["CH"], "currency": "CHF", "locale": "de-CH", "prices_include_tax": false })
}

#[actix_web::test]
async fn a_cart_of_another_market_is_bought_in_its_currency() {
    let shop = Shop::open().await;
    let market = shop.made("/admin/v1/markets", switzerland()).await;
    let mug = shop.thing(9, 1000).await;
    // No price in francs yet: it cannot be had there.
    let path = format!("/store/v1/variants/{}/price?country=CH", mug.variant);
    assert_eq!(shop.inner.send("GET", &path, None, &[]).await.status, 404);
    let price =
        |minor: i64, currency: &str| json!({ "price": { "amount_minor": minor, "currency": currency } });
    let path = format!("/admin/v1/variants/{}/price", mug.variant);
    let unknown = shop.put(&path, 1, price(1200, "USD")).await;
    assert_eq!(
        (unknown.status, unknown.json["errors"][0]["pointer"].as_str()),
        (422, Some("/price/currency"))
    );
    assert_eq!(shop.put(&path, 1, price(1200, "CHF")).await.status, 200);
    assert_eq!(
        shop.price(mug, "country=CH").await["unit_price"],
        json!({ "amount_minor": 1200, "currency": "CHF" })
    );
    assert_eq!(shop.price(mug, "").await["unit_price"], json!({ "amount_minor": 1000, "currency": "EUR" }));
    shop.inner
        .admin("INSERT INTO {s}.shipping_zones (id, name, countries) VALUES ('01890a5d-ac96-774b-bcce-b302099a8057', 'CH', '{CH}'); \
                INSERT INTO {s}.shipping_rates (id, zone_id, name, currency, amount_minor) VALUES (gen_random_uuid(), '01890a5d-ac96-774b-bcce-b302099a8057', 'Post', 'CHF', 700)")
        .await;
    let (basket, cart) = shop.basket_in("CH", mug, 2).await;
    assert_eq!((&cart["market"], &cart["prices_include_tax"]), (&market["id"], &json!(false)), "{cart}");
    let total = cart["total"]["amount_minor"].as_i64().unwrap();
    assert_eq!(total, 3100 + cart["tax"]["amount_minor"].as_i64().unwrap());
    let body = json!({ "expected_total": { "amount_minor": total, "currency": "CHF" },
        "payment": { "provider": "test", "token": "tok_ok", "return_url": "http://localhost:3000/thanks" } });
    let bought = shop.checkout(&basket, &key(), &body).await;
    assert_eq!(
        (bought.status, &bought.json["order"]["total"]["currency"]),
        (201, &json!("CHF")),
        "{}",
        bought.json
    );
    // A later price, and the end of the market, do not reach the order.
    let path = format!("/admin/v1/markets/{}", market["id"].as_str().unwrap());
    assert_eq!(shop.staff("DELETE", &path, None).await.status, 204);
    let order = shop.order(bought.json["order"]["id"].as_str().unwrap()).await;
    assert_eq!(order["lines"][0]["unit_price"], json!({ "amount_minor": 1200, "currency": "CHF" }));
}

#[actix_web::test]
async fn a_price_list_has_steps_and_says_why_it_counts() {
    let shop = Shop::open().await;
    let mug = shop.thing(99, 1000).await;
    let list = json!({ "name": "Wholesale", "currency": "EUR", "kind": "fixed", "priority": 5 });
    let made = shop.made("/admin/v1/price-lists", list.clone()).await;
    let path = format!("/admin/v1/price-lists/{}", made["id"].as_str().unwrap());
    let step = |least: u32, minor: i64| json!({ "variant": mug.variant, "min_quantity": least, "price": { "amount_minor": minor, "currency": "EUR" } });
    let set =
        shop.put(&format!("{path}/prices"), 1, json!({ "prices": [step(10, 800), step(50, 600)] })).await;
    assert_eq!((set.status, &set.json["price_count"]), (200, &json!(2)), "{}", set.json);
    let sale = json!({ "name": "Winter", "currency": "EUR", "kind": "percent", "adjust_ppm": -50_000 });
    shop.made("/admin/v1/price-lists", sale).await;
    for (quantity, expected, source) in [(1, 950, "Winter"), (10, 800, "Wholesale"), (50, 600, "Wholesale")] {
        let price = shop.price(mug, &format!("quantity={quantity}")).await;
        assert_eq!(
            (&price["unit_price"]["amount_minor"], &price["source"]),
            (&json!(expected), &json!("price_list")),
            "{price}"
        );
        let chosen: Vec<_> =
            price["considered"].as_array().unwrap().iter().filter(|one| one["chosen"] == true).collect();
        assert_eq!((chosen.len(), &chosen[0]["name"]), (1, &json!(source)));
    }
    let (_, cart) = shop.basket_in("DE", mug, 10).await;
    assert_eq!(cart["lines"][0]["unit_price"]["amount_minor"], 800, "{cart}");
    assert_eq!(cart["subtotal"]["amount_minor"], 8000);
    // Mistakes change nothing: another currency, a step twice, a variant there is not, an old version.
    let mut francs = step(10, 1);
    francs["price"]["currency"] = json!("CHF");
    let mut stranger = step(1, 5);
    stranger["variant"] = json!(souk_kernel::VariantId::new());
    for (prices, pointer) in [
        (json!([francs]), "/prices/0/price/currency"),
        (json!([step(3, 1), step(3, 2)]), "/prices/1/min_quantity"),
        (json!([step(3, 1), stranger]), "/prices"),
        (json!([]), "/prices"),
    ] {
        let answer = shop.put(&format!("{path}/prices"), 2, json!({ "prices": prices })).await;
        assert_eq!(
            (answer.status, answer.json["errors"][0]["pointer"].as_str()),
            (422, Some(pointer)),
            "{}",
            answer.json
        );
    }
    assert_eq!(shop.put(&format!("{path}/prices"), 1, json!({ "prices": [step(10, 1)] })).await.status, 412);
    assert_eq!(shop.number("SELECT sum(amount_minor)::bigint AS number FROM price_list_prices").await, 1400);
    let over = shop.put(&path, 2, json!({ "name": "Wholesale", "currency": "EUR", "kind": "fixed", "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-02-01T00:00:00Z" })).await;
    assert_eq!(over.status, 200, "{}", over.json);
    assert_eq!(shop.price(mug, "quantity=50").await["unit_price"]["amount_minor"], 950);
}

#[actix_web::test]
async fn prices_of_a_list_are_seen_before_they_are_set() {
    let shop = Shop::open().await;
    let (mug, jug) = (shop.thing(9, 1000).await, shop.thing(9, 2000).await);
    let list = json!({ "name": "Trade", "currency": "EUR", "kind": "fixed" });
    let made = shop.made("/admin/v1/price-lists", list).await;
    let path = format!("/admin/v1/price-lists/{}/prices", made["id"].as_str().unwrap());
    let eur = |minor: i64| json!({ "amount_minor": minor, "currency": "EUR" });
    let step = |thing: Thing, price: Value| json!({ "variant": thing.variant, "price": price });
    assert_eq!(shop.put(&path, 1, json!({ "prices": [step(mug, eur(900))] })).await.status, 200);
    let wish = json!({ "prices": [step(mug, eur(900)), step(jug, eur(1700))] });
    let before = shop.inner.digest().await;
    let preview = shop.put(&format!("{path}?dry_run=true"), 2, wish.clone()).await;
    assert_eq!(preview.status, 200, "{}", preview.json);
    // What stays as it is, is no change.
    let change = json!({ "variant": jug.variant, "min_quantity": 1, "before": null, "after": eur(1700), "compare_at_before": null,
        "compare_at_after": null });
    assert_eq!(preview.json["changes"], json!([change]));
    let unknown = json!({ "prices": [{ "variant": souk_kernel::VariantId::new(), "price": eur(1) }] });
    assert_eq!(shop.put(&format!("{path}?dry_run=true"), 2, unknown).await.status, 422);
    assert_eq!(shop.put(&format!("{path}?dry_run=true"), 1, wish.clone()).await.status, 412);
    assert_eq!(shop.inner.digest().await, before);
    // Somebody was faster: what would change is something else now.
    let token = preview.json["token"].as_str().unwrap();
    let apply = format!("{path}?preview={token}");
    assert_eq!(shop.put(&path, 2, json!({ "prices": [step(jug, eur(1800))] })).await.status, 200);
    let stale = shop.put(&apply, 3, wish.clone()).await;
    assert_eq!((stale.status, &stale.json["code"]), (409, &json!("preview_stale")));
    assert_eq!(shop.put(&path, 3, json!({ "prices": [step(jug, Value::Null)] })).await.status, 200);
    assert_eq!(shop.put(&apply, 4, wish).await.status, 200);
    assert_eq!(shop.price(jug, "").await["unit_price"], eur(1700));
}

#[actix_web::test]
async fn a_price_is_seen_before_it_is_set() {
    let shop = Shop::open().await;
    let mug = shop.thing(9, 1000).await;
    let path = format!("/admin/v1/variants/{}/price", mug.variant);
    let eur = |minor: i64| json!({ "amount_minor": minor, "currency": "EUR" });
    let wish = json!({ "price": eur(900), "compare_at": eur(1000) });
    let before = shop.inner.digest().await;
    let preview = shop.put(&format!("{path}?dry_run=true"), 1, wish.clone()).await;
    assert_eq!(preview.status, 200, "{}", preview.json);
    let change = json!({ "variant": mug.variant, "min_quantity": 1, "before": eur(1000), "after": eur(900), "compare_at_before": null,
        "compare_at_after": eur(1000) });
    assert_eq!(preview.json["changes"], json!([change]));
    let same = shop.put(&format!("{path}?dry_run=true"), 1, json!({ "price": eur(1000) })).await;
    assert_eq!((same.status, &same.json["changes"]), (200, &json!([])));
    assert_eq!(shop.put(&format!("{path}?dry_run=true"), 7, wish.clone()).await.status, 412);
    assert_eq!(shop.inner.digest().await, before);
    // The price from which it was reckoned is another one by now.
    assert_eq!(shop.put(&path, 1, json!({ "price": eur(950) })).await.status, 200);
    let apply = format!("{path}?preview={}", preview.json["token"].as_str().unwrap());
    let stale = shop.put(&apply, 2, wish.clone()).await;
    assert_eq!((stale.status, &stale.json["code"]), (409, &json!("preview_stale")));
    assert_eq!(shop.put(&path, 2, json!({ "price": eur(1000) })).await.status, 200);
    assert_eq!(shop.put(&apply, 3, wish).await.status, 200);
    assert_eq!(shop.price(mug, "").await["unit_price"], eur(900));
}

#[actix_web::test]
async fn the_lowest_price_of_thirty_days_looks_back_to_the_one_in_force_then() {
    let shop = Shop::open().await;
    let mug = shop.thing(9, 1000).await;
    shop.inner
        .admin(&format!(
            "INSERT INTO {{s}}.price_history (variant_id, currency, amount_minor, since) SELECT '{}', 'EUR', a, now() - d FROM (VALUES \
             (400, interval '90 days'), (900, interval '40 days'), (1100, interval '20 days'), (1000, interval '1 day')) AS p (a, d)",
            mug.variant.uuid()
        ))
        .await;
    assert_eq!(shop.price(mug, "").await["lowest_price_30_days"]["amount_minor"], 900);
}

#[actix_web::test]
async fn a_country_belongs_to_one_market_and_one_is_the_default() {
    let shop = Shop::open().await;
    let market = shop.made("/admin/v1/markets", switzerland()).await;
    let mut second = switzerland();
    second["name"] = json!("Alps");
    let overlap = shop.staff("POST", "/admin/v1/markets", Some(second.clone())).await;
    assert_eq!(
        (overlap.status, &overlap.json["code"], &overlap.json["countries"]),
        (409, &json!("market_overlap"), &json!(["CH"]))
    );
    second["countries"] = json!(["AT"]);
    second["name"] = json!("Switzerland");
    assert_eq!(shop.staff("POST", "/admin/v1/markets", Some(second)).await.json["code"], "market_name_taken");
    let all = shop.inner.send("GET", "/store/v1/markets", None, &[]).await.json;
    let home =
        all["data"].as_array().unwrap().iter().find(|market| market["is_default"] == true).unwrap().clone();
    let path = format!("/admin/v1/markets/{}", home["id"].as_str().unwrap());
    assert_eq!(shop.staff("DELETE", &path, None).await.json["code"], "default_market");
    let mut promoted = switzerland();
    promoted["is_default"] = json!(true);
    let path = format!("/admin/v1/markets/{}", market["id"].as_str().unwrap());
    assert_eq!(shop.put(&path, 1, promoted).await.status, 200);
    assert_eq!(shop.number("SELECT count(*) AS number FROM markets WHERE is_default").await, 1);
    assert_eq!(
        shop.staff("DELETE", &format!("/admin/v1/markets/{}", home["id"].as_str().unwrap()), None)
            .await
            .status,
        204
    );
}
