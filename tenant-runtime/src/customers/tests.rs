//! Accounts over HTTP.

pub mod people;

use std::time::Duration;

use serde_json::{Value, json};

use people::{PASSWORD, People, address};

#[actix_web::test]
async fn a_customer_registers_confirms_and_signs_in() {
    let people = People::open().await;
    let wish = json!({ "email": "Ada@Example.com", "password": PASSWORD, "first_name": "Ada" });
    let first = people.post("/store/v1/customers", None, &wish).await;
    assert_eq!(first.status, 202, "{}", first.json);
    let mail = people.mail().await;
    assert_eq!(mail.template, "customer_verify_email");
    assert_eq!(mail.recipient, "Ada@Example.com");
    // The same words for an address that is taken; its owner gets another mail, and their password is what it was.
    let again = json!({ "email": "ada@example.com", "password": "another long password" });
    let second = people.post("/store/v1/customers", None, &again).await;
    assert_eq!((second.status, &second.json), (202, &first.json));
    assert_eq!(people.mail().await.template, "customer_already_registered");
    people.post("/store/v1/customers/verify", None, &json!({ "token": mail.secret })).await.is(204);
    people
        .post("/store/v1/customers/verify", None, &json!({ "token": mail.secret }))
        .await
        .refused(410, "link_unusable");
    let tokens = people.sign_in("ada@example.com", PASSWORD).await;
    let account = people.get("/store/v1/account", &tokens.access).await.is(200);
    assert_eq!(account["email"], "Ada@Example.com");
    assert_eq!(account["first_name"], "Ada");
    assert!(account["verified_at"].is_string());
    assert!(account.get("password").is_none() && account.get("note").is_none());
}

#[actix_web::test]
async fn weak_passwords_and_foreign_fields_are_refused() {
    let people = People::open().await;
    for (password, code) in
        [("short", "too_short"), ("password", "too_common"), (&"x1".repeat(65), "too_long")]
    {
        let wish = json!({ "email": "ada@example.com", "password": password });
        let answer = people.post("/store/v1/customers", None, &wish).await;
        assert_eq!(
            (answer.status, &answer.json["errors"][0]["code"]),
            (422, &json!(code)),
            "{}",
            answer.json
        );
    }
    let wish = json!({ "email": "ada@example.com", "password": PASSWORD, "state": "enabled" });
    people.post("/store/v1/customers", None, &wish).await.refused(422, "unknown_field");
    assert_eq!(people.number("SELECT count(*) AS number FROM customers").await, 0);
}

#[actix_web::test]
async fn nobody_learns_who_has_an_account() {
    let people = People::open().await;
    people.customer("ada@example.com").await;
    let known = json!({ "email": "ada@example.com", "password": "not the password" });
    let unknown = json!({ "email": "eve@example.com", "password": "not the password" });
    let answers = [
        people.post("/store/v1/sessions", None, &known).await,
        people.post("/store/v1/sessions", None, &unknown).await,
    ];
    let [a, b] = answers.map(|answer| {
        let mut json = answer.json;
        json.as_object_mut().unwrap().remove("request_id");
        (answer.status, json)
    });
    assert_eq!(a, b);
    assert_eq!((a.0, &a.1["code"]), (401, &json!("wrong_credentials")));
    let before = people.events().await;
    for email in ["ada@example.com", "eve@example.com"] {
        let answer = people.post("/store/v1/password-resets", None, &json!({ "email": email })).await;
        assert_eq!(answer.status, 202);
    }
    // One event each, so that asking costs the same; one mail in all.
    assert_eq!(people.events().await - before, 2);
    assert_eq!(people.mails().await.len(), 1);
}

#[actix_web::test]
async fn guessing_is_slowed_down_and_the_owner_is_not_locked_out() {
    let people = People::open().await;
    people.customer("ada@example.com").await;
    let wrong = json!({ "email": "ada@example.com", "password": "not the password" });
    for _ in 0..10 {
        people.post("/store/v1/sessions", None, &wrong).await.refused(401, "wrong_credentials");
    }
    let refused = people.post("/store/v1/sessions", None, &wrong).await;
    assert_eq!(refused.status, 429, "{}", refused.json);
    assert!(refused.headers.contains_key("retry-after"));
    let right = json!({ "email": "ada@example.com", "password": PASSWORD });
    people.post("/store/v1/sessions", None, &right).await.refused(429, "too_many_requests");
    // From elsewhere its owner gets in.
    let elsewhere = [("x-forwarded-for", "203.0.113.7")];
    assert_eq!(people.post_with("/store/v1/sessions", &right, &elsewhere).await.status, 201);
    people.shop.clock.advance(Duration::from_secs(601));
    people.sign_in("ada@example.com", PASSWORD).await;
}

