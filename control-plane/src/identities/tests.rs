//! Signing in with others over HTTP: with a certified provider, and with one that lies.

mod hostile;
mod lying;
mod real;
mod rights;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use souk_access::LinkSecret;
use souk_openid::ProviderConfig;

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
        self.url.query_pairs().find(|(key, _)| key == name).expect("a parameter").1.into_owned()
    }
}

fn b64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes)
}

/// A query string.
fn query(parts: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parts).finish()
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
