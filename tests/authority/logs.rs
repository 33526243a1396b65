//! Proof (j): no secret is in what both planes logged, whoever sent it, wherever they put it, and whatever came of it. The log is that of
//! production, and of every proof that ran before this one in the same process.

use std::time::Duration;

use serde_json::json;
use souk_proofs::people::PASSWORD;
use souk_proofs::{Books, Call, Door, Person, Plane, ear};

use super::requests::sound;
use super::scene::{Scene, scene, settle};

/// What secrets are called among the things of a business.
const SECRET: [&str; 3] = ["token", "secret", "gift card"];
/// How a token of ours begins, whoever's it is: `{"typ":` or `{"alg":`, encoded.
const TOKENS: [&str; 2] = ["eyJ0eXAi", "eyJhbGci"];

/// A secret where it has no place: in a query, in a path, under another scheme, in a cookie, with a letter too many, as another thing.
fn misplaced(secret: &str) -> Vec<Call> {
    let asks = |path: &str| Call::get(path.to_owned());
    vec![
        asks(&format!("/v1/account?access_token={secret}")),
        asks(&format!("/v1/sessions/{secret}")),
        asks(&format!("/admin/v1/orders?key={secret}")),
        asks(&format!("/admin/v1/orders/{secret}")),
        asks(&format!("/store/v1/products/{secret}")),
        asks(&format!("/{secret}")),
        asks("/v1/account").header("authorization", format!("Basic {secret}")),
        asks("/admin/v1/orders").bearer(&format!("{secret}x")),
        asks("/store/v1/store").header("x-souk-publishable-key", secret),
        asks("/store/v1/store").header("cookie", format!("session={secret}")),
        Call::post("/v1/sessions", &json!({ "email": secret, "password": [secret] })),
        Call::post(
            "/store/v1/sessions",
            &json!({ "email": "ada@example.com", "password": secret, "passwort": secret }),
        ),
    ]
}

async fn everything_is_asked(scene: &Scene, books: &Books, plane: Plane, door: &Door, token: &str) {
    for operation in &plane.document().operations {
        let before = books.digest().await;
        let call = sound(operation, &scene.here).bearer(token);
        // What it is answered is the matter of other proofs.
        if let Ok(answer) = door.try_send(&call).await {
            settle(operation, &answer).await;
        }
        books.bring_back(&before.changed(&books.digest().await)).await;
    }
    // Gates remember for less than a second who may come in.
    tokio::time::sleep(Duration::from_millis(1000)).await;
}

#[tokio::test]
async fn no_secret_of_anybody_is_in_the_logs_of_either_plane() {
    let (scene, _turn) = scene().await;
    let platform = scene.platform;
    let (control, store) = (platform.control(), scene.here.door(platform));
    let books = scene.books().await;
    books.keep().await;
    let at_first = books.digest().await;
    let owner = scene.here.owner();
    let (account, staff) = (owner.token(platform), owner.staff_token(platform, scene.here.store));
    everything_is_asked(scene, &books, Plane::Control, &control, &account).await;
    everything_is_asked(scene, &books, Plane::Store, &store, &staff).await;
    // After all that was brought back each time.
    let robbed = Person::new(platform, "robbed").await;
    let (customer, refresh) = scene.here.customer_tokens(platform).await;

    let of_the_scene = scene.here.things.iter().chain(&scene.there.things);
    let mut secrets: Vec<(String, String)> = of_the_scene
        .filter(|(name, _)| SECRET.iter().any(|word| name.contains(word)))
        .map(|(name, secret)| (name.clone(), secret.clone()))
        .collect();
    for (name, secret) in [
        ("a password", PASSWORD.to_owned()),
        ("a customer's token", customer),
        ("a customer's refresh token", refresh),
        ("an account's token", account),
        ("an account's refresh token", robbed.refresh.clone()),
        ("a colleague's token", staff),
    ] {
        secrets.push((name.to_owned(), secret));
    }
    let secrets: Vec<_> = secrets.into_iter().filter(|(_, secret)| secret.len() >= 16).collect();
    assert!(secrets.len() > 25, "only {} secrets", secrets.len());
    // A password has spaces, which no path and no token has.
    for (_, secret) in secrets.iter().filter(|(_, secret)| !secret.contains(' ')) {
        for door in [&control, &store] {
            for call in misplaced(secret) {
                let answer = door.try_send(&call).await;
                assert!(answer.is_ok_and(|answer| answer.status < 500), "{}", call.path);
            }
        }
    }
    // Used twice: the one thing that is told in the log, of whom and not by what.
    let again = Call::post("/v1/sessions/refresh", &json!({ "refresh_token": robbed.refresh }));
    control.send(&again).await.expect(200);
    control.send(&again).await.expect(401);

    books.bring_back(&at_first.changed(&books.digest().await)).await;

    let log = ear::heard();
    assert!(log.contains("a refresh token was used twice"), "nothing was heard");
    let generic = TOKENS.map(|begins| ("a token".to_owned(), begins.to_owned()));
    let mut found: Vec<String> = Vec::new();
    for (name, secret) in secrets.iter().chain(&generic) {
        found.extend(
            log.lines().find(|line| line.contains(secret.as_str())).map(|line| format!("{name}: {line}")),
        );
    }
    println!("logs: {} secrets sought in {} bytes of log", secrets.len(), log.len());
    assert!(found.is_empty(), "{} secrets are in the log:\n{}", found.len(), found.join("\n"));
}