#[actix_web::test]
async fn strangers_everywhere_do_not_lock_out_whoever_comes_from_home() {
    let people = People::open().await;
    people.customer("ada@example.com").await;
    let wrong = json!({ "email": "ada@example.com", "password": "not the password" });
    let right = json!({ "email": "ada@example.com", "password": PASSWORD });
    let home = "203.0.113.7";
    let from = async |network: &str, wish: &Value| {
        people.post_with("/store/v1/sessions", wish, &[("x-forwarded-for", network)]).await
    };
    from(home, &right).await.expect(201);
    from("192.0.2.1", &wrong).await.refused(401, "wrong_credentials");
    // As if ten networks had guessed ten times each.
    let filled = "UPDATE {s}.throttles SET failures = 100 WHERE bucket ~ '^sign_in/[0-9a-f]+$'";
    people.shop.admin(filled).await;
    for wish in [&wrong, &right] {
        from("198.51.100.1", wish).await.refused(429, "too_many_requests");
    }
    from(home, &right).await.expect(201);
    // There too one guesses ten times, and no more.
    for _ in 0..10 {
        from(home, &wrong).await.refused(401, "wrong_credentials");
    }
    from(home, &right).await.refused(429, "too_many_requests");
    // A month later it is a network like any other.
    people.shop.clock.advance(Duration::from_secs(31 * 24 * 3600));
    from("192.0.2.1", &wrong).await.refused(401, "wrong_credentials");
    people.shop.admin(filled).await;
    from(home, &right).await.refused(429, "too_many_requests");
}

#[actix_web::test]
async fn one_network_cannot_try_many_accounts() {
    let people = People::open().await;
    let from = [("x-forwarded-for", "198.51.100.9")];
    for guess in 0..50 {
        let wish = json!({ "email": format!("a{guess}@example.com"), "password": "not the password" });
        assert_eq!(people.post_with("/store/v1/sessions", &wish, &from).await.status, 401);
    }
    let wish = json!({ "email": "another@example.com", "password": "not the password" });
    assert_eq!(people.post_with("/store/v1/sessions", &wish, &from).await.status, 429);
    assert_eq!(
        people.post_with("/store/v1/sessions", &wish, &[("x-forwarded-for", "198.51.100.10")]).await.status,
        401
    );
}

