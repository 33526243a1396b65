//! The gate over a real PostgreSQL: who gets in, who does not, how fast a right is lost, and what an idempotency key promises.
//! Needs SOUK_TEST_DATABASE_URL.

mod control;
mod notes;
mod shop;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use shop::{Shop, eventually};
use souk_access::{ApiKey, Audience, KeyKind, KeyMode, MAX_LIFETIME, Subject};
use souk_kernel::{AccountId, CustomerId, SessionId, StoreId};
use souk_tenancy::StoreState;
use uuid::Uuid;

fn bearer(text: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {text}"))
}

/// Headers as the app takes them.
fn refs<'h>(headers: &'h [(&'h str, String)]) -> Vec<(&'h str, &'h str)> {
    headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

impl Shop {
    async fn who(&self, token: &str) -> String {
        self.get("/who", &refs(&[bearer(token)])).await.short()
    }

    async fn edit(&self, token: &str, key: &str, body: &str) -> shop::Answer {
        self.post("/edit", body, &refs(&[bearer(token), ("idempotency-key", key.to_owned())])).await
    }

    /// Asks until the answer is `expected`, and says how long that took.
    async fn until(&self, token: &str, expected: &str) -> Duration {
        let started = Instant::now();
        while self.who(token).await != expected {
            assert!(started.elapsed() < Duration::from_secs(5), "still {}", self.who(token).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        started.elapsed()
    }
}

#[actix_web::test]
async fn the_host_and_nothing_else_names_the_store() {
    let (shop, other) = (Shop::open().await, Shop::open().await);
    assert_eq!(shop.get("/shop", &[]).await.short(), "200 anonymous");
    let upper = shop.store.host.to_uppercase() + ":8081";
    assert_eq!(shop.get("/shop", &[("host", &upper)]).await.short(), "200 anonymous");
    assert_eq!(shop.get("/shop", &[("host", "nobody.localhost")]).await.short(), "404 store_unknown");
    let dotted = format!("{}.", shop.store.host);
    for bad in [dotted.as_str(), "", "a_b.localhost", "[::1]"] {
        assert_eq!(shop.get("/shop", &[("host", bad)]).await.short(), "400 bad_host", "{bad}");
    }
    eventually(|| shop.directory.by_host(&other.store.host).is_some()).await;
    // The owner of one store at another's host, with every hint that it is the first one.
    let token = shop.staff_token(shop.store.owner_account);
    let at_other = [
        ("host", other.store.host.clone()),
        bearer(&token),
        ("x-forwarded-host", shop.store.host.clone()),
        ("x-tenant-id", shop.store.id.to_string()),
    ];
    assert_eq!(shop.get("/who", &refs(&at_other)).await.short(), "401 unauthenticated");
}

#[actix_web::test]
async fn each_principal_is_known_for_what_it_is() {
    let shop = Shop::open().await;
    let owner = shop.staff_token(shop.store.owner_account);
    assert_eq!(shop.who(&owner).await, "200 staff owner Any");
    assert_eq!(shop.who(shop.secret.expose()).await, "200 key product:view Any");
    assert_eq!(shop.edit(shop.secret.expose(), "k", "x").await.short(), "403 forbidden");
    assert_eq!(shop.get("/who", &[]).await.short(), "401 unauthenticated");
    assert_eq!(shop.who(shop.public.expose()).await, "403 forbidden");
    assert_eq!(shop.get("/shop", &refs(&[bearer(shop.public.expose())])).await.short(), "200 key");
    assert_eq!(
        shop.get("/shop", &[("x-souk-publishable-key", shop.public.expose())]).await.short(),
        "200 key"
    );
    let customer = shop.customer().await;
    let token = shop.customer_token(customer, 1);
    assert_eq!(shop.who(&token).await, "403 forbidden");
    let both = [bearer(&token), ("x-souk-publishable-key", shop.public.expose().to_owned())];
    assert_eq!(shop.get("/shop", &refs(&both)).await.short(), "200 customer");
    let forged = ApiKey::mint(KeyKind::Publishable, KeyMode::Test).unwrap();
    let with_forged = [bearer(&token), ("x-souk-publishable-key", forged.expose().to_owned())];
    assert_eq!(shop.get("/shop", &refs(&with_forged)).await.short(), "401 unauthenticated");
    let in_url = format!("/shop?key={}", shop.public.expose());
    assert_eq!(shop.get(&in_url, &[]).await.short(), "400 credentials_in_url");
}

#[actix_web::test]
async fn what_whoever_works_here_does_by_right_is_written_down_once() {
    let shop = Shop::open().await;
    let owner = shop.staff_token(shop.store.owner_account);
    let why = ("x-souk-reason", "season".to_owned());
    let asks = [bearer(&owner), ("idempotency-key", "one".to_owned()), why];
    assert_eq!(shop.post("/edit", "x", &refs(&asks)).await.status, 201);
    let told = shop.notes.take();
    assert_eq!(told, ["staff test.once product:edit because Some(\"season\"); before /edit"]);
    // Said again, and refused: nothing is done.
    assert!(shop.post("/edit", "x", &refs(&asks)).await.replayed);
    assert_eq!(shop.edit(&owner, "two", "fail").await.short(), "409 conflict");
    assert_eq!(shop.notes.take(), Vec::<String>::new());
    // What shoppers may do is nobody's privilege, whoever does it.
    for token in [&owner, shop.public.expose()] {
        let asks = [bearer(token), ("idempotency-key", "a-key-that-is-long-enough".to_owned())];
        let answer = shop.post("/cart/1", "x", &refs(&asks)).await.status.as_u16();
        assert!([201, 403].contains(&answer), "{answer}");
    }
    assert_eq!(shop.notes.take(), Vec::<String>::new());
    // A reason is one line of text.
    let asks = [bearer(&owner), ("x-souk-reason", "ü".to_owned())];
    assert_eq!(shop.get("/who", &refs(&asks)).await.short(), "400 bad_request");
}

#[actix_web::test]
async fn strangers_and_forgers_get_the_same_401() {
    let shop = Shop::open().await;
    let unknown_key = ApiKey::mint(KeyKind::Secret, KeyMode::Live).unwrap();
    // The runtime's key names no staff, the control plane's no customers.
    let owner = AccountId::from_uuid(shop.store.owner_account);
    let customer = shop.customer().await;
    let wrong_issuer = shop.token(&shop.runtime_key, Subject::Staff(owner, None), 0);
    let made_up = shop.token(&shop.control_key, Subject::Customer(customer), 1);
    let mut said = Vec::new();
    for token in [
        unknown_key.expose(),
        &wrong_issuer,
        &made_up,
        &shop.staff_token(Uuid::now_v7()),
        &shop.customer_token(CustomerId::new(), 1),
        &shop.customer_token(customer, 2),
        "a.b.c",
        "' OR 1=1 --",
    ] {
        let answer = shop.get("/who", &refs(&[bearer(token)])).await;
        assert_eq!(answer.short(), "401 unauthenticated", "{token}");
        said.push(answer.body);
    }
    said.dedup();
    assert_eq!(said.len(), 1, "nothing tells them apart: {said:?}");
}

#[actix_web::test]
async fn a_token_dies_on_time_even_when_it_was_believed_before() {
    let shop = Shop::open().await;
    let token = shop.staff_token(shop.store.owner_account);
    assert_eq!(shop.who(&token).await, "200 staff owner Any");
    shop.clock.advance(Duration::from_secs(15 * 60 + 59));
    assert_eq!(shop.who(&token).await, "200 staff owner Any", "inside the leeway");
    shop.clock.advance(Duration::from_secs(1));
    let answer = shop.get("/who", &refs(&[bearer(&token)])).await;
    assert_eq!(answer.short(), "401 unauthenticated");
    assert!(answer.body.contains("expired"));
}

#[actix_web::test]
async fn a_right_taken_away_is_gone_within_a_second() {
    let shop = Shop::open().await;
    let owner = shop.staff_token(shop.store.owner_account);
    let customer = shop.customer().await;
    let shopper = shop.customer_token(customer, 1);
    let second = Duration::from_millis(1300); // one second, and what the loop and a busy machine add

    assert_eq!(shop.edit(&owner, "k1", "x").await.status, 201);
    shop.admin("UPDATE {s}.staff SET role_id = (SELECT id FROM {s}.roles WHERE name = 'viewer')").await;
    assert!(shop.until(&owner, "200 staff viewer Any").await < second);
    assert_eq!(shop.edit(&owner, "k2", "x").await.short(), "403 forbidden");

    shop.admin(
        "DELETE FROM {s}.role_permissions USING {s}.roles r WHERE role_id = r.id AND r.name = 'viewer'",
    )
    .await;
    assert!(shop.until(&owner, "403 forbidden").await < second);
    shop.admin("UPDATE {s}.staff SET state = 'removed'").await;
    assert!(shop.until(&owner, "401 unauthenticated").await < second);

    assert_eq!(shop.who(shop.secret.expose()).await, "200 key product:view Any");
    shop.admin("UPDATE {s}.api_keys SET revoked_at = now() WHERE kind = 'secret'").await;
    assert!(shop.until(shop.secret.expose(), "401 unauthenticated").await < second);

    assert_eq!(shop.who(&shopper).await, "403 forbidden");
    shop.admin("UPDATE {s}.customers SET epoch = epoch + 1").await;
    assert!(shop.until(&shopper, "401 unauthenticated").await < second);
    assert_eq!(shop.who(&shop.customer_token(customer, 2)).await, "403 forbidden");
    shop.admin("UPDATE {s}.customers SET state = 'disabled'").await;
    assert!(shop.until(&shop.customer_token(customer, 2), "401 unauthenticated").await < second);
}

#[actix_web::test]
async fn a_session_that_ended_elsewhere_takes_its_tokens_along() {
    let shop = Shop::open().await;
    let (account, session) = (AccountId::from_uuid(shop.store.owner_account), SessionId::new());
    let token = |session: Option<SessionId>| {
        let (audience, now) = (Audience::Store(shop.store.id), shop.clock.now());
        let subject = Subject::Staff(account, Some(now));
        shop.control_key.issue(audience, subject, 0, session, now, MAX_LIFETIME).unwrap().text
    };
    let (ended, another, none) = (token(Some(session)), token(Some(SessionId::new())), token(None));
    for token in [&ended, &another, &none] {
        assert_eq!(shop.who(token).await, "200 staff owner Any");
    }
    shop.admin(&format!("INSERT INTO platform.ended_sessions VALUES ('{}', now())", session.uuid())).await;
    assert!(shop.until(&ended, "401 unauthenticated").await < Duration::from_millis(1300));
    // Those of another session are as good as before, and so is the account.
    for token in [&another, &none] {
        assert_eq!(shop.who(token).await, "200 staff owner Any");
    }
}

#[actix_web::test]
async fn a_principal_just_seen_costs_no_statement() {
    let shop = Shop::open().await;
    for _ in 0..10 {
        let seen = Instant::now();
        assert_eq!(shop.who(shop.secret.expose()).await, "200 key product:view Any");
        // Whoever asks the table now fails.
        shop.admin("ALTER TABLE {s}.api_keys RENAME TO api_keys_away").await;
        let again = shop.who(shop.secret.expose()).await;
        let in_time = seen.elapsed() < Duration::from_millis(800);
        shop.admin("ALTER TABLE {s}.api_keys_away RENAME TO api_keys").await;
        if in_time {
            assert_eq!(again, "200 key product:view Any");
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("the machine is too slow to ask twice in a second");
}

#[actix_web::test]
async fn a_suspended_store_sells_nothing_and_still_shows_its_books() {
    let shop = Shop::open().await;
    let owner = shop.staff_token(shop.store.owner_account);
    shop.admin(&format!(
        "UPDATE platform.store_ledger SET state = 'suspended' WHERE store_id = '{}'",
        shop.store.id.uuid()
    ))
    .await;
    eventually(|| {
        shop.directory.by_id(shop.store.id).is_some_and(|entry| entry.state == StoreState::Suspended)
    })
    .await;
    assert_eq!(shop.get("/shop", &[]).await.short(), "503 store_suspended");
    assert_eq!(
        shop.get("/shop", &refs(&[bearer(shop.public.expose())])).await.short(),
        "503 store_suspended"
    );
    assert_eq!(shop.who(&owner).await, "200 staff owner Any");
    assert_eq!(shop.who(shop.secret.expose()).await, "200 key product:view Any");
    assert_eq!(shop.edit(&owner, "k", "x").await.short(), "503 store_suspended");
    assert_eq!(shop.get("/who", &[]).await.short(), "401 unauthenticated");
}

#[actix_web::test]
async fn a_worker_needs_a_store_that_is_there() {
    let shop = Shop::open().await;
    let worker = shop.gate.worker(shop.store.id, "sweeper", "a test").unwrap();
    assert_eq!(worker.actor().to_string(), "service:sweeper");
    let pruned = worker
        .write("test.prune", async |tx| Ok::<_, souk_access::Refusal>(souk_access::prune(tx, 10).await?));
    assert_eq!(pruned.await.unwrap(), 0);
    assert!(shop.gate.worker(StoreId::new(), "sweeper", "a test").is_err());
}

#[actix_web::test]
async fn the_same_key_gives_the_same_bytes() {
    let shop = Shop::open().await;
    let owner = shop.staff_token(shop.store.owner_account);
    let first = shop.edit(&owner, "one", "body").await;
    assert_eq!((first.status.as_u16(), first.replayed), (201, false));
    let again = shop.edit(&owner, "one", "body").await;
    assert_eq!((again.status, &again.body, again.replayed), (first.status, &first.body, true));
    assert_eq!(shop.edit(&owner, "one", "other").await.short(), "422 idempotency_key_reused");
    assert_ne!(shop.edit(&owner, "two", "body").await.body, first.body);

    // Failed work leaves nothing behind: neither the number nor the key.
    assert_eq!(shop.edit(&owner, "three", "fail").await.short(), "409 conflict");
    let next = shop.edit(&owner, "three", "body").await;
    assert_eq!((next.status.as_u16(), next.replayed), (201, false));
    assert_eq!(next.body.parse::<i64>().unwrap(), first.body.parse::<i64>().unwrap() + 2);

    // Two days later the key is free for anything.
    shop.clock.advance(Duration::from_secs(48 * 3600));
    let owner = shop.staff_token(shop.store.owner_account);
    let reused = shop.edit(&owner, "one", "other").await;
    assert_eq!((reused.status.as_u16(), reused.replayed), (201, false));
}

#[actix_web::test]
async fn guests_do_not_share_keys() {
    let shop = Shop::open().await;
    let guest = |secret: &str, key: &str| {
        vec![("x-cart-secret", secret.to_owned()), ("idempotency-key", key.to_owned())]
    };
    let key = "0123456789abcdef";
    let mine = shop.post("/cart/1", "x", &refs(&guest("mine", key))).await;
    let theirs = shop.post("/cart/1", "x", &refs(&guest("theirs", key))).await;
    assert_eq!((mine.status.as_u16(), theirs.status.as_u16()), (201, 201));
    assert_ne!(mine.body, theirs.body);
    assert!(shop.post("/cart/1", "x", &refs(&guest("mine", key))).await.replayed);
    let elsewhere = shop.post("/cart/2", "x", &refs(&guest("mine", key))).await;
    assert!(!elsewhere.replayed);
    let short = shop.post("/cart/1", "x", &refs(&guest("mine", "short"))).await;
    assert_eq!(short.short(), "400 idempotency_key_invalid");
}

#[actix_web::test]
async fn many_at_once_do_the_work_once() {
    let shop = Shop::open().await;
    let owner = shop.staff_token(shop.store.owner_account);
    let headers = [bearer(&owner), ("idempotency-key", "same".to_owned())];
    let headers = refs(&headers);
    let answers = join_all((0..6).map(|_| shop.post("/slow", "100", &headers))).await;
    let made = answers.iter().filter(|answer| answer.status == 201 && !answer.replayed).count();
    assert_eq!(made, 1);
    for answer in &answers {
        assert!(["201", "409"].contains(&answer.status.as_str()), "{}", answer.short());
        assert!(
            answer.status != 201 || answer.body == answers.iter().find(|one| one.status == 201).unwrap().body
        );
    }
    // Longer than lock_timeout: told to come back, with nothing done twice.
    let headers = [bearer(&owner), ("idempotency-key", "longer".to_owned())];
    let headers = refs(&headers);
    let answers = join_all((0..2).map(|_| shop.post("/slow", "1500", &headers))).await;
    let mut said: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    said.sort_unstable();
    assert_eq!(said, [201, 409]);
    assert!(answers.iter().any(|answer| answer.short() == "409 idempotency_running"));
}

#[actix_web::test]
async fn a_claim_outlives_its_transaction_until_its_lease_ends() {
    let shop = Shop::open().await;
    let call = async |key: &str, does: &str| {
        let owner = shop.staff_token(shop.store.owner_account);
        let headers = [bearer(&owner), ("idempotency-key", key.to_owned()), ("x-does", does.to_owned())];
        shop.post("/lease", "", &refs(&headers)).await
    };
    assert_eq!(call("a", "stop").await.short(), "202 false");
    assert_eq!(call("a", "go").await.short(), "409 idempotency_running");
    shop.clock.advance(Duration::from_secs(61));
    let resumed = call("a", "go").await;
    assert!(resumed.body.ends_with("resumed=true\""), "{}", resumed.body);
    let again = call("a", "go").await;
    assert_eq!((&again.body, again.replayed), (&resumed.body, true));

    // Whoever comes back after the lease, and finds that nobody took over, may still finish.
    assert_eq!(call("b", "late").await.status, 201);
    assert_eq!(call("c", "release").await.short(), "200 released");
    assert!(call("c", "go").await.body.ends_with("resumed=false\""));
}
