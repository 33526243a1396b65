//! Signing in, staying in, and out: over HTTP.

use chrono::TimeDelta;
use serde_json::{Value, json};
use souk_kernel::Email;

use super::model::{Door, buckets};
use crate::testing::{PASSWORD, a_second, clock, house, house_at, pass};

#[actix_web::test]
async fn a_refresh_token_works_once_and_its_reuse_ends_the_session() {
    let house = house().await;
    let ada = house.newcomer().await;
    let first = json!({ "refresh_token": ada.refresh });
    let tokens = house.post("/v1/sessions/refresh").body(&first).send().await.expect(200).json();
    assert_eq!((tokens["token_type"].as_str(), tokens["expires_in"].as_i64()), (Some("Bearer"), Some(900)));
    let second = json!({ "refresh_token": tokens["refresh_token"] });
    let tokens = house.post("/v1/sessions/refresh").body(&second).send().await.expect(200).json();
    house.post("/v1/sessions/refresh").body(&first).send().await.refused(401, "refresh_refused");
    // The thief's use of the first ended the family: the newest token is dead too, and so is the access token.
    let third = json!({ "refresh_token": tokens["refresh_token"] });
    house.post("/v1/sessions/refresh").body(&third).send().await.refused(401, "refresh_refused");
    a_second().await;
    house.get("/v1/account").by(&ada).send().await.refused(401, "unauthenticated");
    house.sign_in(&ada.email, PASSWORD).await;
}

#[actix_web::test]
async fn of_parallel_refreshes_exactly_one_wins() {
    let house = house().await;
    let ada = house.newcomer().await;
    let wish = json!({ "refresh_token": ada.refresh });
    let tries: Vec<_> = (0..6).map(|_| house.post("/v1/sessions/refresh").body(&wish).send()).collect();
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 5);
}

#[actix_web::test]
async fn nonsense_is_no_refresh_token() {
    let house = house().await;
    for text in ["", "rt_", "rt_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "\u{1F4A3}"] {
        let wish = json!({ "refresh_token": text });
        house.post("/v1/sessions/refresh").body(&wish).send().await.refused(401, "refresh_refused");
    }
}

#[actix_web::test]
async fn signing_out_ends_one_session_or_all() {
    let house = house().await;
    let here = house.newcomer().await;
    let there = house.sign_in(&here.email, PASSWORD).await;
    let third = house.sign_in(&here.email, PASSWORD).await;
    let list = house.get("/v1/sessions").by(&here).send().await.expect(200).json();
    let current: Vec<bool> =
        list["data"].as_array().unwrap().iter().map(|it| it["current"] == json!(true)).collect();
    assert_eq!(current, [false, false, true]);
    house.delete("/v1/sessions/current").by(&here).send().await.expect(204);
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/sessions/{}", id(&list["data"][1]));
    house.delete(&path).by(&third).send().await.expect(204);
    house.delete(&path).by(&third).send().await.refused(404, "not_found");
    a_second().await;
    house.get("/v1/account").by(&here).send().await.refused(401, "unauthenticated");
    house.get("/v1/account").by(&there).send().await.refused(401, "unauthenticated");
    house.get("/v1/account").by(&third).send().await.expect(200);
    let stranger = house.newcomer().await;
    let path = format!("/v1/sessions/{}", id(&list["data"][0]));
    house.delete(&path).by(&stranger).send().await.refused(404, "not_found");
    house.delete("/v1/sessions").by(&third).send().await.expect(204);
    a_second().await;
    house.get("/v1/account").by(&third).send().await.refused(401, "unauthenticated");
    let wish = json!({ "refresh_token": third.refresh });
    house.post("/v1/sessions/refresh").body(&wish).send().await.refused(401, "refresh_refused");
}

#[actix_web::test]
async fn sessions_end_with_time() {
    let clock = clock();
    let house = house_at(clock.clone()).await;
    let ada = house.newcomer().await;
    pass(&clock, TimeDelta::minutes(17));
    house.get("/v1/account").by(&ada).send().await.refused(401, "unauthenticated");
    let wish = json!({ "refresh_token": ada.refresh });
    let tokens = house.post("/v1/sessions/refresh").body(&wish).send().await.expect(200).json();
    pass(&clock, TimeDelta::days(14));
    let late = json!({ "refresh_token": tokens["refresh_token"] });
    house.post("/v1/sessions/refresh").body(&late).send().await.refused(401, "refresh_refused");
}