#[actix_web::test]
async fn a_refresh_token_works_once_and_its_reuse_ends_the_session() {
    let people = People::open().await;
    let ada = people.customer("ada@example.com").await;
    let wish = json!({ "refresh_token": ada.refresh });
    let next = people.post("/store/v1/sessions/refresh", None, &wish).await.is(200);
    people.post("/store/v1/sessions/refresh", None, &wish).await.refused(401, "refresh_refused");
    let newest = json!({ "refresh_token": next["refresh_token"] });
    people.post("/store/v1/sessions/refresh", None, &newest).await.refused(401, "refresh_refused");
    people.a_second().await;
    people.get("/store/v1/account", &ada.access).await.refused(401, "unauthenticated");
    // Of parallel uses exactly one wins.
    let ada = people.sign_in("ada@example.com", PASSWORD).await;
    let wish = json!({ "refresh_token": ada.refresh });
    let tries = (0..6).map(|_| people.post("/store/v1/sessions/refresh", None, &wish));
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

#[actix_web::test]
async fn devices_are_listed_and_signed_out() {
    let people = People::open().await;
    let here = people.customer("ada@example.com").await;
    let there = people.sign_in("ada@example.com", PASSWORD).await;
    let list = people.get("/store/v1/sessions", &here.access).await.is(200);
    let current: Vec<bool> =
        list["data"].as_array().unwrap().iter().map(|it| it["current"] == json!(true)).collect();
    assert_eq!(current, [false, true]);
    let path = format!("/store/v1/sessions/{}", list["data"][0]["id"].as_str().unwrap());
    let eve = people.customer("eve@example.com").await;
    people.delete(&path, &eve.access).await.refused(404, "not_found");
    people.delete(&path, &here.access).await.is(204);
    people.a_second().await;
    people.get("/store/v1/account", &there.access).await.refused(401, "unauthenticated");
    people.get("/store/v1/account", &here.access).await.is(200);
    people.delete("/store/v1/sessions", &here.access).await.is(204);
    people.a_second().await;
    people.get("/store/v1/account", &here.access).await.refused(401, "unauthenticated");
    people.get("/store/v1/account", &eve.access).await.is(200);
}

#[actix_web::test]
async fn a_forgotten_password_is_replaced_once() {
    let people = People::open().await;
    let ada = people.customer("ada@example.com").await;
    people.post("/store/v1/password-resets", None, &json!({ "email": "ada@example.com" })).await;
    let old = people.mail().await;
    people.post("/store/v1/password-resets", None, &json!({ "email": "ada@example.com" })).await;
    let new = people.mail().await;
    let wish = |token: &str| json!({ "token": token, "new_password": "a brand new password" });
    people
        .post("/store/v1/password-resets/complete", None, &wish(&old.secret))
        .await
        .refused(410, "link_unusable");
    let other = People::open().await;
    other
        .post("/store/v1/password-resets/complete", None, &wish(&new.secret))
        .await
        .refused(410, "link_unusable");
    let wishes = wish(&new.secret);
    let tries = (0..4).map(|_| people.post("/store/v1/password-resets/complete", None, &wishes));
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 1);
    assert_eq!(people.mail().await.template, "customer_password_changed");
    people.a_second().await;
    people.get("/store/v1/account", &ada.access).await.refused(401, "unauthenticated");
    let with_old = json!({ "email": "ada@example.com", "password": PASSWORD });
    people.post("/store/v1/sessions", None, &with_old).await.refused(401, "wrong_credentials");
    people.sign_in("ada@example.com", "a brand new password").await;
    // A link dies after half an hour.
    people.post("/store/v1/password-resets", None, &json!({ "email": "ada@example.com" })).await;
    let late = people.mail().await;
    people.shop.clock.advance(Duration::from_secs(1801));
    people
        .post("/store/v1/password-resets/complete", None, &wish(&late.secret))
        .await
        .refused(410, "link_unusable");
}

#[actix_web::test]
async fn another_address_needs_both_mailboxes() {
    let people = People::open().await;
    let ada = people.customer("ada@example.com").await;
    let wish = json!({ "email": "ada@new.example", "password": "not the password" });
    people.post("/store/v1/account/email", Some(&ada.access), &wish).await.refused(403, "wrong_password");
    let wish = json!({ "email": "ada@new.example", "password": PASSWORD });
    assert_eq!(people.post("/store/v1/account/email", Some(&ada.access), &wish).await.status, 202);
    let mails = people.mails().await;
    let (old, new) = (&mails[0], &mails[1]);
    assert_eq!((old.recipient.as_str(), new.recipient.as_str()), ("ada@example.com", "ada@new.example"));
    let path = "/store/v1/email-changes/confirm";
    let half = people.post(path, None, &json!({ "token": new.secret })).await.is(200);
    assert_eq!(half["changed"], false);
    assert_eq!(people.get("/store/v1/account", &ada.access).await.is(200)["email"], "ada@example.com");
    let whole = people.post(path, None, &json!({ "token": old.secret })).await.is(200);
    assert_eq!(whole["changed"], true);
    people.a_second().await;
    people.get("/store/v1/account", &ada.access).await.refused(401, "unauthenticated");
    people.sign_in("ada@new.example", PASSWORD).await;
    // An address that somebody else has meanwhile is not taken from them.
    let bob = people.customer("bob@example.com").await;
    let wish = json!({ "email": "eve@example.com", "password": PASSWORD });
    people.post("/store/v1/account/email", Some(&bob.access), &wish).await.is(202);
    let mails = people.mails().await;
    people.customer("eve@example.com").await;
    people.post(path, None, &json!({ "token": mails[0].secret })).await.is(200);
    people.post(path, None, &json!({ "token": mails[1].secret })).await.refused(410, "link_unusable");
    assert_eq!(people.get("/store/v1/account", &bob.access).await.is(200)["email"], "bob@example.com");
}

