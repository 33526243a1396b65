//! Where colleagues are signed in, who signs them out, and what their provider must have asked them for.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use souk_kernel::{AccountId, StaffId};
use souk_openid::test_support::{header, signed};

use super::colleagues::{enters, joins, refused_within_a_second};
use super::{Away, Lies as _, PROVIDERS, Side, landed, redeems, stage};

const SESSIONS: &str = "/admin/v1/sessions";
const REFRESH: &str = "/admin/v1/sessions/refresh";
const ORDERS: &str = "/admin/v1/orders";

#[actix_web::test]
async fn a_colleague_sees_where_they_are_signed_in_and_ends_it() {
    let (people, liar) = stage(Side::Admin).await;
    let shop = &people.shop;
    let (first, _) = joins(&people, &liar, "charles", "viewer").await;
    let (client, ticket) = liar.vouches(shop, Side::Admin, "charles", "x@example.com").await;
    let wish = json!({ "ticket": ticket, "verifier": client.verifier });
    let from = [("x-forwarded-for", "203.0.113.7"), ("user-agent", "Teapot/1.0")];
    let opened = people.post_with("/admin/v1/sessions/identity", &wish, &from).await.expect(201);
    let second = opened.text("/access_token");
    let list = people.get(SESSIONS, &second).await.is(200);
    let shown = list["data"].as_array().unwrap();
    assert_eq!(shown.len(), 2);
    let here = shown.iter().find(|it| it["current"] == json!(true)).unwrap();
    let there = shown.iter().find(|it| it["current"] == json!(false)).unwrap();
    assert_eq!((&here["user_agent"], &here["network"]), (&json!("Teapot/1.0"), &json!("203.0.113.7")));
    assert_eq!((&there["user_agent"], &there["network"]), (&json!(""), &json!("local")));
    people.mails().await;
    // They are nobody else's: another colleague's, a customer's, a stranger's.
    let (other, _) = joins(&people, &liar, "dora", "viewer").await;
    let path = format!("{SESSIONS}/{}", there["id"].as_str().unwrap());
    people.delete(&path, &other).await.refused(404, "not_found");
    people.mails().await;
    let ada = people.customer("ada@example.com").await;
    for (bearer, status, code) in [(ada.access.as_str(), 403, "forbidden"), ("", 401, "unauthenticated")] {
        people.get(SESSIONS, bearer).await.refused(status, code);
        people.delete(&path, bearer).await.refused(status, code);
        people.delete(SESSIONS, bearer).await.refused(status, code);
    }
    people.get(ORDERS, &first).await.is(200);
    // One device.
    people.delete(&path, &second).await.is(204);
    refused_within_a_second(&people, &first).await;
    people.delete(&path, &second).await.refused(404, "not_found");
    assert_eq!(people.get(SESSIONS, &second).await.is(200)["data"].as_array().unwrap().len(), 1);
    // All of them; the colleague beside them works on.
    let third = enters(&people, &liar, "charles").await;
    people.delete(SESSIONS, &third).await.is(204);
    refused_within_a_second(&people, &second).await;
    refused_within_a_second(&people, &third).await;
    let wish = json!({ "refresh_token": opened.text("/refresh_token") });
    people.post(REFRESH, None, &wish).await.refused(401, "refresh_refused");
    people.get(ORDERS, &other).await.is(200);
    let again = enters(&people, &liar, "charles").await;
    people.get(ORDERS, &again).await.is(200);
}

#[actix_web::test]
async fn signing_out_with_the_refresh_token_ends_the_access_token_too() {
    let (people, liar) = stage(Side::Admin).await;
    joins(&people, &liar, "charles", "viewer").await;
    let (client, ticket) = liar.vouches(&people.shop, Side::Admin, "charles", "x@example.com").await;
    let opened = redeems(&people.shop, Side::Admin, &ticket, &client).await.expect(201);
    let token = opened.text("/access_token");
    people.get(ORDERS, &token).await.is(200);
    let wish = json!({ "refresh_token": opened.text("/refresh_token") });
    people.post("/admin/v1/sessions/sign-out", None, &wish).await.is(204);
    refused_within_a_second(&people, &token).await;
}

