//! The whole way with a certified provider (npm `oidc-provider`, a process of its own), through its login and consent forms.

use serde_json::json;
use souk_openid::test_support::{Browser, Certified, parameter};

use super::{Away, config, landed, links, person, query, redeems};
use crate::testing::{Doors, House, clock, house_beside};

const CALLBACK: &str = "http://127.0.0.1:8080/v1/sign-in/real/callback";

async fn stage(provider: &Certified) -> House<impl Doors> {
    let issuer = provider.issuer.clone();
    house_beside(clock(), vec![config("real", &issuer)]).await
}

/// The whole way: the ticket, with which client.
async fn visits<S: Doors>(browser: &mut Browser, house: &House<S>, name: &str) -> (Away, String) {
    let away = Away::leaves(house, "real").await;
    let back = browser.goes(away.url.as_str(), name, "http://127.0.0.1:8080/").await;
    let path = back.strip_prefix("http://127.0.0.1:8080").unwrap();
    let ticket = landed(house.get(path).send().await).expect("a ticket");
    // The state is used up.
    house.get(path).send().await.refused(400, "sign_in_unknown");
    (away, ticket)
}

#[actix_web::test]
async fn the_whole_way_through_a_certified_provider() {
    let Some(provider) = Certified::start(CALLBACK).await else { return };
    let house = stage(&provider).await;
    let name = provider.name();
    let listed = house.get("/v1/identity-providers").send().await.expect(200).json();
    assert_eq!(
        listed["data"],
        json!([{ "id": "real", "name": "A provider", "sign_in_url": "http://127.0.0.1:8080/v1/sign-in/real" }])
    );
    let mut browser = Browser::new();
    let (away, ticket) = visits(&mut browser, &house, name).await;
    assert_eq!(browser.forms, ["login", "consent"]);
    let tokens = redeems(&house, &ticket, &away.client).send().await.expect(201).json();
    // The provider keeps the address for its userinfo endpoint: it was asked.
    assert_eq!(
        (&tokens["account"]["email"], &tokens["account"]["name"]),
        (&json!(format!("{name}@example.com")), &json!(format!("Person {name}")))
    );
    let ada = person(&tokens);
    house.get("/v1/account").by(&ada).send().await.expect(200);
    redeems(&house, &ticket, &away.client).send().await.refused(410, "ticket_unusable");
    // The second time no form is asked, and it is the same account.
    let (away, ticket) = visits(&mut browser, &house, name).await;
    assert_eq!(browser.forms.len(), 2);
    let tokens = redeems(&house, &ticket, &away.client).send().await.expect(201).json();
    assert_eq!(tokens["account"]["id"], json!(ada.account));
    // `fresh` has the provider ask again.
    let away = Away::leaves_with(&house, "real", "&fresh=true").await;
    browser.goes(away.url.as_str(), name, "http://127.0.0.1:8080/").await;
    assert_eq!(browser.forms[2], "login");
    // The provider changes its keys (and forgets who was signed in there): its new one is believed.
    browser.pokes(&provider.rotates()).await;
    let (away, ticket) = visits(&mut browser, &house, name).await;
    let tokens = redeems(&house, &ticket, &away.client).send().await.expect(201).json();
    assert_eq!(tokens["account"]["id"], json!(ada.account));
}

#[actix_web::test]
async fn an_unverified_address_and_a_foreign_code_at_a_certified_provider() {
    let Some(provider) = Certified::start(CALLBACK).await else { return };
    let house = stage(&provider).await;
    let name = format!("unverified-{}", provider.name());
    let mut browser = Browser::new();
    let (away, ticket) = visits(&mut browser, &house, &name).await;
    redeems(&house, &ticket, &away.client).send().await.refused(403, "identity_email_unverified");
    // The way in that remains: an account with a password, to which the identity is linked.
    let ada = house.newcomer().await;
    links(&house, &ticket, &away.client, &ada).send().await.expect(204);
    let (away, ticket) = visits(&mut browser, &house, &name).await;
    let tokens = redeems(&house, &ticket, &away.client).send().await.expect(201).json();
    assert_eq!(tokens["account"]["id"], json!(ada.account));
    // A code of another sign-in: the provider compares the verifier and refuses.
    let (mine, theirs) = (Away::leaves(&house, "real").await, Away::leaves(&house, "real").await);
    let back = browser.goes(theirs.url.as_str(), &name, "http://127.0.0.1:8080/").await;
    let code = parameter(&back, "code");
    let mixed = query(&[("code", &code), ("state", &mine.of("state")), ("iss", &provider.issuer)]);
    let answer = house.get(&format!("/v1/sign-in/real/callback?{mixed}")).send().await;
    assert_eq!(landed(answer), Err("refused".into()));
}
