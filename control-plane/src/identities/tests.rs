//! Signing in with others over HTTP: with a certified provider, and with one that lies.

mod hostile;
mod real;
mod rights;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use souk_access::LinkSecret;
use souk_openid::ProviderConfig;
use souk_openid::test_support::{Liar, b64, header, parameter, query, signed};

use crate::testing::{Answer, Call, Doors, House, Person};

/// What a client of ours keeps to itself while its browser is away.
struct Client {
    verifier: String,
}

/// A browser on its way to a provider.
struct Away {
    client: Client,
    url: url::Url,
}

impl Client {
    fn new() -> Self {
        Self { verifier: LinkSecret::mint().unwrap().expose().to_owned() }
    }

    fn challenge(&self) -> String {
        b64(&Sha256::digest(self.verifier.as_bytes()))
    }
}

impl Away {
    async fn leaves<S: Doors>(house: &House<S>, provider: &str) -> Self {
        Self::leaves_with(house, provider, "").await
    }

    async fn leaves_with<S: Doors>(house: &House<S>, provider: &str, more: &str) -> Self {
        let client = Client::new();
        let path = format!("/v1/sign-in/{provider}?challenge={}{more}", client.challenge());
        let answer = house.get(&path).send().await.expect(303);
        assert_eq!(
            (answer.header("cache-control"), answer.header("referrer-policy")),
            ("no-store", "no-referrer")
        );
        Self { client, url: answer.header("location").parse().unwrap() }
    }

    fn of(&self, name: &str) -> String {
        parameter(self.url.as_str(), name)
    }
}

/// What the page of the console finds in its fragment: a ticket, or why there is none.
fn landed(answer: Answer) -> Result<String, String> {
    let location = answer.expect(303).header("location").to_owned();
    let (page, found) = location.split_once('#').expect("a fragment");
    assert_eq!(page, "http://127.0.0.1:8080/signed-in");
    match found.split_once('=').expect("a value") {
        ("token", ticket) => Ok(ticket.to_owned()),
        (_, why) => Err(why.to_owned()),
    }
}

/// A liar's dealings with a house.
trait Lies {
    fn told<S>(&self, house: &House<S>, away: &Away, subject: &str, email: &str) -> Value;
    /// The browser comes back with a code and its state.
    async fn sends_back<S: Doors>(&self, house: &House<S>, away: &Away) -> Answer;
    /// The whole way, for somebody honest: the ticket.
    async fn vouches<S: Doors>(&self, house: &House<S>, subject: &str, email: &str) -> (Away, String);
}

impl Lies for Liar {
    fn told<S>(&self, house: &House<S>, away: &Away, subject: &str, email: &str) -> Value {
        self.claims(&away.of("nonce"), house.plane.clock().now().timestamp(), subject, email)
    }

    async fn sends_back<S: Doors>(&self, house: &House<S>, away: &Away) -> Answer {
        let back = query(&[("code", "a code"), ("state", &away.of("state"))]);
        house.get(&format!("/v1/sign-in/liar/callback?{back}")).send().await
    }

    async fn vouches<S: Doors>(&self, house: &House<S>, subject: &str, email: &str) -> (Away, String) {
        let away = Away::leaves(house, "liar").await;
        self.gives(&signed(1, &header(1), &self.told(house, &away, subject, email)));
        let ticket = landed(self.sends_back(house, &away).await).unwrap();
        (away, ticket)
    }
}

fn redeems<'h, S: Doors>(house: &'h House<S>, ticket: &str, client: &Client) -> Call<'h, S> {
    let wish = json!({ "ticket": ticket, "verifier": client.verifier });
    house.post("/v1/sessions/identity").body(&wish)
}

fn links<'h, S: Doors>(house: &'h House<S>, ticket: &str, client: &Client, who: &Person) -> Call<'h, S> {
    let wish = json!({ "ticket": ticket, "verifier": client.verifier });
    house.post("/v1/account/identities").by(who).body(&wish)
}

fn person(tokens: &Value) -> Person {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Person {
        email: text(&tokens["account"]["email"]),
        account: text(&tokens["account"]["id"]),
        token: text(&tokens["access_token"]),
        refresh: text(&tokens["refresh_token"]),
    }
}

fn config(id: &str, issuer: &str) -> ProviderConfig {
    serde_json::from_value(json!({
        "id": id, "name": "A provider", "issuer": issuer, "client_id": "souk", "client_secret": "a secret of ours",
    }))
    .unwrap()
}

/// How many people, identities and tickets there are of this provider or with this address.
async fn traces<S: Doors>(house: &House<S>, issuer: &str, email: &str) -> i64 {
    let query = "SELECT (SELECT count(*) FROM control.accounts WHERE email = $2) \
         + (SELECT count(*) FROM control.identities WHERE issuer = $1) \
         + (SELECT count(*) FROM control.sign_in_tickets WHERE person->>'issuer' = $1)";
    house.count(query, &[&issuer, &email]).await
}
