//! People of the platform in a store: with a grant that names a reason, to look only, before the owner's eyes, and not a second longer.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_proofs::people::visitor_token;
use souk_proofs::platform::PLATFORM_STAFF;
use souk_proofs::{Call, Door, Person};

use super::scene::{Scene, scene};

const GRANTS: &str = "/v1/store-grants";
const REASON: &str = "Ticket 4711: an order is missing";

/// Somebody whose address the configuration names, confirmed.
async fn of_the_platform(scene: &Scene) -> Person {
    let person = Person::new(scene.platform, "support").await;
    let confirm = format!(
        "UPDATE control.accounts SET email = '{PLATFORM_STAFF}', email_key = '{PLATFORM_STAFF}', verified_at = now() WHERE id = '{}'",
        person.account.uuid()
    );
    scene.books().await.run(&confirm).await;
    person
}

async fn asks(scene: &Scene, who: &Person, minutes: i64, reason: &str) -> souk_proofs::Answer {
    let wish = json!({ "store": scene.here.store, "reason": reason, "minutes": minutes });
    who.send(scene.platform, &scene.platform.control(), Call::post(GRANTS, &wish)).await
}

/// Waits for a refusal, and says how long that took.
pub(super) async fn shut(store: &Door, token: &str) -> Duration {
    let began = Instant::now();
    while store.send(&Call::get("/admin/v1/orders").bearer(token)).await.status != 401 {
        assert!(began.elapsed() < Duration::from_secs(5), "still open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

fn newest(log: &Value) -> (&Value, &Value) {
    (&log["data"][0]["action"], &log["data"][0]["actor"])
}

#[tokio::test]
async fn the_platform_looks_at_a_store_only_with_a_grant_that_its_owner_sees() {
    let (scene, _turn) = scene().await;
    let books = scene.books().await;
    books.keep().await;
    let before = books.digest().await;
    let (platform, owner) = (scene.platform, scene.here.owner());
    let (control, store) = (platform.control(), scene.here.door(platform));
    let support = of_the_platform(scene).await;

    // Nobody else asks, nor for too long, nor without saying why.
    assert_eq!(asks(scene, owner, 30, REASON).await.code(), "forbidden");
    for (minutes, reason) in [(0, REASON), (61, REASON), (30, "why not")] {
        assert_eq!(asks(scene, &support, minutes, reason).await.status, 422, "{minutes} {reason}");
    }
    let granted = asks(scene, &support, 30, REASON).await.expect(201);
    let grant = granted.word("/id");

    // The owner sees it, with its reason, at the store and in the organization's log.
    let grants = format!("/v1/stores/{}/grants", scene.here.store);
    let listed = owner.send(platform, &control, Call::get(grants.as_str())).await.expect(200).json();
    assert_eq!(
        (&listed["data"][0]["reason"], &listed["data"][0]["holder"]),
        (&json!(REASON), &json!(PLATFORM_STAFF))
    );
    assert_eq!(listed["data"][0]["open"], true);
    let log = format!("/v1/organizations/{}/audit-entries", scene.here.organization);
    let log = owner.send(platform, &control, Call::get(log)).await.expect(200).json();
    assert_eq!(newest(&log), (&json!("store_grant.made"), &json!(format!("account:{}", support.account))));
    assert_eq!(log["data"][0]["detail"]["reason"], REASON);

    // It opens the store to look, and nothing more; nobody else's it is.
    let tokens = Call::new("POST", format!("{GRANTS}/{grant}/tokens"));
    assert_eq!(owner.send(platform, &control, tokens.clone()).await.status, 403);
    let token = support.send(platform, &control, tokens.clone()).await.expect(201).word("/access_token");
    store.send(&Call::get("/admin/v1/orders").bearer(&token)).await.expect(200);
    let other = scene.there.door(platform);
    assert_eq!(other.send(&Call::get("/admin/v1/orders").bearer(&token)).await.status, 401);
    assert_eq!(control.send(&Call::get("/v1/account").bearer(&token)).await.status, 401);
    // Nor does it open that one with a token that says so: the grant is for this store.
    let grant_id = grant.parse().expect("a grant's id");
    for (door, there, status) in [(&store, scene.here.store, 200), (&other, scene.there.store, 401)] {
        let signed = visitor_token(platform, grant_id, there);
        let answer = door.send(&Call::get("/admin/v1/orders").bearer(&signed)).await;
        assert_eq!(answer.status, status, "{there}");
    }
    let customer = "/admin/v1/customers/cus_01h455vb4pex5vsknk084sn02q";
    for (method, path) in [("POST", format!("{customer}/sign-out")), ("DELETE", customer.to_owned())] {
        let answer = store.send(&Call::new(method, path).bearer(&token)).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"), "{method}");
    }

    // Every look is in the store's log, the refused ones too, with the grant's reason.
    let owners = owner.staff_token(platform, scene.here.store);
    let log = store.send(&Call::get("/admin/v1/audit-entries").bearer(&owners)).await.expect(200).json();
    let looks: Vec<&Value> = log["data"]
        .as_array()
        .expect("entries")
        .iter()
        .filter(|it| it["action"] == "platform.looked")
        .collect();
    assert_eq!(looks.len(), 4, "{log}");
    assert_eq!(looks[3]["details"]["request"], "GET /admin/v1/orders");
    for look in looks {
        assert_eq!(
            (&look["actor"], &look["object"], &look["details"]["reason"]),
            (&json!(format!("platform:{}", support.account)), &json!(grant), &json!(REASON))
        );
    }

    // Taken back: closed within a second, and no new token.
    let withdraws = Call::new("DELETE", format!("{grants}/{grant}"));
    assert_eq!(support.send(platform, &control, withdraws.clone()).await.status, 404, "not theirs to see");
    owner.send(platform, &control, withdraws).await.expect(204);
    let took = shut(&store, &token).await;
    assert!(took < Duration::from_millis(1000), "open for {took:?}");
    let answer = support.send(platform, &control, tokens).await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "store_grant_over"));

    // Run out: closed at once, though the token would live on.
    let grant = asks(scene, &support, 1, REASON).await.expect(201).word("/id");
    let tokens = Call::new("POST", format!("{GRANTS}/{grant}/tokens"));
    let answer = support.send(platform, &control, tokens).await.expect(201);
    assert!(answer.json()["expires_in"].as_i64().expect("seconds") <= 60);
    let token = answer.word("/access_token");
    store.send(&Call::get("/admin/v1/orders").bearer(&token)).await.expect(200);
    let over = "UPDATE platform.store_grants SET created_at = now() - interval '10 minutes', expires_at = now() WHERE withdrawn_at IS NULL";
    books.run(over).await;
    let took = shut(&store, &token).await;
    assert!(took < Duration::from_millis(1000), "open for {took:?}");
    books.bring_back(&before.changed(&books.digest().await)).await;
}
