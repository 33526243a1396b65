//! Following work and taking keys: over HTTP.

use chrono::TimeDelta;
use serde_json::json;

use crate::testing::{PASSWORD, a_second, clock, house, house_alone, pass};

#[actix_web::test]
async fn a_stream_tells_the_progress_and_ends_with_it() {
    let house = house().await;
    let ada = house.newcomer().await;
    let path = house.ask_for_store(&ada, &json!({ "name": "Tea", "country": "GB" })).await;
    let stream = house.get(&format!("{path}/events")).by(&ada).send().await.expect(200);
    assert_eq!(stream.header("content-type"), "text/event-stream");
    let events: Vec<serde_json::Value> = stream
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    assert_eq!(events.last().unwrap()["state"], "succeeded");
    assert!(stream.text.ends_with("\n\n"));
    let eve = house.newcomer().await;
    house.get(&format!("{path}/events")).by(&eve).send().await.refused(404, "not_found");
    house.get(&path).by(&eve).send().await.refused(404, "not_found");
    let etag = house.get(&path).by(&ada).send().await.header("etag").to_owned();
    house.get(&path).by(&ada).header("if-none-match", &etag).send().await.expect(304);
}

#[actix_web::test]
async fn keys_wait_for_the_end_and_for_a_day() {
    let clock = clock();
    let house = house_alone(clock.clone(), |_| ()).await;
    let provisioner = house.database.provisioner().await;
    let ada = house.newcomer().await;
    let path = house.ask_for_store(&ada, &json!({ "name": "Tea", "country": "GB" })).await;
    house.post(&format!("{path}/keys")).by(&ada).send().await.refused(409, "keys_not_ready");
    house.work(&provisioner).await;
    let view = house.get(&path).by(&ada).send().await.json();
    assert_eq!(view["keys"]["state"], "waiting");
    pass(&clock, TimeDelta::hours(24));
    let ada = house.sign_in(&ada.email, PASSWORD).await;
    house.post(&format!("{path}/keys")).by(&ada).send().await.refused(410, "keys_gone");
    assert_eq!(house.get(&path).by(&ada).send().await.json()["keys"]["state"], "expired");
    let worker = house.plane.gate().worker("test", "looks at the clock");
    crate::worker::tick(&worker, house.plane.vault()).await.unwrap();
    let kept = "SELECT count(*) FROM control.operations WHERE result_secret IS NOT NULL";
    assert_eq!(house.count(kept, &[]).await, 0);
    if let crate::testing::Database::Own(database) = house.database {
        drop((house.doors, house.plane));
        database.remove().await;
    }
}

#[actix_web::test]
async fn keys_are_shown_to_whoever_proved_who_they_are_lately() {
    let house = house().await;
    let ada = house.newcomer().await;
    let (_, operation) = house.open_store(&ada, &json!({ "name": "Tea", "country": "GB" })).await;
    let view = format!("/v1/operations/{}", operation["id"].as_str().unwrap());
    let path = format!("{view}/keys");
    let long_ago = "UPDATE control.sessions SET proved_at = now() - interval '16 minutes' WHERE account_id = (SELECT id FROM control.accounts WHERE email = $1)";
    assert_eq!(house.rows().await.execute(long_ago, &[&ada.email]).await.unwrap(), 1);
    a_second().await;
    house.post(&path).by(&ada).send().await.refused(401, "step_up_required");
    assert_eq!(house.get(&view).by(&ada).send().await.json()["keys"]["state"], "waiting");
    let proof = json!({ "password": PASSWORD });
    house.post("/v1/sessions/current/proof").by(&ada).body(&proof).send().await.expect(204);
    house.post(&path).by(&ada).send().await.expect(200);
}

#[actix_web::test]
async fn of_parallel_reveals_one_gets_the_keys() {
    let house = house().await;
    let ada = house.newcomer().await;
    let (store, operation) = house.open_store(&ada, &json!({ "name": "Tea", "country": "GB" })).await;
    let path = format!("/v1/operations/{}/keys", operation["id"].as_str().unwrap());
    let answers =
        futures_util::future::join_all((0..5).map(|_| house.post(&path).by(&ada).send()).collect::<Vec<_>>())
            .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 410).count(), 4);
    let organization = store["organization"].as_str().unwrap();
    let list =
        house.get(&format!("/v1/organizations/{organization}/operations")).by(&ada).send().await.expect(200);
    assert_eq!(list.json()["data"][0]["keys"]["state"], "revealed");
}
