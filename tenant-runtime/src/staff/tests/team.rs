//! Colleagues, roles and keys over HTTP.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use souk_access::ApiKey;
use souk_kernel::AccountId;

use crate::customers::tests::people::People;

/// Somebody with this role, invited and joined; their token and their id.
async fn join(people: &People, role: &str) -> (String, String) {
    let owner = people.shop.owner();
    let account = AccountId::new();
    let email = format!("{}@example.com", account.suffix());
    people
        .post("/admin/v1/staff-invitations", Some(&owner), &json!({ "email": email, "role": role }))
        .await
        .is(201);
    let mail = people.mail().await;
    assert_eq!((mail.template.as_str(), mail.recipient.as_str()), ("staff_invitation", email.as_str()));
    let token = people.shop.staff_token(account);
    let wish = json!({ "token": mail.secret, "name": "Charles" });
    let joined = people.post("/admin/v1/staff-invitations/accept", Some(&token), &wish).await.is(201);
    assert_eq!(joined["role"], role);
    (token, joined["id"].as_str().unwrap().to_owned())
}

async fn role_id(people: &People, name: &str) -> String {
    let roles = people.get("/admin/v1/roles", &people.shop.owner()).await.is(200);
    let found = roles["data"].as_array().unwrap().iter().find(|role| role["name"] == name).cloned();
    found.unwrap()["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn an_invitation_is_accepted_once() {
    let people = People::open().await;
    let owner = people.shop.owner();
    let wish = json!({ "email": "charles@example.com", "role": "viewer" });
    let first = people.post("/admin/v1/staff-invitations", Some(&owner), &wish).await.is(201);
    let old = people.mail().await;
    // Asking again replaces the open one.
    people.post("/admin/v1/staff-invitations", Some(&owner), &wish).await.is(201);
    let new = people.mail().await;
    let path = "/admin/v1/staff-invitations/accept";
    let body = |token: &str| json!({ "token": token, "name": "Charles" });
    let token = people.shop.staff_token(AccountId::new());
    people.post(path, Some(&token), &body(&old.secret)).await.refused(410, "invitation_unusable");
    people.post(path, None, &body(&new.secret)).await.refused(401, "unauthenticated");
    people.get("/admin/v1/orders", &token).await.refused(401, "unauthenticated");
    people.post(path, Some(&token), &body(&new.secret)).await.is(201);
    people
        .post(path, Some(&people.shop.staff_token(AccountId::new())), &body(&new.secret))
        .await
        .refused(410, "invitation_unusable");
    people.a_second().await;
    people.get("/admin/v1/orders", &token).await.is(200);
    let gone = format!("/admin/v1/staff-invitations/{}", first["id"].as_str().unwrap());
    people.delete(&gone, &owner).await.refused(404, "not_found");
    // Taken back, too old, of another store.
    let wish = json!({ "email": "dora@example.com", "role": "viewer" });
    let third = people.post("/admin/v1/staff-invitations", Some(&owner), &wish).await.is(201);
    let mail = people.mail().await;
    people
        .delete(&format!("/admin/v1/staff-invitations/{}", third["id"].as_str().unwrap()), &owner)
        .await
        .is(204);
    people.post(path, Some(&token), &body(&mail.secret)).await.refused(410, "invitation_unusable");
    assert_eq!(people.number("SELECT count(*) AS number FROM staff WHERE state = 'active'").await, 2);
}

#[actix_web::test]
async fn nobody_gives_what_they_do_not_hold() {
    let people = People::open().await;
    let owner = people.shop.owner();
    let wish = json!({ "name": "chief", "permissions": ["staff:*", "role:edit", "order:view", "api_key:*"] });
    people.post("/admin/v1/roles", Some(&owner), &wish).await.is(201);
    let (chief, chief_id) = join(&people, "chief").await;
    let viewer_wish = json!({ "email": "v@example.com", "role": "viewer" });
    people
        .post("/admin/v1/staff-invitations", Some(&chief), &viewer_wish)
        .await
        .refused(403, "scope_not_held");
    let wish = json!({ "name": "more", "permissions": ["order:cancel"] });
    people.post("/admin/v1/roles", Some(&chief), &wish).await.refused(403, "scope_not_held");
    let manager = role_id(&people, "manager").await;
    let less = json!({ "permissions": [] });
    people.patch(&format!("/admin/v1/roles/{manager}"), &chief, &less).await.refused(403, "scope_not_held");
    let promote = json!({ "role": "owner" });
    people
        .patch(&format!("/admin/v1/staff/{chief_id}"), &chief, &promote)
        .await
        .refused(403, "scope_not_held");
    let key = json!({ "name": "k", "kind": "secret", "scopes": ["product:edit"] });
    people.post("/admin/v1/api-keys", Some(&chief), &key).await.refused(403, "scope_not_held");
    let own = json!({ "name": "clerk", "permissions": ["order:view"] });
    people.post("/admin/v1/roles", Some(&chief), &own).await.is(201);
    let unknown = json!({ "name": "x", "permissions": ["order:fly"] });
    people.post("/admin/v1/roles", Some(&owner), &unknown).await.refused(422, "scope_unknown");
    assert_eq!(people.number("SELECT count(*) AS number FROM roles WHERE NOT built_in").await, 2);
}

#[actix_web::test]
async fn the_last_owner_stays_whatever_they_race() {
    let people = People::open().await;
    let owner = people.shop.owner();
    let list = people.get("/admin/v1/staff", &owner).await.is(200);
    let first = list["data"][0]["id"].as_str().unwrap().to_owned();
    people.delete(&format!("/admin/v1/staff/{first}"), &owner).await.refused(409, "last_owner");
    people
        .patch(&format!("/admin/v1/staff/{first}"), &owner, &json!({ "role": "viewer" }))
        .await
        .refused(409, "last_owner");
    let (second_token, second) = join(&people, "owner").await;
    people.a_second().await;
    // Two owners let each other go at once: one of them stays.
    let (path_a, path_b) = (format!("/admin/v1/staff/{second}"), format!("/admin/v1/staff/{first}"));
    let (a, b) = tokio::join!(people.delete(&path_a, &owner), people.delete(&path_b, &second_token));
    let mut both = [a.status, b.status];
    both.sort_unstable();
    // Who comes second is the last owner, or nobody here any more.
    assert!(both == [204, 409] || both == [204, 401], "{both:?}");
    let owners = "SELECT count(*) AS number FROM staff s JOIN roles r ON r.id = s.role_id WHERE r.name = 'owner' AND s.state = 'active'";
    assert_eq!(people.number(owners).await, 1);
    let role = role_id(&people, "owner").await;
    let remaining = if a.status == 204 { &owner } else { &second_token };
    people
        .patch(&format!("/admin/v1/roles/{role}"), remaining, &json!({ "permissions": [] }))
        .await
        .refused(409, "role_fixed");
    people.delete(&format!("/admin/v1/roles/{role}"), remaining).await.refused(409, "role_fixed");
}

#[actix_web::test]
async fn a_plan_has_room_for_so_many_people() {
    let people = People::open().await;
    let owner = people.shop.owner();
    // The owner is the first of them.
    people.shop.on_plan(&json!({ "id": "of tomorrow", "limits": { "staff": 2 } })).await;
    let invite = async |email: &str| {
        let wish = json!({ "email": email, "role": "viewer" });
        people.post("/admin/v1/staff-invitations", Some(&owner), &wish).await
    };
    let path = "/admin/v1/staff-invitations/accept";
    let mut guests = Vec::new();
    for email in ["ben@example.com", "cleo@example.com"] {
        invite(email).await.is(201);
        let wish = json!({ "token": people.mail().await.secret, "name": "Guest" });
        guests.push((people.shop.staff_token(AccountId::new()), wish));
    }
    // Both are invited, and there is room for one of them.
    let ask = |guest: usize| people.post(path, Some(&guests[guest].0), &guests[guest].1);
    let (ben, cleo) = tokio::join!(ask(0), ask(1));
    let mut both = [ben.status, cleo.status];
    both.sort_unstable();
    assert_eq!(both, [201, 409]);
    let (joined, late) = if ben.status == 201 { (0, 1) } else { (1, 0) };

    let before = people.shop.digest().await;
    let refused = invite("dora@example.com").await.refused(409, "staff_quota_reached");
    assert_eq!((&refused.json["limit"], refused.json["hint"].is_string()), (&json!(2), true));
    ask(late).await.refused(409, "staff_quota_reached");
    assert_eq!(people.shop.digest().await, before);
    // With a larger plan the invitation is still good.
    people.shop.on_plan(&json!({ "id": "growth" })).await;
    ask(late).await.is(201);
    // With a smaller one nobody is let go, and nobody comes.
    people.shop.on_plan(&json!({ "id": "of tomorrow", "limits": { "staff": 2 } })).await;
    invite("dora@example.com").await.refused(409, "staff_quota_reached");
    people.a_second().await;
    people.get("/admin/v1/orders", &guests[joined].0).await.is(200);
    assert_eq!(people.number("SELECT count(*) AS number FROM staff WHERE state = 'active'").await, 3);
}

/// How long until this is answered so, asked again and again at another runtime.
async fn until(people: &People, path: &str, bearer: &str, status: u16) -> Duration {
    let started = Instant::now();
    loop {
        if people.get(path, bearer).await.status == status {
            return started.elapsed();
        }
        assert!(started.elapsed() < Duration::from_secs(5), "never answered {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[actix_web::test]
async fn what_is_taken_is_refused_within_a_second_on_every_runtime() {
    let here = People::open().await;
    let there = here.another_runtime().await;
    let owner = here.shop.owner();
    let (charles, id) = join(&here, "fulfilment").await;
    let key = json!({ "name": "erp", "kind": "secret", "scopes": ["order:view"] });
    let key = here.post("/admin/v1/api-keys", Some(&owner), &key).await.is(201);
    let secret = key["secret"].as_str().unwrap();
    let path = "/admin/v1/orders";
    for who in [charles.as_str(), secret] {
        until(&there, path, who, 200).await;
    }
    // The role is lowered.
    let role = role_id(&here, "fulfilment").await;
    let less = json!({ "permissions": ["product:view"] });
    here.patch(&format!("/admin/v1/roles/{role}"), &owner, &less).await.is(200);
    assert!(until(&there, path, &charles, 403).await <= Duration::from_millis(1000));
    here.patch(&format!("/admin/v1/roles/{role}"), &owner, &json!({ "permissions": ["order:view"] }))
        .await
        .is(200);
    until(&there, path, &charles, 200).await;
    // Another role.
    here.patch(&format!("/admin/v1/staff/{id}"), &owner, &json!({ "role": "catalogue" })).await.is(200);
    assert!(until(&there, path, &charles, 403).await <= Duration::from_millis(1000));
    here.patch(&format!("/admin/v1/staff/{id}"), &owner, &json!({ "role": "viewer" })).await.is(200);
    until(&there, path, &charles, 200).await;
    // Let go, and the key revoked.
    here.delete(&format!("/admin/v1/staff/{id}"), &owner).await.is(204);
    assert!(until(&there, path, &charles, 401).await <= Duration::from_millis(1000));
    here.delete(&format!("/admin/v1/api-keys/{}", key["id"].as_str().unwrap()), &owner).await.is(204);
    assert!(until(&there, path, secret, 401).await <= Duration::from_millis(1000));
    // The store is suspended: shoppers are refused.
    here.shop.suspend().await;
    assert!(until(&there, "/store/v1/store", "", 503).await <= Duration::from_millis(1000));
}

#[actix_web::test]
async fn keys_are_bound_rotated_and_shown_once() {
    let people = People::open().await;
    let owner = people.shop.owner();
    let bad = [
        json!({ "name": "k", "kind": "secret", "allowed_origins": ["https://*.example"] }),
        json!({ "name": "k", "kind": "secret", "allowed_networks": ["everywhere"] }),
        json!({ "name": "k", "kind": "secret", "expires_at": "2001-01-01T00:00:00Z" }),
    ];
    for wish in bad {
        people.post("/admin/v1/api-keys", Some(&owner), &wish).await.refused(422, "validation_failed");
    }
    let wish = json!({ "name": "erp", "kind": "secret", "mode": "live", "scopes": ["order:view"], "allowed_networks": ["203.0.113.0/24"] });
    let made = people.post("/admin/v1/api-keys", Some(&owner), &wish).await.is(201);
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("sk_live_"));
    let bearer = format!("Bearer {secret}");
    let from =
        |address: &'static str| [("authorization", bearer.clone()), ("x-forwarded-for", address.to_owned())];
    let ask = async |headers: [(&str, String); 2]| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        people.shop.send("GET", "/admin/v1/orders", None, &headers).await
    };
    ask(from("203.0.113.9")).await.is(200);
    ask(from("198.51.100.1")).await.refused(403, "key_restricted");
    let wish = json!({ "name": "shop", "kind": "publishable", "allowed_origins": ["https://shop.example"] });
    let shop = people.post("/admin/v1/api-keys", Some(&owner), &wish).await.is(201);
    let headers = |origin: &'static str| {
        [("x-souk-publishable-key", shop["secret"].as_str().unwrap()), ("origin", origin)]
    };
    assert_eq!(
        people.shop.send("GET", "/store/v1/store", None, &headers("https://shop.example")).await.status,
        200
    );
    people
        .shop
        .send("GET", "/store/v1/store", None, &headers("https://evil.example"))
        .await
        .refused(403, "key_restricted");
    // Rotated: both work, then only the new one.
    let path = format!("/admin/v1/api-keys/{}/rotate", made["id"].as_str().unwrap());
    let next = people.post(&path, Some(&owner), &json!({ "overlap_seconds": 60 })).await.is(201);
    assert_eq!(
        (&next["scopes"], &next["mode"], &next["rotated_from"]),
        (&json!(["order:view"]), &json!("live"), &made["id"])
    );
    assert_eq!(next["allowed_networks"], json!(["203.0.113.0/24"]));
    ask(from("203.0.113.9")).await.is(200);
    people.shop.clock.advance(Duration::from_secs(61));
    people.a_second().await;
    ask(from("203.0.113.9")).await.refused(401, "unauthenticated");
    people.post(&path, Some(&owner), &json!({})).await.refused(404, "not_found");
    // Nowhere but in that one answer.
    let list = people.get("/admin/v1/api-keys", &owner).await.is(200).to_string();
    let log = people.get("/admin/v1/audit-entries", &owner).await.is(200).to_string();
    for key in [&made, &next, &shop] {
        let text = key["secret"].as_str().unwrap();
        assert!(ApiKey::parse(text).is_some() && !list.contains(text) && !log.contains(text));
    }
}

#[actix_web::test]
async fn a_successor_ends_when_its_key_was_to_end() {
    let people = People::open().await;
    let owner = people.shop.owner();
    let ends = people.shop.clock.now() + TimeDelta::hours(2);
    let ends = json!(DateTime::from_timestamp(ends.timestamp(), 0).unwrap());
    let wish = json!({ "name": "erp", "kind": "secret", "scopes": ["order:view"], "expires_at": ends });
    let made = people.post("/admin/v1/api-keys", Some(&owner), &wish).await.is(201);
    assert_eq!((&made["expires_at"], &made["last_used_at"]), (&ends, &json!(null)));
    let rotate = async |key: &Value| {
        let path = format!("/admin/v1/api-keys/{}/rotate", key["id"].as_str().unwrap());
        people.post(&path, Some(&owner), &json!({ "overlap_seconds": 60 })).await.is(201)
    };
    let next = rotate(&made).await;
    assert_eq!(next["expires_at"], ends);
    // Once more, because the answer was lost: not the end of the overlap.
    let again = rotate(&made).await;
    assert_eq!((&again["expires_at"], &again["rotated_from"]), (&ends, &made["id"]));
    let ask = async |key: &Value| people.get("/admin/v1/orders", key["secret"].as_str().unwrap()).await;
    ask(&again).await.is(200);
    // Its use is noted beside the request.
    let used = async || -> Value {
        let keys = people.get("/admin/v1/api-keys", &owner).await.is(200);
        let found = keys["data"].as_array().unwrap().iter().find(|key| key["id"] == again["id"]).cloned();
        found.unwrap()["last_used_at"].clone()
    };
    let began = Instant::now();
    while used().await.is_null() && began.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let now = people.shop.clock.now().timestamp();
    let used: DateTime<Utc> = serde_json::from_value(used().await).unwrap();
    assert_eq!(used.timestamp(), now);
    people.shop.clock.advance(Duration::from_secs(7200));
    people.a_second().await;
    for key in [&made, &next, &again] {
        ask(key).await.refused(401, "unauthenticated");
    }
}

#[actix_web::test]
async fn a_rule_is_named_for_every_answer() {
    let people = People::open().await;
    let owner = people.shop.owner();
    let (_, id) = join(&people, "support").await;
    let ask = async |actor: &str, action: &str| -> Value {
        people
            .get(&format!("/admin/v1/permissions/explain?actor={actor}&action={action}"), &owner)
            .await
            .is(200)
    };
    let yes = ask(&id, "order:cancel").await;
    assert_eq!(
        (&yes["allowed"], &yes["rules"], &yes["source"]),
        (&json!(true), &json!(["order:cancel"]), &json!("role support"))
    );
    let no = ask(&id, "product:edit").await;
    assert_eq!((&no["allowed"], &no["rules"]), (&json!(false), &json!([])));
    assert_eq!(ask("anyone", "cart:use").await["allowed"], true);
    assert_eq!(ask("anyone", "order:view").await["allowed"], false);
    people
        .get("/admin/v1/permissions/explain?actor=stf_01h455vb4pex5vsknk084sn02q&action=order:view", &owner)
        .await
        .refused(404, "not_found");
    people
        .get(&format!("/admin/v1/permissions/explain?actor={id}&action=order:fly"), &owner)
        .await
        .refused(422, "scope_unknown");
    // The matrix says the same.
    let matrix = people.get("/admin/v1/permissions", &owner).await.is(200);
    let place = matrix["permissions"].as_array().unwrap().iter().position(|it| it == "order:cancel").unwrap();
    let row = matrix["roles"].as_array().unwrap().iter().find(|row| row["role"] == "support").unwrap();
    assert_eq!(row["holds"][place], true);
}

#[actix_web::test]
async fn roles_people_and_keys_ask_staff_for_a_fresh_proof() {
    let people = People::open().await;
    let fresh = people.shop.owner();
    let account = AccountId::from_uuid(people.shop.store.owner_account);
    let now = people.shop.clock.now();
    let long_ago = people.shop.staff_token_proved(account, Some(now - TimeDelta::minutes(15)));
    let never = people.shop.staff_token_proved(account, None);
    let role = format!("/admin/v1/roles/{}", role_id(&people, "support").await);
    let books = [people.text_of("api_keys").await, people.text_of("roles").await];
    let key = json!({ "name": "Warehouse", "kind": "secret", "scopes": ["inventory:*"] });
    for stale in [&long_ago, &never] {
        for (path, body) in [
            ("/admin/v1/api-keys", &key),
            ("/admin/v1/roles", &json!({ "name": "packer", "permissions": ["order:view"] })),
            ("/admin/v1/staff-invitations", &json!({ "email": "eve@example.com", "role": "viewer" })),
        ] {
            people.post(path, Some(stale), body).await.refused(401, "step_up_required");
        }
        people.delete(&role, stale).await.refused(401, "step_up_required");
        // Looking and everyday work need none.
        people.get("/admin/v1/api-keys", stale).await.is(200);
        people.get("/admin/v1/staff", stale).await.is(200);
    }
    assert_eq!([people.text_of("api_keys").await, people.text_of("roles").await], books);
    let lately = people.shop.staff_token_proved(account, Some(now - TimeDelta::minutes(14)));
    let made = people.post("/admin/v1/api-keys", Some(&lately), &key).await.is(201);
    assert_eq!(made["name"], "Warehouse");
    people.post("/admin/v1/api-keys", Some(&fresh), &key).await.is(201);
    // A key is no person: what its scopes hold needs no proof, and it holds only what its maker held.
    let scoped = json!({ "name": "Keeper", "kind": "secret", "scopes": ["api_key:*", "inventory:*"] });
    let keeper = people.post("/admin/v1/api-keys", Some(&fresh), &scoped).await.is(201);
    people.post("/admin/v1/api-keys", Some(keeper["secret"].as_str().unwrap()), &key).await.is(201);
}