#[actix_web::test]
async fn the_address_book_has_one_default_of_each_kind() {
    let people = People::open().await;
    let ada = people.customer("ada@example.com").await;
    let book = "/store/v1/account/addresses";
    let first = people.post(book, Some(&ada.access), &json!({ "address": address("Berlin") })).await.is(201);
    assert_eq!((&first["default_shipping"], &first["default_billing"]), (&json!(true), &json!(true)));
    let wish = json!({ "address": address("Hamburg"), "default_shipping": true });
    people.post(book, Some(&ada.access), &wish).await.is(201);
    let all = people.get(book, &ada.access).await.is(200);
    let flags: Vec<(bool, bool)> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["default_shipping"] == json!(true), it["default_billing"] == json!(true)))
        .collect();
    assert_eq!(flags, [(false, true), (true, false)]);
    let eve = people.customer("eve@example.com").await;
    let path = format!("{book}/{}", first["id"].as_str().unwrap());
    people.get(&path, &eve.access).await.refused(404, "not_found");
    people.delete(&path, &eve.access).await.refused(404, "not_found");
    people.put(&path, &eve.access, &json!({ "address": address("Nowhere") })).await.refused(404, "not_found");
    let moved = people.put(&path, &ada.access, &json!({ "address": address("Bonn") })).await.is(200);
    assert_eq!(moved["address"]["city"], "Bonn");
    people.delete(&path, &ada.access).await.is(204);
    people.get(&path, &ada.access).await.refused(404, "not_found");
    people.get(book, "nonsense").await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn the_same_mailbox_in_two_stores_is_two_customers() {
    let (here, there) = (People::open().await, People::open().await);
    let ada = here.customer("ada@example.com").await;
    let wish = json!({ "email": "ada@example.com", "password": PASSWORD });
    there.post("/store/v1/sessions", None, &wish).await.refused(401, "wrong_credentials");
    there.get("/store/v1/account", &ada.access).await.refused(401, "unauthenticated");
    there
        .post("/store/v1/sessions/refresh", None, &json!({ "refresh_token": ada.refresh }))
        .await
        .refused(401, "refresh_refused");
    let other = there.customer("ada@example.com").await;
    let id = |json: &Value| json["id"].as_str().unwrap().to_owned();
    let ids = [
        here.get("/store/v1/account", &ada.access).await.is(200),
        there.get("/store/v1/account", &other.access).await.is(200),
    ];
    assert_ne!(id(&ids[0]), id(&ids[1]));
}

#[actix_web::test]
async fn the_people_of_the_store_see_and_disable_customers() {
    let people = People::open().await;
    let ada = people.customer("ada@example.com").await;
    people.customer("bob@example.com").await;
    let owner = people.shop.owner();
    let list = people.get("/admin/v1/customers?q=ada", &owner).await.is(200);
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    let path = format!("/admin/v1/customers/{}", list["data"][0]["id"].as_str().unwrap());
    assert_eq!(list["data"][0]["order_count"], 0);
    people.get(&path, &ada.access).await.refused(403, "forbidden");
    let edited =
        people.patch(&path, &owner, &json!({ "note": "likes mugs", "state": "disabled" })).await.is(200);
    assert_eq!((&edited["note"], &edited["state"]), (&json!("likes mugs"), &json!("disabled")));
    people.a_second().await;
    people.get("/store/v1/account", &ada.access).await.refused(401, "unauthenticated");
    let wish = json!({ "email": "ada@example.com", "password": PASSWORD });
    people.post("/store/v1/sessions", None, &wish).await.refused(401, "wrong_credentials");
    people.mails().await;
    people.post("/store/v1/password-resets", None, &json!({ "email": "ada@example.com" })).await.is(202);
    assert_eq!(people.mails().await.len(), 0);
}

#[actix_web::test]
async fn a_device_in_a_network_never_seen_is_told() {
    let people = People::open().await;
    people.customer("ada@example.com").await;
    let wish = json!({ "email": "ada@example.com", "password": PASSWORD });
    let from = [("x-forwarded-for", "203.0.113.7"), ("user-agent", "Teapot/1.0")];
    assert_eq!(people.post_with("/store/v1/sessions", &wish, &from).await.status, 201);
    let mail = people.mail().await;
    assert_eq!(mail.template, "customer_new_device");
    assert!(mail.text.contains("Teapot/1.0") && mail.text.contains("203.0.113.7"), "{}", mail.text);
    assert_eq!(people.post_with("/store/v1/sessions", &wish, &from).await.status, 201);
    assert_eq!(people.mails().await.len(), 0);
}

