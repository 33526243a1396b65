//! Imports as things: made once, listed, stopped, and nobody else's.

use serde_json::json;

use super::super::Worked;
use super::{IMPORTS, SHOPIFY, counts, imported, send, shown, step, work, worker};
use crate::testing::TestShop;

#[actix_web::test]
async fn a_key_imports_a_file_once() {
    let shop = TestShop::open(None).await;
    let ask = |query: &str, file: &str| {
        let call = shop.owner_call("POST", &format!("{IMPORTS}?{query}")).header("idempotency-key", "monday");
        call.bytes(file.as_bytes().to_vec()).send()
    };
    let first = ask("format=csv", SHOPIFY).await.expect(202);
    let again = ask("format=csv", SHOPIFY).await.expect(202);
    assert_eq!((again.header("idempotent-replayed"), &again.bytes), ("true", &first.bytes));
    // Another file, or something else to be done with it.
    ask("format=csv", "Handle,Title\na,A\n").await.refused(422, "idempotency_key_reused");
    ask("format=csv&dry_run=true", SHOPIFY).await.refused(422, "idempotency_key_reused");
    let kept = "SELECT (SELECT count(*) FROM imports) * 10 + (SELECT count(*) FROM import_pieces) AS number";
    assert_eq!(shop.number(kept).await, 11);
    work(&shop).await;
    assert_eq!(counts(&shown(&shop, &first.text("/id")).await), "8/0/0/0");
}

#[actix_web::test]
async fn imports_are_listed_newest_first() {
    let shop = TestShop::open(None).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(imported(&shop, "format=csv", SHOPIFY).await["id"].clone());
    }
    let page = shop.owner_call("GET", &format!("{IMPORTS}?limit=2")).send().await.expect(200);
    assert_eq!(page.data().iter().map(|import| &import["id"]).collect::<Vec<_>>(), [&ids[2], &ids[1]]);
    let next = page.text("/page/next");
    let rest = shop.owner_call("GET", &format!("{IMPORTS}?limit=2&after={next}")).send().await.expect(200);
    assert_eq!(rest.data().iter().map(|import| &import["id"]).collect::<Vec<_>>(), [&ids[0]]);
    assert_eq!(rest.json["page"]["has_more"], false);
}

#[actix_web::test]
async fn a_stopped_import_goes_no_further() {
    let shop = TestShop::open(None).await;
    let rows: String = (0..60).map(|number| format!("p{number},P,1\n")).collect();
    let sent = send(&shop, "format=csv", &format!("Handle,Title,Variant Price\n{rows}")).await.expect(202);
    let (worker, mut reading, id) = (worker(&shop), None, sent.text("/id"));
    assert_eq!(step(&worker, &mut reading).await.unwrap(), Worked::More);
    let running = shown(&shop, &id).await;
    assert_eq!((running["state"].as_str(), &running["rows"]["done"]), (Some("running"), &json!(25)));
    let cancel = format!("{IMPORTS}/{id}/cancel");
    let stopped = shop.owner_call("POST", &cancel).send().await.expect(200);
    assert_eq!(
        (stopped.json["state"].as_str(), counts(&stopped.json)),
        (Some("cancelled"), "25/0/0/0".to_owned())
    );
    assert_eq!(step(&worker, &mut reading).await.unwrap(), Worked::Nothing);
    let again = shop.owner_call("POST", &cancel).send().await.expect(200);
    assert_eq!(again.json, stopped.json);
    let left =
        "SELECT (SELECT count(*) FROM products) * 100 + (SELECT count(*) FROM import_pieces) AS number";
    assert_eq!(shop.number(left).await, 2500);
    assert!(!shop.told().await.contains(&"import.finished".to_owned()));

    let done = imported(&shop, "format=csv", SHOPIFY).await;
    let cancel = format!("{IMPORTS}/{}/cancel", done["id"].as_str().unwrap());
    let before = shop.digest().await;
    shop.owner_call("POST", &cancel).send().await.refused(409, "import_over");
    assert_eq!(shop.digest().await, before);
}

#[actix_web::test]
async fn five_may_wait() {
    let shop = TestShop::open(None).await;
    for _ in 0..5 {
        send(&shop, "format=csv", SHOPIFY).await.expect(202);
    }
    let before = shop.digest().await;
    send(&shop, "format=csv", SHOPIFY).await.refused(409, "imports_waiting");
    assert_eq!(shop.digest().await, before);
    work(&shop).await;
    send(&shop, "format=csv", SHOPIFY).await.expect(202);
}

#[actix_web::test]
async fn another_stores_import_is_not_there() {
    let (shop, other) = (TestShop::open(None).await, TestShop::open(None).await);
    let theirs = send(&other, "format=csv", SHOPIFY).await.expect(202).text("/id");
    for (method, path) in [
        ("GET", format!("{IMPORTS}/{theirs}")),
        ("GET", format!("{IMPORTS}/{theirs}/errors")),
        ("POST", format!("{IMPORTS}/{theirs}/cancel")),
    ] {
        shop.owner_call(method, &path).send().await.refused(404, "not_found");
    }
    assert_eq!(shown(&other, &theirs).await["state"], "queued");
    shop.call("POST", &format!("{IMPORTS}?format=csv")).bytes(b"x".to_vec()).send().await.expect(401);
}

#[actix_web::test]
async fn what_did_not_arrive_and_what_is_long_over_is_forgotten() {
    let shop = TestShop::open(None).await;
    imported(&shop, "format=csv", SHOPIFY).await;
    shop.admin("UPDATE {s}.imports SET finished_at = finished_at - interval '31 days'").await;
    shop.admin(
        "INSERT INTO {s}.imports (id, format, match_by, dry_run, may_adjust, actor, state, slot, created_at, touched_at)
         SELECT gen_random_uuid(), 'csv', 'handle', false, false, 'test', 'uploading', n, now(), now() - n * interval '8 minutes'
         FROM generate_series(1, 2) n",
    )
    .await;
    assert!(shop.owner_call("GET", IMPORTS).send().await.expect(200).data().len() == 1);
    let forget = async |tx: &mut souk_tenancy::WriteTx<'_>| {
        crate::imports::forget(tx, 100).await.map_err(souk_tenancy::TenancyError::from)
    };
    worker(&shop).write("test.forget", forget).await.unwrap();
    assert_eq!(shop.words("SELECT state || slot AS word FROM imports").await, "uploading1");
}