#[actix_web::test]
async fn a_wrong_password_and_an_unknown_address_answer_alike() {
    let house = house().await;
    let ada = house.newcomer().await;
    let wrong = json!({ "email": ada.email, "password": "not the password" });
    let nobody = json!({ "email": format!("nobody-{}", ada.email), "password": "not the password" });
    let long = json!({ "email": ada.email, "password": "x".repeat(129) });
    let mut said = Vec::new();
    for wish in [wrong, nobody, long] {
        let mut problem =
            house.post("/v1/sessions").body(&wish).send().await.refused(401, "wrong_credentials").json();
        problem["request_id"] = Value::Null;
        said.push(problem);
    }
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]));
}

#[actix_web::test]
async fn guessing_is_slowed_per_account_and_network_but_locks_nobody_out() {
    let clock = clock();
    let house = house_at(clock.clone()).await;
    let ada = house.newcomer().await;
    let wrong = json!({ "email": ada.email, "password": "not the password" });
    let right = json!({ "email": ada.email, "password": PASSWORD });
    for _ in 0..10 {
        let answer = house.post("/v1/sessions").body(&wrong).at_network("203.0.113.7").send().await;
        answer.refused(401, "wrong_credentials");
    }
    // The right password does not help from there any more, but its owner is let in from elsewhere.
    for wish in [&wrong, &right] {
        let answer = house.post("/v1/sessions").body(wish).at_network("203.0.113.7").send().await;
        let answer = answer.refused(429, "too_many_requests");
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=600).contains(&wait), "{wait}");
    }
    house.post("/v1/sessions").body(&right).at_network("198.51.100.4").send().await.expect(201);
    pass(&clock, TimeDelta::minutes(10));
    house.post("/v1/sessions").body(&right).at_network("203.0.113.7").send().await.expect(201);
}

#[actix_web::test]
async fn strangers_everywhere_do_not_lock_out_whoever_comes_from_home() {
    let clock = clock();
    let house = house_at(clock.clone()).await;
    let ada = house.newcomer().await;
    let wrong = json!({ "email": ada.email, "password": "not the password" });
    let right = json!({ "email": ada.email, "password": PASSWORD });
    let home = "203.0.113.99";
    let from = async |network: &str, wish: &Value| {
        house.post("/v1/sessions").body(wish).at_network(network).send().await
    };
    from(home, &right).await.expect(201);
    from("192.0.2.99", &wrong).await.refused(401, "wrong_credentials");
    // As if ten networks had guessed ten times each.
    let key = ada.email.parse::<Email>().unwrap().key();
    let account = buckets(Door::SignIn, &key, "192.0.2.99", 100).swap_remove(1).name;
    let filled = "UPDATE control.throttles SET failures = 100 WHERE bucket = $1";
    assert_eq!(house.rows().await.execute(filled, &[&account]).await.unwrap(), 1);
    for wish in [&wrong, &right] {
        from("198.51.100.99", wish).await.refused(429, "too_many_requests");
    }
    from(home, &right).await.expect(201);
    // There too one guesses ten times, and no more.
    for _ in 0..10 {
        from(home, &wrong).await.refused(401, "wrong_credentials");
    }
    from(home, &right).await.refused(429, "too_many_requests");
    // A month later it is a network like any other.
    pass(&clock, TimeDelta::days(31));
    from("192.0.2.99", &wrong).await.refused(401, "wrong_credentials");
    assert_eq!(house.rows().await.execute(filled, &[&account]).await.unwrap(), 1);
    from(home, &right).await.refused(429, "too_many_requests");
}

#[actix_web::test]
async fn one_network_cannot_try_many_accounts() {
    let house = house_at(clock()).await;
    let network = "192.0.2.77";
    for number in 0..100 {
        let wish = json!({ "email": format!("spray-{number}@example.com"), "refresh": 1 });
        house.post("/v1/sessions").body(&wish).at_network(network).send().await.expect(422);
    }
    // Refused bodies cost nothing and are not counted; resets are, at their own door.
    for number in 0..100 {
        let wish = json!({ "email": format!("spray-{number}@example.com") });
        house.post("/v1/password-resets").body(&wish).at_network(network).send().await.expect(202);
    }
    let wish = json!({ "email": "spray-100@example.com" });
    house
        .post("/v1/password-resets")
        .body(&wish)
        .at_network(network)
        .send()
        .await
        .refused(429, "too_many_requests");
    house.post("/v1/password-resets").body(&wish).at_network("192.0.2.78").send().await.expect(202);
}

#[actix_web::test]
async fn what_is_no_token_is_refused() {
    let house = house().await;
    let ada = house.newcomer().await;
    let tampered = format!("Bearer {}x", ada.token);
    for value in ["Bearer", "Bearer a.b.c", "Basic dTpw", "Bearer sk_test_abc", tampered.as_str()] {
        house.get("/v1/account").header("authorization", value).send().await.refused(401, "unauthenticated");
    }
}
