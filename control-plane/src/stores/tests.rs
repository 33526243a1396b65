//! Opening stores, names, quotas and lives: over HTTP.

mod plans;

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use souk_access::{Audience, TokenKind, Verifier};
use souk_kernel::{Clock, RequestId, StoreId};

use crate::testing::{Doors, House, Person, a_second, claim, clock, house, house_alone, pass, path_of};

fn engines() -> Value {
    json!({ "name": "Analytical Engines", "country": "GB" })
}

/// A name nobody else in the shared database has.
fn unique(word: &str) -> String {
    let id = RequestId::new().suffix();
    format!("{word}-{}", &id[10..]).replace(['0', '1'], "x")
}

#[actix_web::test]
async fn a_name_and_a_country_make_a_store_that_is_open() {
    let house = house().await;
    let ada = house.newcomer().await;
    let (store, operation) = house.open_store(&ada, &engines()).await;
    let expected = json!({
        "name": "Analytical Engines", "country": "GB", "currency": "GBP", "locale": "en-GB", "time_zone": "Europe/London",
        "plan": "free", "state": "live", "allowed_actions": ["rename", "suspend", "delete", "enter"],
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&store[name], value, "{name}");
    }
    let handle = store["handle"].as_str().unwrap();
    assert!(handle.starts_with("analytical-engines"), "{handle}");
    assert_eq!(store["url"], format!("http://{handle}.localhost:8081"));
    assert_eq!(operation["store_url"], store["url"]);
    let steps: Vec<_> = operation["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["name"].as_str().unwrap(), it["state"].as_str().unwrap()))
        .collect();
    assert_eq!(
        steps,
        [("reserve_name", "done"), ("make_keys", "done"), ("provision", "done"), ("open", "done")]
    );
    assert!(operation["steps"].as_array().unwrap().iter().all(|it| it["finished_at"].is_string()));

    let id: StoreId = store["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(schemas_of(&house, operation["id"].as_str().unwrap()).await, [id]);
    assert_eq!(house.mailed(&ada.email).await.iter().filter(|body| body.contains("is open")).count(), 1);
    house.get(&path_of(&operation)).by(&ada).header("if-none-match", "\"2\"").send().await.expect(304);
    let list = house.get("/v1/stores").by(&ada).send().await.expect(200).json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
}

/// Ids of the stores that exist for a request: with a ledger row, a schema and a role each.
async fn schemas_of<S: Doors>(house: &House<S>, operation: &str) -> Vec<StoreId> {
    let admin = house.database.login("provisioner", &house.database.secrets.provisioner).await.unwrap();
    let query = "SELECT l.store_id FROM platform.store_ledger l
         JOIN pg_namespace n ON n.nspname = l.schema_name JOIN pg_roles r ON r.rolname = l.role_name
         WHERE l.owner_kind = 'control_plane' AND l.owner_ref = $1";
    let rows = admin.query(query, &[&operation]).await.unwrap();
    rows.into_iter().map(|row| StoreId::from_uuid(row.get(0))).collect()
}

#[actix_web::test]
async fn the_owner_gets_keys_once_and_tokens_for_the_store() {
    let house = house().await;
    let ada = house.newcomer().await;
    let (store, operation) = house.open_store(&ada, &engines()).await;
    let keys_path = format!("/v1/operations/{}/keys", operation["id"].as_str().unwrap());
    let stranger = house.newcomer().await;
    house.post(&keys_path).by(&stranger).send().await.refused(404, "not_found");
    let keys = house.post(&keys_path).by(&ada).send().await.expect(200).json();
    let (public, secret) = (keys["publishable_key"].as_str().unwrap(), keys["secret_key"].as_str().unwrap());
    assert!(public.starts_with("pk_test_") && secret.starts_with("sk_test_"));
    house.post(&keys_path).by(&ada).send().await.refused(410, "keys_gone");
    // Planted as digests in the store's schema, erased here.
    let kept = "SELECT count(*) FROM control.operations WHERE result_secret IS NOT NULL AND id = $1";
    let id = operation["id"].as_str().unwrap().parse::<souk_kernel::OperationId>().unwrap();
    assert_eq!(house.count(kept, &[&id.uuid()]).await, 0);
    let store_id: StoreId = store["id"].as_str().unwrap().parse().unwrap();
    let planted = digests(&house, store_id).await;
    for key in [public, secret] {
        let digest = souk_access::ApiKey::parse(key).unwrap().digest();
        assert!(planted.iter().any(|hash| digest.matches(hash)));
    }
    assert_eq!(planted.len(), 2);

    let token =
        house.post(&format!("{}/tokens", path_of(&operation))).by(&ada).send().await.expect(201).json();
    let signing = house.plane.signing();
    let verifier =
        Verifier::new().trust(signing.issuer(), signing.public_pem(), &[TokenKind::Staff]).unwrap();
    let text = token["access_token"].as_str().unwrap();
    let claims = verifier.verify(text, Audience::Store(store_id), Clock::system().now()).unwrap();
    assert_eq!((claims.sub.as_str(), claims.kind), (ada.account.as_str(), TokenKind::Staff));
    assert!(verifier.verify(text, Audience::Control, Clock::system().now()).is_err());
    house
        .get("/v1/account")
        .header("authorization", &format!("Bearer {text}"))
        .send()
        .await
        .refused(401, "unauthenticated");
    house
        .post(&format!("{}/tokens", path_of(&operation)))
        .by(&stranger)
        .send()
        .await
        .refused(404, "not_found");
}

async fn digests<S: Doors>(house: &House<S>, store: StoreId) -> Vec<Vec<u8>> {
    let admin = house.database.login("provisioner", &house.database.secrets.provisioner).await.unwrap();
    let query = format!("SELECT hash FROM s_{}.api_keys", store.suffix());
    admin.query(&query, &[]).await.unwrap().into_iter().map(|row| row.get(0)).collect()
}

#[actix_web::test]
async fn the_same_key_gives_the_same_store() {
    let house = house().await;
    let ada = house.newcomer().await;
    let key = RequestId::new().to_string();
    let ask =
        |wish: &Value| house.post("/v1/stores").by(&ada).header("idempotency-key", &key).body(wish).send();
    let wish = engines();
    let answers = futures_util::future::join_all((0..12).map(|_| ask(&wish)).collect::<Vec<_>>()).await;
    let accepted: Vec<_> = answers.iter().filter(|answer| answer.status == 202).collect();
    // Those that met the first one at work were told to come back.
    assert!(answers.iter().all(|answer| answer.status == 202 || answer.status == 409));
    assert!(accepted.windows(2).all(|pair| pair[0].text == pair[1].text));
    assert_eq!(accepted.iter().filter(|answer| answer.header("idempotent-replayed").is_empty()).count(), 1);
    let again = ask(&wish).await.expect(202);
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &accepted[0].text));
    ask(&json!({ "name": "Other", "country": "GB" })).await.refused(422, "idempotency_key_reused");
    house.post("/v1/stores").by(&ada).body(&wish).send().await.refused(400, "idempotency_key_missing");
    house.follow(&ada, again.header("location")).await;
    let list = house.get("/v1/stores").by(&ada).send().await.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_wish_that_breaks_a_rule_is_refused_and_leaves_nothing() {
    let house = house().await;
    let ada = house.newcomer().await;
    let cases = [
        (json!({ "name": "x", "country": "XX" }), "/country"),
        (json!({ "name": "x", "country": "gb" }), "/country"),
        (json!({ "name": "", "country": "GB" }), "/name"),
        (json!({ "name": "x".repeat(121), "country": "GB" }), "/name"),
        (json!({ "name": "a\nb", "country": "GB" }), "/name"),
        (json!({ "name": "x", "country": "GB", "currency": "XXX" }), "/currency"),
        (json!({ "name": "x", "country": "GB", "locale": "english" }), "/locale"),
        (json!({ "name": "x", "country": "GB", "time_zone": "Mars/Olympus" }), "/time_zone"),
        (json!({ "name": "x", "country": "GB", "plan": "platinum" }), "/plan"),
        (json!({ "name": "x", "country": "GB", "handle": "a-b-" }), "/handle"),
        (json!({ "name": "x", "country": "GB", "handle": "ab" }), "/handle"),
        (json!({ "name": "x", "country": "GB", "handle": "admin" }), "/handle"),
        (json!({ "name": "x", "country": "GB", "handle": "xn--80ak6aa92e" }), "/handle"),
        (json!({ "name": "x", "country": "GB", "handle": "../etc" }), "/handle"),
        (json!({ "name": "x", "country": "GB", "handle": "x".repeat(41) }), "/handle"),
        (json!({ "name": "x", "country": "GB", "handle": "pg_catalog" }), "/handle"),
        (json!({ "name": "x", "country": "GB", "handle": "аpple" }), "/handle"),
    ];
    for (wish, pointer) in cases {
        let answer = house.post("/v1/stores").by(&ada).once().body(&wish).send().await;
        assert_eq!((answer.status, answer.complaint().0.as_str()), (422, pointer), "{wish}: {}", answer.text);
    }
    let wish = json!({ "name": "x", "country": "GB", "organization": "org_00000000000000000000000000" });
    house.post("/v1/stores").by(&ada).once().body(&wish).send().await.refused(422, "validation_failed");
    house
        .post("/v1/stores")
        .by(&ada)
        .once()
        .body(&json!({ "name": "x", "country": "GB", "id": 1 }))
        .send()
        .await
        .expect(422);
    house.post("/v1/stores").once().body(&engines()).send().await.refused(401, "unauthenticated");
    assert_eq!(house.get("/v1/organizations").by(&ada).send().await.json()["data"], json!([]));
}

#[actix_web::test]
async fn look_alike_names_are_one_name() {
    let house = house().await;
    let (ada, bob) = (house.newcomer().await, house.newcomer().await);
    let name = format!("{}-o1", unique("tea"));
    let wish = |handle: &str| json!({ "name": "Tea", "country": "GB", "handle": handle });
    house.open_store(&ada, &wish(&name)).await;
    for alike in [name.clone(), name.replace("-o1", "-01"), name.replace("-o1", "-ol")] {
        let answer = house.post("/v1/stores").by(&bob).once().body(&wish(&alike)).send().await;
        assert_eq!(answer.refused(409, "handle_taken").complaint().0, "/handle");
    }
    assert_eq!(house.get("/v1/organizations").by(&bob).send().await.json()["data"], json!([]));

    // Of many who want one name at once, one gets it.
    let name = unique("rush");
    let people = futures_util::future::join_all((0..5).map(|_| house.newcomer())).await;
    let wish = wish(&name);
    let tries: Vec<_> =
        people.iter().map(|person| house.post("/v1/stores").by(person).once().body(&wish).send()).collect();
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 202 || answer.code() == "handle_taken"));
}

