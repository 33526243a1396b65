//! Signing in with the providers of a store, over HTTP: with a certified provider, and with one that lies.

mod colleagues;
mod devices;
mod hostile;
mod owners;
mod real;
mod rights;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use souk_access::LinkSecret;
use souk_openid::test_support::{CLIENT, CLIENT_SECRET, Liar, b64, header, parameter, query, signed};

use crate::customers::tests::people::People;
use crate::testing::{Answer, TestShop};

const PROVIDERS: &str = "/admin/v1/identity-providers";

/// Which side of the API: customers', or that of people who work here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Store,
    Admin,
}

impl Side {
    fn audience(self) -> &'static str {
        match self {
            Self::Store => "customers",
            Self::Admin => "staff",
        }
    }

    fn path(self, rest: &str) -> String {
        match self {
            Self::Store => format!("/store/v1/{rest}"),
            Self::Admin => format!("/admin/v1/{rest}"),
        }
    }
}

/// What a client of ours keeps to itself while its browser is away.
struct Client {
    verifier: String,
}

/// A browser on its way to a provider.
struct Away {
    client: Client,
    url: String,
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
    async fn leaves(shop: &TestShop, side: Side, provider: &str) -> Self {
        Self::leaves_with(shop, side, provider, "").await
    }

    async fn leaves_with(shop: &TestShop, side: Side, provider: &str, more: &str) -> Self {
        let client = Client::new();
        let path = side.path(&format!("sign-in/{provider}?challenge={}{more}", client.challenge()));
        let answer = shop.call("GET", &path).send().await.expect(303);
        assert_eq!(
            (answer.header("cache-control"), answer.header("referrer-policy")),
            ("no-store", "no-referrer")
        );
        Self { client, url: answer.header("location").to_owned() }
    }

    fn of(&self, name: &str) -> String {
        parameter(&self.url, name)
    }
}

/// What the page that is told finds in its fragment: a ticket, or why there is none.
#[track_caller]
fn landed(shop: &TestShop, side: Side, answer: Answer) -> Result<String, String> {
    let location = answer.expect(303).header("location").to_owned();
    let (page, found) = location.split_once('#').expect("a fragment");
    let own = format!("http://{}/account/signed-in", shop.store.host);
    assert_eq!(
        page,
        if side == Side::Store { own.as_str() } else { "https://console.example/signed-in-to-store" }
    );
    match found.split_once('=').expect("a value") {
        ("token", ticket) if side == Side::Store => Ok(ticket.to_owned()),
        ("token", ticket) => {
            let (ticket, store) = ticket.split_once("&store=").expect("a store");
            assert_eq!(store, shop.store.id.to_string());
            Ok(ticket.to_owned())
        }
        (_, why) => Err(why.to_owned()),
    }
}

/// Shows a ticket where it opens a session.
async fn redeems(shop: &TestShop, side: Side, ticket: &str, client: &Client) -> Answer {
    let wish = json!({ "ticket": ticket, "verifier": client.verifier });
    shop.call("POST", &side.path("sessions/identity")).json(&wish).send().await
}

fn wish(id: &str, side: Side, issuer: &str) -> Value {
    json!({
        "id": id, "audience": side.audience(), "name": "A provider", "issuer": issuer, "client_id": CLIENT,
        "client_secret": CLIENT_SECRET,
    })
}

/// The owner names a provider.
async fn named(shop: &TestShop, id: &str, side: Side, issuer: &str) -> Answer {
    shop.owner_call("POST", PROVIDERS).json(&wish(id, side, issuer)).send().await.expect(201)
}

/// A store with a provider that lies, called `liar`.
async fn stage(side: Side) -> (People, Liar) {
    let (people, liar) = (People::open().await, Liar::new().await);
    named(&people.shop, "liar", side, &liar.issuer).await;
    (people, liar)
}

/// A liar's dealings with a shop.
trait Lies {
    fn told(&self, shop: &TestShop, away: &Away, subject: &str, email: &str) -> Value;
    /// The browser comes back with a code and its state.
    async fn sends_back(&self, shop: &TestShop, side: Side, away: &Away) -> Answer;
    /// The whole way, for somebody honest: the ticket.
    async fn vouches(&self, shop: &TestShop, side: Side, subject: &str, email: &str) -> (Client, String);
}

impl Lies for Liar {
    fn told(&self, shop: &TestShop, away: &Away, subject: &str, email: &str) -> Value {
        self.claims(&away.of("nonce"), shop.clock.now().timestamp(), subject, email)
    }

    async fn sends_back(&self, shop: &TestShop, side: Side, away: &Away) -> Answer {
        let back = query(&[("code", "a code"), ("state", &away.of("state"))]);
        shop.call("GET", &side.path(&format!("sign-in/liar/callback?{back}"))).send().await
    }

    async fn vouches(&self, shop: &TestShop, side: Side, subject: &str, email: &str) -> (Client, String) {
        let away = Away::leaves(shop, side, "liar").await;
        self.gives(&signed(1, &header(1), &self.told(shop, &away, subject, email)));
        let ticket = landed(shop, side, self.sends_back(shop, side, &away).await).unwrap();
        (away.client, ticket)
    }
}

/// How many customers, identities and tickets there are.
async fn traces(shop: &TestShop) -> i64 {
    shop.number(
        "SELECT (SELECT count(*) FROM customers) + (SELECT count(*) FROM identities) + (SELECT count(*) FROM sign_in_tickets) AS number",
    )
    .await
}
