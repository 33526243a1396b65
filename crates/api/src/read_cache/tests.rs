use std::cell::Cell;

use actix_web::test::TestRequest;

use super::*;

const SHOP: u128 = 1;
const OTHER: u128 = 2;

fn at(owner: u128, version: u64) -> Option<Edition> {
    Some(Edition { owner, version, readers: 0 })
}

/// Asks; gives status, body, and whether it had to be made.
async fn ask(cache: &ReadCache, edition: Option<Edition>, path: &str, body: &str) -> (u16, String, bool) {
    let req = TestRequest::get().uri(path).to_http_request();
    let made = Cell::new(false);
    let make = async {
        made.set(true);
        Ok(HttpResponse::Ok().content_type("application/json").body(body.to_owned()))
    };
    let answer = cache.serve(&req, edition, make).await.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(answer.headers().get("cache-control").unwrap(), "no-cache");
    let bytes = to_bytes(answer.into_body()).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap(), made.get())
}

#[tokio::test]
async fn a_version_is_made_once_and_an_older_one_never_comes_back() {
    let cache = ReadCache::new(100_000);
    assert_eq!(ask(&cache, at(SHOP, 1), "/p?a=1", "one").await, (200, "one".to_owned(), true));
    assert_eq!(ask(&cache, at(SHOP, 1), "/p?a=1", "-").await, (200, "one".to_owned(), false));
    assert_eq!(
        ask(&cache, at(SHOP, 1), "/p?a=2", "two").await,
        (200, "two".to_owned(), true),
        "another question"
    );
    assert_eq!(ask(&cache, at(OTHER, 1), "/p?a=1", "theirs").await, (200, "theirs".to_owned(), true));
    assert_eq!(ask(&cache, at(SHOP, 2), "/p?a=1", "new").await, (200, "new".to_owned(), true));
    // Somebody slow, who read before the change, must not put the old page in front of the new one.
    assert_eq!(ask(&cache, at(SHOP, 1), "/p?a=1", "slow").await, (200, "slow".to_owned(), true));
    assert_eq!(ask(&cache, at(SHOP, 2), "/p?a=1", "-").await, (200, "new".to_owned(), false));
    assert_eq!(ask(&cache, at(OTHER, 1), "/p?a=1", "-").await, (200, "theirs".to_owned(), false));
}

#[tokio::test]
async fn without_an_edition_or_bytes_nothing_is_kept() {
    let cache = ReadCache::new(100_000);
    assert!(ask(&cache, None, "/p", "a").await.2);
    assert!(ask(&cache, None, "/p", "a").await.2);
    assert_eq!(cache.bytes(), 0);
    let none = ReadCache::new(0);
    assert!(ask(&none, at(SHOP, 1), "/p", "a").await.2);
    assert!(ask(&none, at(SHOP, 1), "/p", "a").await.2);
    assert_eq!(none.bytes(), 0);
}

#[tokio::test]
async fn who_has_it_already_gets_304_and_a_refusal_is_not_kept() {
    let cache = ReadCache::new(100_000);
    let ask = async |tag: &str| {
        let req = TestRequest::get().uri("/p").insert_header(("if-none-match", tag)).to_http_request();
        let make = async { Ok(HttpResponse::Ok().body("same")) };
        cache.serve(&req, at(SHOP, 1), make).await.unwrap()
    };
    let first = ask("\"other\"").await;
    assert_eq!(first.status(), 200);
    let tag = first.headers().get("etag").unwrap().to_str().unwrap().to_owned();
    assert_eq!(ask(&tag).await.status(), 304);
    let req = TestRequest::get().uri("/gone").to_http_request();
    let refused = async { Err(Problem::new(&crate::problem::NOT_FOUND)) };
    assert!(cache.serve(&req, at(SHOP, 1), refused).await.is_err());
    let found = async { Ok(HttpResponse::Ok().body("found")) };
    assert_eq!(cache.serve(&req, at(SHOP, 1), found).await.unwrap().status(), 200);
}

#[tokio::test]
async fn it_stays_within_its_bytes_and_the_greedy_pay() {
    let page = "x".repeat(1000);
    let cache = ReadCache::new(20_000);
    for number in 0..4 {
        ask(&cache, at(OTHER, 1), &format!("/modest/{number}"), &page).await;
    }
    for number in 0..500 {
        ask(&cache, at(SHOP, 1), &format!("/greedy/{number}"), &page).await;
        assert!(cache.bytes() <= 20_000, "{}", cache.bytes());
    }
    for number in 0..4 {
        assert!(!ask(&cache, at(OTHER, 1), &format!("/modest/{number}"), "-").await.2, "still there");
    }
    assert!(ask(&cache, at(SHOP, 1), "/greedy/0", &page).await.2, "given up");
    assert!(!ask(&cache, at(SHOP, 1), "/greedy/499", "-").await.2, "used last");
    let huge = "x".repeat(6000);
    ask(&cache, at(SHOP, 1), "/huge", &huge).await;
    assert!(ask(&cache, at(SHOP, 1), "/huge", &huge).await.2, "too large to keep");
}

#[tokio::test]
async fn a_new_version_frees_the_bytes_of_the_old() {
    let cache = ReadCache::new(100_000);
    for number in 0..10 {
        ask(&cache, at(SHOP, 1), &format!("/p/{number}"), &"x".repeat(1000)).await;
    }
    let before = cache.bytes();
    ask(&cache, at(SHOP, 2), "/p/0", &"x".repeat(1000)).await;
    assert_eq!(cache.bytes(), before / 10);
}

#[tokio::test]
async fn who_ask_the_same_at_once_wait_for_one_and_go_on_when_it_fails() {
    let cache = ReadCache::new(100_000);
    let made = Cell::new(0);
    let ask = async |fails: bool| {
        let req = TestRequest::get().uri("/p").to_http_request();
        let make = async {
            made.set(made.get() + 1);
            tokio::task::yield_now().await;
            if fails {
                return Err(Problem::new(&crate::problem::NOT_FOUND));
            }
            Ok(HttpResponse::Ok().body("made"))
        };
        cache.serve(&req, at(SHOP, 1), make).await.map(|answer| answer.status().as_u16())
    };
    let (first, second, third) = futures_util::join!(ask(true), ask(false), ask(false));
    assert!(first.is_err());
    assert_eq!((second.unwrap(), third.unwrap(), made.get()), (200, 200, 3), "who waited in vain makes it");
    assert_eq!((ask(true).await.unwrap(), made.get()), (200, 3), "kept");

    let cache = ReadCache::new(100_000);
    made.set(0);
    let slow = async |version| {
        let req = TestRequest::get().uri("/p").to_http_request();
        let make = async {
            made.set(made.get() + 1);
            tokio::task::yield_now().await;
            Ok(HttpResponse::Ok().body("made"))
        };
        cache.serve(&req, at(SHOP, version), make).await.unwrap()
    };
    {
        let mut gone = Box::pin(slow(1));
        assert!(futures_util::poll!(&mut gone).is_pending());
        let mut waiting = Box::pin(slow(1));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert_eq!(made.get(), 1);
        drop(gone);
        assert_eq!(waiting.await.status(), 200);
    }
    assert_eq!(made.get(), 2, "whose client went away leaves it to the next");
    made.set(0);
    futures_util::join!(slow(2), slow(2), slow(2), slow(3));
    assert_eq!(made.get(), 2, "once for each version");
    assert!(cache.flights.lock().unwrap().is_empty());
}