#[actix_web::test]
async fn a_plan_has_room_for_so_many() {
    let house = house().await;
    let ada = house.newcomer().await;
    let first = house.ask_for_store(&ada, &engines()).await;
    house.follow(&ada, &first).await;
    let wish = engines();
    let tries: Vec<_> = (0..5).map(|_| house.post("/v1/stores").by(&ada).once().body(&wish).send()).collect();
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 2);
    for refused in answers.iter().filter(|answer| answer.status != 202) {
        assert_eq!(
            (refused.status, refused.code().as_str(), &refused.json()["limit"]),
            (409, "store_quota_reached", &json!(3))
        );
    }
    let more = json!({ "name": "Analytical Engines", "country": "GB", "plan": "growth" });
    house.open_store(&ada, &more).await;
}

#[actix_web::test]
async fn the_organization_must_be_clear_and_the_role_must_hold_it() {
    let house = house().await;
    let (ada, bob) = (house.newcomer().await, house.newcomer().await);
    let (store, _) = house.open_store(&ada, &engines()).await;
    let organization = store["organization"].as_str().unwrap();
    let invitation = json!({ "email": bob.email, "role": "viewer" });
    let path = format!("/v1/organizations/{organization}/invitations");
    house.post(&path).by(&ada).body(&invitation).send().await.expect(201);
    let token = house.mailed_token(&bob.email, "/accept-invitation").await;
    house.post("/v1/invitations/accept").by(&bob).body(&json!({ "token": token })).send().await.expect(200);
    let wish = json!({ "name": "x", "country": "GB", "organization": organization });
    house.post("/v1/stores").by(&bob).once().body(&wish).send().await.refused(403, "forbidden");
    let path = format!("/v1/stores/{}", store["id"].as_str().unwrap());
    house.get(&path).by(&bob).send().await.expect(200);
    house.post(&format!("{path}/tokens")).by(&bob).send().await.refused(403, "forbidden");
    house.post(&format!("{path}/suspend")).by(&bob).once().send().await.refused(403, "forbidden");
    // A viewer elsewhere who asks without saying where gets an organization of their own.
    let (own, _) = house.open_store(&bob, &engines()).await;
    assert_ne!(own["organization"], organization);
    house.post("/v1/organizations").by(&ada).body(&json!({ "name": "Second" })).send().await.expect(201);
    let answer = house
        .post("/v1/stores")
        .by(&ada)
        .once()
        .body(&engines())
        .send()
        .await
        .refused(422, "validation_failed");
    assert_eq!(answer.complaint(), ("/organization".into(), "required".into()));
}

