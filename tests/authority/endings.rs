//! What ends at the control plane ends in stores, within a second: signed out, another password, gone, a refresh token used twice.

use std::time::Duration;

use serde_json::json;
use souk_proofs::people::PASSWORD;
use souk_proofs::{Books, Call, Person};

use super::scene::{Scene, scene};
use super::visits::shut;

const ORDERS: &str = "/admin/v1/orders";

/// Somebody with an account who works in the store.
async fn colleague(scene: &Scene, books: &Books, word: &str) -> Person {
    let person = Person::new(scene.platform, word).await;
    let (schema, account, email) = (&scene.here.schema, person.account.uuid(), &person.email);
    let hire = format!(
        "INSERT INTO {schema}.staff (id, account_id, email, email_key, name, role_id, state) \
         SELECT gen_random_uuid(), '{account}', '{email}', '{email}', '{word}', id, 'active' FROM {schema}.roles WHERE name = 'manager'"
    );
    books.run(&hire).await;
    person
}

/// A token for the store, taken with one for the control plane.
async fn enters(scene: &Scene, token: &str) -> String {
    let wish = Call::post("/v1/store-tokens", &json!({ "store": scene.here.store })).bearer(token);
    scene.platform.control().send(&wish).await.expect(201).word("/access_token")
}

#[tokio::test]
async fn what_ends_at_the_control_plane_ends_in_stores_within_a_second() {
    let (scene, _turn) = scene().await;
    let books = scene.books().await;
    books.keep().await;
    let before = books.digest().await;
    let platform = scene.platform;
    let (control, store) = (platform.control(), scene.here.door(platform));
    let password = json!({ "current_password": PASSWORD, "new_password": "another horse battery staple" });
    for (word, status, ending) in [
        ("everywhere", 204, Call::new("DELETE", "/v1/sessions")),
        ("here", 204, Call::new("DELETE", "/v1/sessions/current")),
        ("renewed", 204, Call::post("/v1/account/password", &password)),
        ("gone", 204, Call::new("DELETE", "/v1/account").json(&json!({ "password": PASSWORD }))),
        ("robbed", 401, Call::new("POST", "/v1/sessions/refresh")),
    ] {
        let person = colleague(scene, &books, word).await;
        let token = enters(scene, &person.token(platform)).await;
        let wish = json!({ "email": person.email, "password": PASSWORD });
        let elsewhere = control.send(&Call::post("/v1/sessions", &wish)).await.expect(201);
        let other = enters(scene, &elsewhere.word("/access_token")).await;
        for token in [&token, &other] {
            store.send(&Call::get(ORDERS).bearer(token)).await.expect(200);
        }
        if status == 401 {
            let ending = ending.json(&json!({ "refresh_token": person.refresh }));
            control.send(&ending).await.expect(200);
            control.send(&ending).await.expect(401);
        } else {
            person.send(platform, &control, ending).await.expect(status);
        }
        // Whoever is asked for the first time knows at once; whoever was just believed, within a second.
        let accepts = json!({ "token": "of-no-invitation", "name": word });
        let accepts = Call::post("/admin/v1/staff-invitations/accept", &accepts).bearer(&token);
        assert_eq!(store.send(&accepts).await.code(), "unauthenticated", "{word}");
        let took = shut(&store, &token).await;
        assert!(took < Duration::from_millis(1000), "{word}: open for {took:?}");
        // One session takes no other along.
        if ["here", "robbed"].contains(&word) {
            store.send(&Call::get(ORDERS).bearer(&other)).await.expect(200);
        } else {
            let took = shut(&store, &other).await;
            assert!(took < Duration::from_millis(1000), "{word}, elsewhere: open for {took:?}");
        }
    }
    books.bring_back(&before.changed(&books.digest().await)).await;
}
