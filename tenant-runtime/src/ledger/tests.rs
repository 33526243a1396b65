//! The books over HTTP.

use serde_json::{Value, json};

use crate::testing::shop::{Shop, key, pay_with};
use crate::testing::{Answer, TestShop};

#[actix_web::test]
async fn the_trial_balance_is_the_sum_of_the_entries() {
    let shop = Shop::open().await;
    for pieces in 1..4 {
        let basket = shop.basket(shop.thing(9, 1000).await, pieces).await;
        shop.checkout(&basket, &key(), &pay_with(i64::from(pieces) * 1000 + 490, "tok_ok")).await.expect(201);
    }
    let books = shop.owner_call("GET", "/admin/v1/ledger/trial-balance").send().await.expect(200);
    assert_eq!(books.cost, (1, 1));
    assert_eq!(
        books.json["totals"],
        json!([{
            "currency": "EUR", "balance": { "amount_minor": 0, "currency": "EUR" },
            "debit": { "amount_minor": 2 * 7470, "currency": "EUR" }, "credit": { "amount_minor": 2 * 7470, "currency": "EUR" },
        }])
    );
    // Recomputed from the journal, page by page.
    let (mut sums, mut path) =
        (std::collections::BTreeMap::<String, i64>::new(), "/admin/v1/ledger/entries?limit=2".to_owned());
    let mut entries = 0;
    loop {
        let page = shop.owner_call("GET", &path).send().await.expect(200);
        for entry in page.data() {
            let postings = entry["postings"].as_array().unwrap();
            let amount = |posting: &Value| posting["amount"]["amount_minor"].as_i64().unwrap();
            assert_eq!(postings.iter().map(amount).sum::<i64>(), 0, "{entry}");
            for posting in postings {
                *sums.entry(posting["account"].as_str().unwrap().to_owned()).or_default() += amount(posting);
            }
            entries += 1;
        }
        match page.header("link").strip_prefix('<').and_then(|link| link.split_once('>')) {
            Some((next, _)) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(entries, 6);
    for account in books.json["accounts"].as_array().unwrap() {
        let balance = account["balance"]["amount_minor"].as_i64().unwrap();
        assert_eq!(sums.remove(account["code"].as_str().unwrap()), Some(balance), "{account}");
    }
    assert!(sums.is_empty());
}

#[actix_web::test]
async fn entries_are_found_by_order_kind_and_time() {
    let shop = Shop::open().await;
    let mut orders = Vec::new();
    for _ in 0..2 {
        let basket = shop.basket(shop.thing(9, 1000).await, 1).await;
        orders.push(
            shop.checkout(&basket, &key(), &pay_with(1490, "tok_ok")).await.expect(201).text("/order/id"),
        );
        shop.clock.advance(std::time::Duration::from_secs(3600));
    }
    let find = async |query: String| {
        let found: Answer =
            shop.owner_call("GET", &format!("/admin/v1/ledger/entries?{query}")).send().await.expect(200);
        found.data().clone()
    };
    let of_one = find(format!("order={}", orders[0])).await;
    assert_eq!(of_one.iter().map(|entry| entry["kind"].as_str().unwrap()).collect::<Vec<_>>().len(), 2);
    assert!(of_one.iter().all(|entry| entry["order"] == json!(orders[0])));
    assert_eq!(
        of_one.iter().find(|entry| entry["kind"] == "sale").unwrap()["fact"],
        format!("sale:{}", orders[0])
    );
    assert_eq!(find("kind=capture".to_owned()).await.len(), 2);
    let later = (shop.clock.now() - chrono::TimeDelta::minutes(90)).format("%Y-%m-%dT%H:%M:%SZ");
    assert_eq!(find(format!("since={later}")).await.len(), 2);
    assert_eq!(find(format!("until={later}")).await.len(), 2);
    let path = format!("/admin/v1/ledger/trial-balance?until={later}");
    let half = shop.owner_call("GET", &path).send().await.expect(200);
    assert_eq!(half.json["totals"][0]["debit"]["amount_minor"], 2 * 1490);
}

#[actix_web::test]
async fn the_books_are_read_by_who_may() {
    let shop = TestShop::open(None).await;
    let empty = shop.owner_call("GET", "/admin/v1/ledger/trial-balance").send().await.expect(200);
    assert_eq!(empty.json, json!({ "accounts": [], "totals": [] }));
    for path in ["/admin/v1/ledger/trial-balance", "/admin/v1/ledger/entries"] {
        shop.call("GET", path).send().await.refused(401, "unauthenticated");
        shop.owner_call("GET", &format!("{path}?since=yesterday"))
            .send()
            .await
            .refused(422, "validation_failed");
        shop.owner_call("GET", &format!("{path}?year=2026")).send().await.refused(422, "unknown_field");
        shop.owner_call("POST", path).json(&json!({})).send().await.refused(405, "method_not_allowed");
    }
    shop.owner_call("GET", "/admin/v1/ledger/entries?order=1001")
        .send()
        .await
        .refused(422, "validation_failed");
}

/// The database's own check, whoever writes: the books are not only what our code adds up.
#[actix_web::test]
async fn an_entry_that_does_not_add_up_is_refused_by_the_database() {
    let shop = TestShop::open(None).await;
    let posted = |amounts: &[(i64, &str)]| {
        let postings = amounts.iter().map(|(amount, currency)| {
            format!(
                "INSERT INTO {{s}}.postings SELECT gen_random_uuid(), e.id, a.id, {amount}, '{currency}'
                FROM {{s}}.journal_entries e, {{s}}.ledger_accounts a WHERE e.fact = 'a:test' AND a.code = 'test';"
            )
        });
        format!(
            "INSERT INTO {{s}}.ledger_accounts VALUES (gen_random_uuid(), 'test', 'Of a test', 'asset');
            INSERT INTO {{s}}.journal_entries VALUES (gen_random_uuid(), 'a:test', 'sale', 'Of a test', NULL, now());
            {}",
            postings.collect::<String>()
        )
    };
    // Off by a cent, and balanced only across currencies. Whatever else happens, also that it is taken, is an error of the block.
    for (wrong, off) in [([(100, "EUR"), (-99, "EUR")], "1 EUR"), ([(100, "EUR"), (-100, "USD")], "100 EUR")]
    {
        shop.admin(&format!(
            "DO $$ BEGIN
                {} SET CONSTRAINTS ALL IMMEDIATE; RAISE EXCEPTION 'it was taken';
            EXCEPTION WHEN check_violation THEN
                IF SQLERRM NOT LIKE '% is off by {off}' THEN RAISE; END IF;
            END $$",
            posted(&wrong)
        ))
        .await;
    }
    let total = async || shop.owner_call("GET", "/admin/v1/ledger/trial-balance").send().await.expect(200);
    assert_eq!(total().await.json["totals"], json!([]));
    shop.admin(&format!("BEGIN; {} COMMIT", posted(&[(100, "EUR"), (-60, "EUR"), (-40, "EUR")]))).await;
    assert_eq!(total().await.json["totals"][0]["debit"]["amount_minor"], 100);
}