#[actix_web::test]
async fn who_may_let_a_colleague_go_signs_them_out() {
    let (people, liar) = stage(Side::Admin).await;
    let (shop, owner) = (&people.shop, people.shop.owner());
    let (charles, id) = joins(&people, &liar, "charles", "manager").await;
    let again = enters(&people, &liar, "charles").await;
    let list = format!("/admin/v1/staff/{id}/sessions");
    let own = people.get(SESSIONS, &again).await.is(200);
    let of_again = own["data"].as_array().unwrap().iter().find(|it| it["current"] == json!(true)).unwrap();
    let one = format!("{list}/{}", of_again["id"].as_str().unwrap());
    let all = format!("/admin/v1/staff/{id}/sign-out");
    let shown = people.get(&list, &owner).await.is(200);
    let current: Vec<_> = shown["data"].as_array().unwrap().iter().map(|it| it["current"].clone()).collect();
    assert_eq!(current, [json!(false), json!(false)]);
    // A manager sees colleagues and signs none out; the owner does, with a fresh proof.
    people.get(&list, &charles).await.is(200);
    people.delete(&one, &charles).await.refused(403, "forbidden");
    people.post(&all, Some(&charles), &json!({})).await.refused(403, "forbidden");
    let account = AccountId::from_uuid(shop.store.owner_account);
    let stale = shop.staff_token_proved(account, Some(shop.clock.now() - TimeDelta::minutes(16)));
    people.delete(&one, &stale).await.refused(401, "step_up_required");
    people.post(&all, Some(&stale), &json!({})).await.refused(401, "step_up_required");
    for nobody in [StaffId::new().to_string(), "stf_none".to_owned()] {
        let path = format!("/admin/v1/staff/{nobody}");
        people.get(&format!("{path}/sessions"), &owner).await.refused(404, "not_found");
        people.post(&format!("{path}/sign-out"), Some(&owner), &json!({})).await.refused(404, "not_found");
        let theirs = format!("{path}/sessions/{}", of_again["id"].as_str().unwrap());
        people.delete(&theirs, &owner).await.refused(404, "not_found");
    }
    assert_eq!(people.get(&list, &owner).await.is(200), shown);
    people.get(ORDERS, &charles).await.is(200);
    people.delete(&one, &owner).await.is(204);
    refused_within_a_second(&people, &again).await;
    people.get(ORDERS, &charles).await.is(200);
    people.delete(&one, &owner).await.refused(404, "not_found");
    people.post(&all, Some(&owner), &json!({})).await.is(204);
    refused_within_a_second(&people, &charles).await;
    assert_eq!(people.get(&list, &owner).await.is(200)["data"], json!([]));
    // It is told, and they may come again: only who is let go may not.
    let told = people.get("/admin/v1/audit-entries", &owner).await.is(200);
    let entries = told["data"].as_array().unwrap().iter();
    let told: Vec<_> = entries.filter(|entry| entry["action"] == "staff.signed_out").collect();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["details"]["sessions"], json!(1));
    assert_eq!(told[1]["details"]["session"], of_again["id"]);
    let again = enters(&people, &liar, "charles").await;
    people.get(ORDERS, &again).await.is(200);
}

#[actix_web::test]
async fn a_session_ends_with_its_day_and_so_does_its_token() {
    let (people, liar) = stage(Side::Admin).await;
    joins(&people, &liar, "charles", "viewer").await;
    let (client, ticket) = liar.vouches(&people.shop, Side::Admin, "charles", "x@example.com").await;
    let opened = redeems(&people.shop, Side::Admin, &ticket, &client).await.expect(201);
    people.shop.clock.advance(Duration::from_secs(12 * 3600 - 60));
    let wish = json!({ "refresh_token": opened.text("/refresh_token") });
    let late = people.post(REFRESH, None, &wish).await.is(200)["access_token"].as_str().unwrap().to_owned();
    people.get(ORDERS, &late).await.is(200);
    people.shop.clock.advance(Duration::from_secs(60));
    refused_within_a_second(&people, &late).await;
}

#[actix_web::test]
async fn a_provider_must_have_asked_for_a_second_factor_where_the_owner_says_so() {
    let (people, liar) = stage(Side::Admin).await;
    let (shop, owner) = (&people.shop, people.shop.owner());
    let (first, _) = joins(&people, &liar, "charles", "viewer").await;
    let (client, waiting) = liar.vouches(shop, Side::Admin, "charles", "x@example.com").await;
    let path = format!("{PROVIDERS}/liar");
    let edit = async |wish: Value| people.patch(&path, &owner, &wish).await;
    for wrong in [json!(["two words"]), json!(vec!["x"; 11])] {
        edit(json!({ "acr_values": wrong })).await.refused(422, "validation_failed").about("/acr_values");
    }
    people.get(ORDERS, &first).await.is(200);
    let wish = json!({ "require_multi_factor": true, "acr_values": ["urn:level:two"] });
    let changed = edit(wish).await.is(200);
    assert_eq!(
        (&changed["require_multi_factor"], &changed["acr_values"]),
        (&json!(true), &json!(["urn:level:two"]))
    );
    // Whoever came before comes again, and a ticket of before opens nothing.
    refused_within_a_second(&people, &first).await;
    redeems(shop, Side::Admin, &waiting, &client).await.refused(410, "ticket_unusable");
    let come = async |said: &Value| {
        let away = Away::leaves(shop, Side::Admin, "liar").await;
        assert_eq!(away.of("acr_values"), "urn:level:two");
        let mut claims = liar.told(shop, &away, "charles", "x@example.com");
        for (name, value) in said.as_object().unwrap() {
            claims[name.as_str()] = value.clone();
        }
        liar.gives(&signed(1, &header(1), &claims));
        let answer = liar.sends_back(shop, Side::Admin, &away).await;
        landed(shop, Side::Admin, answer).map(|ticket| (away.client, ticket))
    };
    let tickets = "SELECT count(*) AS number FROM sign_in_tickets";
    let before = shop.number(tickets).await;
    for said in [
        json!({}),
        json!({ "amr": ["pwd"] }),
        json!({ "amr": [] , "acr": "urn:level:one" }),
        json!({ "amr": null, "acr": null }),
        json!({ "amr": { "mfa": true }, "acr": 2 }),
        json!({ "amr": ["MFA"], "acr": "urn:level:two " }),
    ] {
        assert_eq!(come(&said).await.err().as_deref(), Some("second_factor"), "{said}");
    }
    assert_eq!(shop.number(tickets).await, before);
    for said in [
        json!({ "amr": ["pwd", "mfa"] }),
        json!({ "amr": "mfa" }),
        json!({ "amr": ["pwd"], "acr": "urn:level:two" }),
    ] {
        let (client, ticket) = come(&said).await.unwrap();
        redeems(shop, Side::Admin, &ticket, &client).await.expect(201);
    }
    // Not required any more: it is still asked for, and not insisted on.
    edit(json!({ "require_multi_factor": false })).await.is(200);
    let (client, ticket) = come(&json!({})).await.unwrap();
    redeems(shop, Side::Admin, &ticket, &client).await.expect(201);
}
