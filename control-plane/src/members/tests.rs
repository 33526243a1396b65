//! Members, invitations and what each role may do: over HTTP.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::testing::{Doors, House, Person, a_second, clock, house, house_at, pass};

async fn organization<S: Doors>(house: &House<S>, owner: &Person) -> String {
    let answer = house
        .post("/v1/organizations")
        .by(owner)
        .body(&json!({ "name": "Engines" }))
        .send()
        .await
        .expect(201);
    answer.header("location").to_owned()
}

async fn bring_in<S: Doors>(house: &House<S>, path: &str, owner: &Person, role: &str) -> Person {
    let person = house.newcomer().await;
    let wish = json!({ "email": person.email, "role": role });
    house.post(&format!("{path}/invitations")).by(owner).body(&wish).send().await.expect(201);
    let token = house.mailed_token(&person.email, "/accept-invitation").await;
    let joined =
        house.post("/v1/invitations/accept").by(&person).body(&json!({ "token": token })).send().await;
    assert_eq!(joined.expect(200).json()["role"], role);
    person
}

async fn member<S: Doors>(house: &House<S>, path: &str, by: &Person, person: &Person) -> String {
    let list = house.get(&format!("{path}/members")).by(by).send().await.expect(200).json();
    let them = list["data"].as_array().unwrap().iter().find(|it| it["account"] == person.account.as_str());
    format!("{path}/members/{}", them.expect("a member")["id"].as_str().unwrap())
}

#[actix_web::test]
async fn an_invitation_brings_one_person_in() {
    let house = house().await;
    let ada = house.newcomer().await;
    let path = organization(&house, &ada).await;
    let (bob, eve) = (house.newcomer().await, house.newcomer().await);
    let wish = json!({ "email": bob.email, "role": "developer" });
    let invitations = format!("{path}/invitations");
    house.post(&invitations).by(&ada).body(&wish).send().await.expect(201);
    let first = house.mailed_token(&bob.email, "/accept-invitation").await;
    house.post(&invitations).by(&ada).body(&wish).send().await.expect(201);
    let second = house.mailed_token(&bob.email, "/accept-invitation").await;
    let open = house.get(&invitations).by(&ada).send().await.expect(200).json();
    assert_eq!(open["data"].as_array().unwrap().len(), 1);

    let accept = |token: &str| json!({ "token": token });
    let door = "/v1/invitations/accept";
    house.post(door).by(&bob).body(&accept(&first)).send().await.refused(410, "invitation_unusable");
    house.post(door).by(&eve).body(&accept(&second)).send().await.refused(410, "invitation_unusable");
    house.post(door).by(&bob).body(&accept(&second)).send().await.expect(200);
    house.post(door).by(&bob).body(&accept(&second)).send().await.refused(410, "invitation_unusable");
    house.get(&path).by(&bob).send().await.expect(200);
    house.get(&path).by(&eve).send().await.refused(404, "not_found");
    house.post(&invitations).by(&ada).body(&wish).send().await.refused(409, "already_member");
}

#[actix_web::test]
async fn an_invitation_can_be_taken_back_and_runs_out() {
    let clock = clock();
    let house = house_at(clock.clone()).await;
    let ada = house.newcomer().await;
    let path = organization(&house, &ada).await;
    let bob = house.newcomer().await;
    let invitations = format!("{path}/invitations");
    let wish = json!({ "email": bob.email, "role": "viewer" });
    let invitation = house.post(&invitations).by(&ada).body(&wish).send().await.expect(201).json();
    let token = house.mailed_token(&bob.email, "/accept-invitation").await;
    let one = format!("{invitations}/{}", invitation["id"].as_str().unwrap());
    house.delete(&one).by(&ada).send().await.expect(204);
    house.delete(&one).by(&ada).send().await.refused(404, "not_found");
    let accept = json!({ "token": token });
    house
        .post("/v1/invitations/accept")
        .by(&bob)
        .body(&accept)
        .send()
        .await
        .refused(410, "invitation_unusable");

    house.post(&invitations).by(&ada).body(&wish).send().await.expect(201);
    let token = house.mailed_token(&bob.email, "/accept-invitation").await;
    pass(&clock, TimeDelta::days(7));
    let bob = house.sign_in(&bob.email, crate::testing::PASSWORD).await;
    let accept = json!({ "token": token });
    house
        .post("/v1/invitations/accept")
        .by(&bob)
        .body(&accept)
        .send()
        .await
        .refused(410, "invitation_unusable");
}