#[actix_web::test]
async fn renaming_moves_the_host_and_keeps_the_old_name_for_a_while() {
    let clock = clock();
    let house = house_alone(clock.clone(), |_| ()).await;
    let provisioner = house.database.provisioner().await;
    let (ada, bob) = (house.newcomer().await, house.newcomer().await);
    let wish = json!({ "name": "Tea", "country": "GB", "handle": "tea-house" });
    let operation = house.ask_for_store(&ada, &wish).await;
    house.work(&provisioner).await;
    let path = path_of(&house.follow(&ada, &operation).await);
    let etag = house.get(&path).by(&ada).send().await.header("etag").to_owned();
    let rename = json!({ "name": "Coffee", "handle": "coffee-house" });
    house
        .patch(&path)
        .by(&ada)
        .header("if-match", "\"77\"")
        .body(&rename)
        .send()
        .await
        .refused(412, "precondition_failed");
    let answer =
        house.patch(&path).by(&ada).header("if-match", &etag).body(&rename).send().await.expect(200).json();
    assert_eq!(
        (answer["name"].as_str(), answer["url"].as_str()),
        (Some("Coffee"), Some("http://coffee-house.localhost:8081"))
    );
    // Until the ledger follows, nothing else is begun.
    house.post(&format!("{path}/suspend")).by(&ada).once().send().await.refused(409, "operation_running");
    house.work(&provisioner).await;
    let id: StoreId = path.trim_start_matches("/v1/stores/").parse().unwrap();
    let ledger = provisioner.store(id).await.unwrap().unwrap();
    assert_eq!(
        (ledger.handle.as_str(), ledger.hosts.as_slice()),
        ("coffee-house", ["coffee-house.localhost".to_owned()].as_slice())
    );

    house.post("/v1/stores").by(&bob).once().body(&wish).send().await.refused(409, "handle_taken");
    let back = house.patch(&path).by(&ada).body(&json!({ "handle": "tea-house" })).send().await.expect(200);
    assert_eq!(back.json()["handle"], "tea-house");
    house.work(&provisioner).await;
    house.patch(&path).by(&ada).body(&json!({ "handle": "coffee-house" })).send().await.expect(200);
    house.work(&provisioner).await;
    pass(&clock, TimeDelta::days(30));
    let bob = house.sign_in(&bob.email, crate::testing::PASSWORD).await;
    let operation = house.ask_for_store(&bob, &wish).await;
    house.work(&provisioner).await;
    let his = house.follow(&bob, &operation).await;
    // The name is his now; what it once showed is not.
    assert_ne!(his["store"].as_str().unwrap(), id.to_string());
    let admin = house.database.login("provisioner", &house.database.secrets.provisioner).await.unwrap();
    let his_id: StoreId = his["store"].as_str().unwrap().parse().unwrap();
    let row =
        admin.query_one(&format!("SELECT count(*) FROM s_{}.products", his_id.suffix()), &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
    remove(house).await;
}

async fn remove<S>(house: House<S>) {
    let House { doors, plane, database } = house;
    drop((doors, plane));
    if let crate::testing::Database::Own(database) = database {
        database.remove().await;
    }
}

#[actix_web::test]
async fn a_store_is_suspended_resumed_deleted_and_restored() {
    let house = house().await;
    let ada = house.newcomer().await;
    let (store, operation) = house.open_store(&ada, &engines()).await;
    let path = path_of(&operation);
    let provisioner = house.database.provisioner().await;
    let id: StoreId = store["id"].as_str().unwrap().parse().unwrap();
    let ledger = async || provisioner.store(id).await.unwrap().unwrap().state.to_string();
    let handle = store["handle"].as_str().unwrap();

    house.post(&format!("{path}/resume")).by(&ada).once().send().await.refused(409, "store_state");
    change(&house, &ada, &format!("{path}/suspend")).await;
    assert_eq!(
        (state(&house, &ada, &path).await.as_str(), ledger().await.as_str()),
        ("suspended", "suspended")
    );
    house.post(&format!("{path}/tokens")).by(&ada).send().await.refused(409, "store_state");
    house.post(&format!("{path}/suspend")).by(&ada).once().send().await.refused(409, "store_state");
    change(&house, &ada, &format!("{path}/resume")).await;
    assert_eq!((state(&house, &ada, &path).await.as_str(), ledger().await.as_str()), ("live", "live"));

    house.delete(&path).by(&ada).once().send().await.expect(422);
    let wrong = house.delete(&format!("{path}?confirm=other")).by(&ada).once().send().await;
    assert_eq!(wrong.refused(422, "validation_failed").complaint().0, "?confirm");
    let answer = house.delete(&format!("{path}?confirm={handle}")).by(&ada).once().send().await.expect(202);
    house.follow(&ada, answer.header("location")).await;
    let deleted = house.get(&path).by(&ada).send().await.expect(200).json();
    assert_eq!((deleted["state"].as_str(), ledger().await.as_str()), (Some("deleted"), "deleting"));
    assert!(deleted["purge_after"].is_string());
    assert_eq!(deleted["allowed_actions"], json!(["restore"]));
    change(&house, &ada, &format!("{path}/restore")).await;
    assert_eq!((state(&house, &ada, &path).await.as_str(), ledger().await.as_str()), ("live", "live"));
    assert_eq!(house.get(&path).by(&ada).send().await.json().get("purge_after"), None);
}

async fn change<S: Doors>(house: &House<S>, owner: &Person, path: &str) {
    let answer = house.post(path).by(owner).once().send().await.expect(202);
    let operation = house.follow(owner, answer.header("location")).await;
    assert_eq!(operation["state"], "succeeded", "{operation}");
}

async fn state<S: Doors>(house: &House<S>, owner: &Person, path: &str) -> String {
    house.get(path).by(owner).send().await.expect(200).json()["state"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_deleted_store_is_purged_when_its_time_is_over() {
    let clock = clock();
    let house = house_alone(clock.clone(), |settings| settings.purge_after = TimeDelta::zero()).await;
    let provisioner = house.database.provisioner().await;
    let ada = house.newcomer().await;
    let operation = house.ask_for_store(&ada, &engines()).await;
    house.work(&provisioner).await;
    let opened = house.follow(&ada, &operation).await;
    let path = path_of(&opened);
    let answer =
        house.delete(&format!("{path}?confirm=analytical-engines")).by(&ada).once().send().await.expect(202);
    house.work(&provisioner).await;
    house.follow(&ada, answer.header("location")).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    pass(&clock, TimeDelta::seconds(1));
    let worker = house.plane.gate().worker("test", "looks at the clock");
    crate::worker::tick(&worker, house.plane.vault()).await.unwrap();
    house.work(&provisioner).await;
    assert_eq!(schemas_of(&house, opened["id"].as_str().unwrap()).await, []);
    assert_eq!(state(&house, &ada, &path).await, "purged");
    house.post(&format!("{path}/restore")).by(&ada).once().send().await.refused(409, "store_state");
    assert_eq!(house.get("/v1/stores").by(&ada).send().await.json()["data"], json!([]));
    // The name is free for its organization, with an empty store.
    let again = house.ask_for_store(&ada, &engines()).await;
    house.work(&provisioner).await;
    let again = house.follow(&ada, &again).await;
    assert_eq!(again["store_url"], "http://analytical-engines.localhost:8081");
    assert_ne!(again["store"], opened["store"]);
    remove(house).await;
}

/// A worker that dies anywhere: its future is dropped after every possible while, as a killed process drops its
/// connections. Whoever takes over ends with one schema, one role, and keys that fit.
#[actix_web::test]
async fn a_worker_that_dies_anywhere_leaves_one_store() {
    let clock = clock();
    let house = house_alone(clock.clone(), |settings| settings.attempts_per_network = 1000).await;
    let provisioner = house.database.provisioner().await;
    let worker = house.plane.gate().worker("test", "dies");
    let mut died = 0;
    for delay in [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60, 90, 150] {
        if delay % 2 == 0 {
            provisioner.keep_spares(1).await.unwrap();
        }
        let ada = house.newcomer().await;
        let path =
            house.ask_for_store(&ada, &json!({ "name": format!("Store {delay}"), "country": "DE" })).await;
        let holder = RequestId::new().uuid();
        let operation = claim(&worker, holder).await.unwrap();
        let doomed = crate::stores::Hands {
            worker: &worker,
            plane: &house.plane,
            provisioner: &provisioner,
            cluster: None,
            holder,
        };
        let work = crate::stores::carry_out(&doomed, &operation);
        died += usize::from(tokio::time::timeout(Duration::from_millis(delay), work).await.is_err());
        pass(&clock, TimeDelta::seconds(91));
        house.work(&provisioner).await;
        let view = house.follow(&ada, &path).await;
        assert_eq!(view["state"], "succeeded", "{view}");
        let id: StoreId = view["store"].as_str().unwrap().parse().unwrap();
        assert_eq!(schemas_of(&house, view["id"].as_str().unwrap()).await, [id], "after {delay} ms");
        let keys = house.post(&format!("{path}/keys")).by(&ada).send().await.expect(200).json();
        let digest = souk_access::ApiKey::parse(keys["secret_key"].as_str().unwrap()).unwrap().digest();
        assert!(digests(&house, id).await.iter().any(|hash| digest.matches(hash)), "after {delay} ms");
        assert_eq!(house.mailed(&ada.email).await.iter().filter(|body| body.contains("is open")).count(), 1);
    }
    assert!(died > 5, "only {died} died");
    let admin = house.database.login("provisioner", &house.database.secrets.provisioner).await.unwrap();
    let orphans = "SELECT count(*) FROM pg_namespace n WHERE n.nspname ~ '^s_[0-9a-z]{26}$'
         AND NOT EXISTS (SELECT 1 FROM platform.store_ledger l WHERE l.schema_name = n.nspname)";
    assert_eq!(admin.query_one(orphans, &[]).await.unwrap().get::<_, i64>(0), 0);
    remove(house).await;
}

#[actix_web::test]
async fn an_opening_that_cannot_succeed_is_given_up_and_frees_name_and_quota() {
    let house = house_alone(clock(), |_| ()).await;
    let provisioner = house.database.provisioner().await;
    let ada = house.newcomer().await;
    let first =
        house.ask_for_store(&ada, &json!({ "name": "Tea", "country": "GB", "handle": "tea-one" })).await;
    house.work(&provisioner).await;
    house.follow(&ada, &first).await;
    // Somebody else's store answers at the host: no attempt can succeed.
    house
        .database
        .admin("UPDATE platform.store_ledger SET hosts = ARRAY['tea-two.localhost'] WHERE handle = 'tea-one'")
        .await;
    let second =
        house.ask_for_store(&ada, &json!({ "name": "Tea", "country": "GB", "handle": "tea-two" })).await;
    house.work(&provisioner).await;
    let failed = house.follow(&ada, &second).await;
    assert_eq!(failed["state"], "failed");
    assert_eq!(failed["error"]["code"], "provisioning_failed");
    assert_eq!(failed["steps"][2]["cause"], "another store answers at this host");
    house.post(&format!("{second}/keys")).by(&ada).send().await.refused(410, "keys_gone");
    let counted = "SELECT count(*) FROM control.handles WHERE handle = 'tea-two' AND request_id IS NULL";
    assert_eq!(house.count(counted, &[]).await, 1);
    assert_eq!(house.get("/v1/stores").by(&ada).send().await.json()["data"].as_array().unwrap().len(), 1);
    remove(house).await;
}

#[actix_web::test]
async fn foreign_and_unknown_stores_look_alike() {
    let house = house().await;
    let (ada, eve) = (house.newcomer().await, house.newcomer().await);
    let (_, operation) = house.open_store(&ada, &engines()).await;
    let path = path_of(&operation);
    for path in [path.as_str(), "/v1/stores/sto_00000000000000000000000000", "/v1/stores/nonsense"] {
        house.get(path).by(&eve).send().await.refused(404, "not_found");
        house.patch(path).by(&eve).body(&json!({ "name": "Mine" })).send().await.refused(404, "not_found");
        house.delete(&format!("{path}?confirm=x")).by(&eve).once().send().await.refused(404, "not_found");
        for action in ["suspend", "resume", "restore", "tokens"] {
            house.post(&format!("{path}/{action}")).by(&eve).once().send().await.refused(404, "not_found");
        }
    }
    let listed = house.get("/v1/stores").by(&eve).send().await.expect(200);
    assert_eq!(listed.json()["data"], json!([]));
    a_second().await;
    assert_eq!(state(&house, &ada, &path).await, "live");
    house.get(&path).send().await.refused(401, "unauthenticated");
}