#[actix_web::test]
async fn no_secret_and_no_address_is_in_an_event() {
    let people = People::open().await;
    people.customer("ada@example.com").await;
    people.post("/store/v1/password-resets", None, &json!({ "email": "ada@example.com" })).await.is(202);
    let secret = people.mail().await.secret;
    let told = people.outbox().await;
    assert!(told.len() >= 3);
    for event in told {
        let text = event.payload.to_string();
        assert!(!text.contains("ada") && !text.contains(&secret) && !text.contains(PASSWORD), "{text}");
    }
}

#[actix_web::test]
async fn a_reset_link_dies_with_a_change_of_address() {
    let people = People::open().await;
    let ada = people.customer("ada@example.com").await;
    let (old, new) = ("ada@example.com", "ada@new.example");
    let forgotten = json!({ "email": old });
    people.post("/store/v1/password-resets", None, &forgotten).await.is(202);
    let before = people.mail().await;
    assert_eq!((before.template.as_str(), before.recipient.as_str()), ("customer_reset_password", old));
    let wish = json!({ "email": new, "password": PASSWORD });
    people.post("/store/v1/account/email", Some(&ada.access), &wish).await.is(202);
    let links = people.mails().await;
    // Asked for with the old address, and not written yet when the change is made.
    people.post("/store/v1/password-resets", None, &forgotten).await.is(202);
    for link in &links {
        let token = json!({ "token": link.secret });
        people.post("/store/v1/email-changes/confirm", None, &token).await.is(200);
    }
    let complete = "/store/v1/password-resets/complete";
    let reset = |secret: &str| json!({ "token": secret, "new_password": "a brand new password" });
    people.post(complete, None, &reset(&before.secret)).await.refused(410, "link_unusable");
    people.sign_in(new, PASSWORD).await;
    // Nothing goes to the old mailbox any more, whoever reads it now.
    let mails = people.mails().await;
    assert!(mails.iter().all(|mail| mail.recipient == new), "{mails:?}");
    assert_eq!(mails.iter().filter(|mail| mail.template == "customer_reset_password").count(), 1);
    people.post("/store/v1/password-resets", None, &forgotten).await.is(202);
    assert_eq!(people.mails().await.len(), 0);
    people.post(complete, None, &reset(&before.secret)).await.refused(410, "link_unusable");
    people.sign_in(new, PASSWORD).await;
}

#[actix_web::test]
async fn links_in_mails_are_the_stores_own_whatever_a_request_says() {
    let people = People::open().await;
    let host = &people.shop.store.host;
    let bearer = format!("Bearer {}", people.shop.owner());
    let forged = [
        ("x-forwarded-host", "evil.example"),
        ("x-original-host", "evil.example"),
        ("x-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-forwarded-port", "6666"),
        ("x-forwarded-prefix", "/evil.example"),
        ("referer", "https://evil.example/"),
    ];
    let by_owner: Vec<_> = forged.into_iter().chain([("authorization", bearer.as_str())]).collect();
    let wish = json!({ "email": "ada@example.com", "password": PASSWORD });
    let before = people.events().await;
    let elsewhere = people.shop.call("POST", "/store/v1/customers").host("evil.example").json(&wish);
    elsewhere.send().await.refused(404, "store_unknown");
    assert_eq!(people.events().await, before);
    let own = format!("http://{host}/account");
    let invitation = json!({ "email": "charles@example.com", "role": "viewer" });
    for (path, body, headers, link) in [
        ("/store/v1/customers", wish, &forged[..], format!("{own}/verify-email#")),
        (
            "/store/v1/password-resets",
            json!({ "email": "ada@example.com" }),
            &forged[..],
            format!("{own}/reset-password#"),
        ),
        (
            "/admin/v1/staff-invitations",
            invitation,
            &by_owner[..],
            "https://console.example/join-store#".to_owned(),
        ),
    ] {
        let answer = people.post_with(path, &body, headers).await;
        assert!([201, 202].contains(&answer.status), "{path}: {}", answer.json);
        let mail = people.mail().await;
        assert!(mail.text.contains(&link), "{path}: {}", mail.text);
        assert!(!mail.text.contains("evil") && !mail.text.contains("6666"), "{path}: {}", mail.text);
    }
}