#[actix_web::test]
async fn the_last_owner_stays() {
    let house = house().await;
    let ada = house.newcomer().await;
    let path = organization(&house, &ada).await;
    let her = member(&house, &path, &ada, &ada).await;
    house.delete(&her).by(&ada).send().await.refused(409, "last_owner_stays");
    let down = json!({ "role": "admin" });
    house.patch(&her).by(&ada).body(&down).send().await.refused(409, "last_owner_stays");
    let bob = bring_in(&house, &path, &ada, "owner").await;
    let him = member(&house, &path, &ada, &bob).await;
    // Two owners who leave at once: one stays.
    let (one, two) =
        futures_util::join!(house.delete(&her).by(&bob).send(), house.delete(&him).by(&ada).send());
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert!(statuses == [204, 409] || statuses == [204, 404], "{statuses:?}");
    let id = path.trim_start_matches("/v1/organizations/").parse::<souk_kernel::OrganizationId>().unwrap();
    let owners = "SELECT count(*) FROM control.members WHERE organization_id = $1 AND role = 'owner'";
    assert_eq!(house.count(owners, &[&id.uuid()]).await, 1);
}

#[actix_web::test]
async fn nobody_grants_or_takes_more_than_they_hold() {
    let house = house().await;
    let ada = house.newcomer().await;
    let path = organization(&house, &ada).await;
    let admin = bring_in(&house, &path, &ada, "admin").await;
    let viewer = bring_in(&house, &path, &ada, "viewer").await;
    let invitations = format!("{path}/invitations");
    let owner_wanted = json!({ "email": "x@example.com", "role": "owner" });
    house.post(&invitations).by(&admin).body(&owner_wanted).send().await.refused(403, "forbidden");
    let (her, them) = (member(&house, &path, &ada, &ada).await, member(&house, &path, &ada, &viewer).await);
    house.patch(&her).by(&admin).body(&json!({ "role": "viewer" })).send().await.refused(403, "forbidden");
    house.delete(&her).by(&admin).send().await.refused(403, "forbidden");
    house.patch(&them).by(&admin).body(&json!({ "role": "owner" })).send().await.refused(403, "forbidden");
    let answer = house.patch(&them).by(&admin).body(&json!({ "role": "developer" })).send().await.expect(200);
    assert_eq!((answer.json()["role"].as_str(), answer.header("etag")), (Some("developer"), "\"2\""));
    house
        .post(&invitations)
        .by(&viewer)
        .body(&json!({ "email": "x@example.com", "role": "viewer" }))
        .send()
        .await
        .expect(403);
    house
        .patch(&them)
        .by(&ada)
        .body(&json!({ "role": "emperor" }))
        .send()
        .await
        .refused(422, "validation_failed");

    // Removed: within a second everything is closed.
    house.delete(&them).by(&admin).send().await.expect(204);
    a_second().await;
    house.get(&path).by(&viewer).send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn members_come_in_pages_and_as_many_as_the_plan_allows() {
    let house = house().await;
    let ada = house.newcomer().await;
    let path = organization(&house, &ada).await;
    for _ in 0..4 {
        bring_in(&house, &path, &ada, "viewer").await;
    }
    let more = json!({ "email": "one-more@example.com", "role": "viewer" });
    let full = house.post(&format!("{path}/invitations")).by(&ada).body(&more).send().await;
    assert_eq!(full.refused(409, "member_quota_reached").json()["limit"], 5);

    let mut seen: Vec<Value> = Vec::new();
    let mut next = format!("{path}/members?limit=2");
    loop {
        let page = house.get(&next).by(&ada).send().await.expect(200).json();
        seen.extend(page["data"].as_array().unwrap().iter().map(|it| it["id"].clone()));
        let Some(after) = page["page"]["next"].as_str() else { break };
        next = format!("{path}/members?limit=2&after={after}");
    }
    seen.dedup();
    assert_eq!(seen.len(), 5);
    let other = organization(&house, &ada).await;
    let carried = next.replace(&path, &other);
    house.get(&carried).by(&ada).send().await.refused(400, "invalid_cursor");
    house.get(&format!("{path}/members?limit=0")).by(&ada).send().await.expect(422);
}
