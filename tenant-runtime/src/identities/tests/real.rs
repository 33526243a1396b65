//! The whole way with a certified provider (npm `oidc-provider`, a process of its own), through its login and consent forms.

use serde_json::json;
use souk_openid::test_support::{Browser, Certified, parameter, query};

use super::{Away, Client, Side, landed, named, redeems};
use crate::customers::tests::people::{PASSWORD, People};
use crate::testing::TestShop;

/// A store with the certified provider, called `real`.
async fn stage(side: Side) -> Option<(People, Certified)> {
    let people = People::open().await;
    let back = format!("http://{}{}", people.shop.store.host, side.path("sign-in/real/callback"));
    let provider = Certified::start(&back).await?;
    let made = named(&people.shop, "real", side, &provider.issuer).await;
    assert_eq!(made.json["callback_url"], json!(back));
    Some((people, provider))
}

/// The whole way: the ticket, with which client.
async fn visits(browser: &mut Browser, shop: &TestShop, side: Side, name: &str) -> (Client, String) {
    let away = Away::leaves(shop, side, "real").await;
    let path = comes_back(browser, shop, &away, name).await;
    let ticket = landed(shop, side, shop.call("GET", &path).send().await).expect("a ticket");
    // The state is used up.
    shop.call("GET", &path).send().await.refused(400, "sign_in_unknown");
    (away.client, ticket)
}

/// The address the browser comes back to, without the host.
async fn comes_back(browser: &mut Browser, shop: &TestShop, away: &Away, name: &str) -> String {
    let host = format!("http://{}/", shop.store.host);
    let back = browser.goes(&away.url, name, &host).await;
    format!("/{}", back.strip_prefix(&host).unwrap())
}

#[actix_web::test]
async fn a_customer_goes_the_whole_way_through_a_certified_provider() {
    let Some((people, provider)) = stage(Side::Store).await else { return };
    let (shop, name) = (&people.shop, provider.name());
    let mut browser = Browser::new();
    let (client, ticket) = visits(&mut browser, shop, Side::Store, name).await;
    assert_eq!(browser.forms, ["login", "consent"]);
    let opened = redeems(shop, Side::Store, &ticket, &client).await.expect(201);
    // The provider keeps the address for its userinfo endpoint: it was asked.
    let account = &opened.json["account"];
    assert_eq!(
        (&account["email"], &account["first_name"], &account["last_name"]),
        (&json!(format!("{name}@example.com")), &json!("Person"), &json!(name))
    );
    redeems(shop, Side::Store, &ticket, &client).await.refused(410, "ticket_unusable");
    // The second time no form is asked, and it is the same customer.
    let (client, ticket) = visits(&mut browser, shop, Side::Store, name).await;
    assert_eq!(browser.forms.len(), 2);
    let again = redeems(shop, Side::Store, &ticket, &client).await.expect(201);
    assert_eq!(again.json["account"]["id"], account["id"]);
    // `fresh` has the provider ask again.
    let away = Away::leaves_with(shop, Side::Store, "real", "&fresh=true").await;
    comes_back(&mut browser, shop, &away, name).await;
    assert_eq!(browser.forms[2], "login");
    // The provider changes its keys (and forgets who was signed in there): its new one is believed.
    browser.pokes(&provider.rotates()).await;
    let (client, ticket) = visits(&mut browser, shop, Side::Store, name).await;
    let again = redeems(shop, Side::Store, &ticket, &client).await.expect(201);
    assert_eq!(again.json["account"]["id"], account["id"]);
}

#[actix_web::test]
async fn an_unverified_address_and_a_foreign_code_at_a_certified_provider() {
    let Some((people, provider)) = stage(Side::Store).await else { return };
    let shop = &people.shop;
    let name = format!("unverified-{}", provider.name());
    let mut browser = Browser::new();
    let (client, ticket) = visits(&mut browser, shop, Side::Store, &name).await;
    redeems(shop, Side::Store, &ticket, &client).await.refused(403, "identity_email_unverified");
    assert_eq!(shop.number("SELECT count(*) AS number FROM customers").await, 0);
    // The way in that remains: an account with a password, to which the identity is linked.
    let ada = people.customer("ada@example.com").await;
    let wish = json!({ "ticket": ticket, "verifier": client.verifier, "password": PASSWORD });
    people.post("/store/v1/account/identities", Some(&ada.access), &wish).await.is(204);
    let (client, ticket) = visits(&mut browser, shop, Side::Store, &name).await;
    let opened = redeems(shop, Side::Store, &ticket, &client).await.expect(201);
    assert_eq!(opened.json["account"]["email"], "ada@example.com");
    // A code of another sign-in: the provider compares the verifier and refuses.
    let mine = Away::leaves(shop, Side::Store, "real").await;
    let theirs = Away::leaves(shop, Side::Store, "real").await;
    let back = comes_back(&mut browser, shop, &theirs, &name).await;
    let code = parameter(&format!("http://x{back}"), "code");
    let mixed = query(&[("code", &code), ("state", &mine.of("state")), ("iss", &provider.issuer)]);
    let answer = shop.call("GET", &format!("/store/v1/sign-in/real/callback?{mixed}")).send().await;
    assert_eq!(landed(shop, Side::Store, answer), Err("refused".into()));
}

#[actix_web::test]
async fn a_colleague_joins_and_works_through_a_certified_provider() {
    let Some((people, provider)) = stage(Side::Admin).await else { return };
    let (shop, name) = (&people.shop, provider.name());
    let mut browser = Browser::new();
    let (client, ticket) = visits(&mut browser, shop, Side::Admin, name).await;
    assert_eq!(browser.forms, ["login", "consent"]);
    redeems(shop, Side::Admin, &ticket, &client).await.refused(403, "identity_unknown");
    let wish = json!({ "email": "charles@example.com", "role": "support" });
    people.post("/admin/v1/staff-invitations", Some(&shop.owner()), &wish).await.is(201);
    let secret = people.mail().await.secret;
    let wish = json!({ "token": secret, "ticket": ticket, "verifier": client.verifier, "name": "Charles" });
    people.post("/admin/v1/staff-invitations/accept-with-identity", None, &wish).await.is(201);
    let (client, ticket) = visits(&mut browser, shop, Side::Admin, name).await;
    let opened = redeems(shop, Side::Admin, &ticket, &client).await.expect(201);
    people.get("/admin/v1/orders", &opened.text("/access_token")).await.is(200);
    people.get("/admin/v1/settings", &opened.text("/access_token")).await.refused(403, "forbidden");
}
