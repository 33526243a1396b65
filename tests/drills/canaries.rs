//! Secrets go through both planes, believed, refused, malformed and in the wrong place; then every log is searched for them.

use std::path::{Path, PathBuf};

use futures_util::FutureExt as _;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::Reckoning;
use crate::stage::Stage;

/// What our client is called by at a provider of identities that does not answer.
const CLIENT_SECRET: &str = "canary-of-an-oidc-client-secret";
const PASSWORD: &str = "canary of a password that fits";
const WRONG_PASSWORD: &str = "canary of a password that does not";
const CARD_TOKEN: &str = "tok_canary_of_a_card";
/// A number that passes the check digit: nobody may send one.
const CARD_NUMBER: &str = "4242424242424242";

/// The configuration of that provider.
pub fn providers() -> String {
    json!([{ "id": "nowhere", "name": "Nowhere", "issuer": "http://127.0.0.1:9", "client_id": "souk",
        "client_secret": CLIENT_SECRET }])
    .to_string()
}

/// What was said, by what it is.
struct Secrets(Vec<(String, String)>);

impl Secrets {
    fn keep(&mut self, what: &str, secret: &Value) -> String {
        let secret = secret.as_str().unwrap_or_default().to_owned();
        assert!(secret.len() > 8, "no {what}: `{secret}`");
        self.0.push((what.to_owned(), secret.clone()));
        secret
    }
}

async fn send(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Value::Null))
}

pub async fn run(stage: &Stage) -> Reckoning<'_> {
    let fixed = [
        ("client secret", CLIENT_SECRET),
        ("password", PASSWORD),
        ("wrong password", WRONG_PASSWORD),
        ("card token", CARD_TOKEN),
        ("card number", CARD_NUMBER),
    ];
    let mut secrets = Secrets(fixed.map(|(what, text)| (what.to_owned(), text.to_owned())).to_vec());
    // Another may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build().expect("a client");
    at_the_control_plane(stage, &client, &mut secrets).await;
    at_a_store(stage, &client, &mut secrets).await;
    for port in [stage.platform().ports().control, stage.platform().ports().runtime] {
        for path in ["/metrics", "/readyz"] {
            let page =
                client.get(format!("http://127.0.0.1:{}{path}", port + 1000)).send().await.expect("a page");
            holds_none(&page.text().await.expect("text"), &format!("{path} of port {port}"), &secrets);
        }
    }
    let logs = logs_below(stage.platform().home());
    assert!(logs.len() >= 4, "only these logs: {logs:?}");
    let mut bytes = 0;
    for log in &logs {
        let text = String::from_utf8_lossy(&std::fs::read(log).expect("a log")).into_owned();
        bytes += text.len();
        holds_none(&text, &log.display().to_string(), &secrets);
    }
    let (secrets, logs) = (secrets.0.len(), logs.len());
    async move { format!("{secrets} secrets sent through both planes, none in {logs} logs of {bytes} bytes") }
        .boxed_local()
}

#[track_caller]
fn holds_none(text: &str, place: &str, secrets: &Secrets) {
    for (what, secret) in &secrets.0 {
        if let Some(at) = text.find(secret.as_str()) {
            let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
            let rest = text[at..].find('\n').map_or(text.len(), |end| at + end);
            panic!("{place} holds the {what}: {}", &text[line..rest]);
        }
    }
}

fn logs_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(logs_below(&path));
        } else if path.extension().is_some_and(|end| end == "log") {
            found.push(path);
        }
    }
    found
}

async fn at_the_control_plane(stage: &Stage, client: &Client, secrets: &mut Secrets) {
    let base = format!("http://127.0.0.1:{}", stage.platform().ports().control);
    let call = |method: Method, path: &str| client.request(method, format!("{base}{path}"));
    let email = "canary-of-the-control-plane@example.com";
    let who = json!({ "email": email, "password": PASSWORD, "name": "Canary" });
    assert_eq!(send(call(Method::POST, "/v1/accounts").json(&who)).await.0, 202);
    for (password, status) in [(WRONG_PASSWORD, 401), (PASSWORD, 201)] {
        let wish = json!({ "email": email, "password": password });
        let (told, tokens) = send(call(Method::POST, "/v1/sessions").json(&wish)).await;
        assert_eq!(told, status, "{tokens}");
        if told == 201 {
            secrets.keep("access token", &tokens["access_token"]);
            secrets.keep("refresh token", &tokens["refresh_token"]);
        }
    }
    let token = secrets.0[secrets.0.len() - 2].1.clone();
    let refresh = secrets.0[secrets.0.len() - 1].1.clone();
    // Broken off, of the wrong type, under the wrong name, in the wrong place.
    let broken = format!("{{\"email\": \"{email}\", \"password\": \"{PASSWORD}\", ");
    let json_type = |request: RequestBuilder| request.header("content-type", "application/json");
    send(json_type(call(Method::POST, "/v1/sessions")).body(broken)).await;
    for wish in [
        json!({ "email": { "is": PASSWORD }, "password": [PASSWORD] }),
        json!({ "email": email, "password": PASSWORD, "passwort": PASSWORD }),
        json!({ "email": PASSWORD, "password": PASSWORD }),
    ] {
        let (status, _) = send(call(Method::POST, "/v1/sessions").json(&wish)).await;
        assert!((400..500).contains(&status), "{status}");
    }
    send(call(Method::GET, &format!("/v1/account?access_token={token}"))).await;
    send(call(Method::GET, &format!("/v1/sessions/{refresh}")).bearer_auth(&token)).await;
    send(call(Method::GET, "/v1/account").header("authorization", format!("Basic {token}"))).await;
    send(call(Method::GET, "/v1/account").header("authorization", format!("Bearer {token}x"))).await;
    send(
        call(Method::GET, "/v1/account")
            .header("x-request-id", "canary")
            .header("cookie", format!("s={token}")),
    )
    .await;
    // The second factor's secret, and a provider of identities that is away.
    let (status, factor) = send(
        call(Method::POST, "/v1/account/second-factor")
            .bearer_auth(&token)
            .json(&json!({ "password": PASSWORD })),
    )
    .await;
    assert_eq!(status, 201, "{factor}");
    secrets.keep("authenticator's secret", &factor["secret"]);
    let confirm = call(Method::POST, "/v1/account/second-factor/confirm").bearer_auth(&token);
    send(confirm.json(&json!({ "code": "000000" }))).await;
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let begins = call(Method::GET, &format!("/v1/sign-in/nowhere?challenge={challenge}"));
    let (status, _) = send(begins).await;
    assert!(status >= 300, "nobody is there");
    // Used once, used twice: a family is revoked, and logged.
    for _ in 0..2 {
        let (_, tokens) =
            send(call(Method::POST, "/v1/sessions/refresh").json(&json!({ "refresh_token": refresh }))).await;
        if tokens["access_token"].is_string() {
            secrets.keep("access token", &tokens["access_token"]);
            secrets.keep("refresh token", &tokens["refresh_token"]);
        }
    }
    send(call(Method::POST, "/v1/password-resets").json(&json!({ "email": email }))).await;
    let wish = json!({ "token": "canary-of-a-reset-token-that-nobody-mailed", "password": PASSWORD });
    send(call(Method::POST, "/v1/password-resets/complete").json(&wish)).await;
    secrets.0.push(("reset token".to_owned(), "canary-of-a-reset-token-that-nobody-mailed".to_owned()));
}

async fn at_a_store(stage: &Stage, client: &Client, secrets: &mut Secrets) {
    let shop = stage.open_shop("canaries").await;
    let [publishable, secret] = shop.keys().map(ToOwned::to_owned);
    secrets.0.push(("secret key".to_owned(), secret.clone()));
    // A publishable key is no secret, but a log is no place for it either.
    secrets.0.push(("publishable key".to_owned(), publishable.clone()));
    let (base, host) = shop.place();
    let call =
        |method: Method, path: &str| client.request(method, format!("{base}{path}")).header("host", host);
    let variant = shop.product("Canary", 1250, 10).await;
    let cart = shop.cart(&variant, 1, "canary@example.com").await.expect("a cart");
    secrets.0.push(("cart secret".to_owned(), cart.secret.clone()));
    for token in [CARD_TOKEN, CARD_NUMBER] {
        let answer = shop.pay(&cart, token).await;
        assert!(answer.status >= 400 || answer.body["status"] != "succeeded", "{}", answer.body);
    }
    let cart = shop.cart(&variant, 1, "canary@example.com").await.expect("a cart");
    secrets.0.push(("cart secret".to_owned(), cart.secret.clone()));
    let paid = shop.pay(&cart, "tok_ok").await;
    assert!((200..300).contains(&paid.status), "{}", paid.body);
    if let Some(order) = paid.body["order"]["secret"].as_str() {
        secrets.0.push(("order secret".to_owned(), order.to_owned()));
    }
    // Keys where they must not be.
    for path in [
        format!("/admin/v1/orders?key={secret}"),
        format!("/admin/v1/orders/{secret}"),
        format!("/store/v1/products/{publishable}"),
        format!("/{secret}"),
    ] {
        let (status, problem) = send(call(Method::GET, &path)).await;
        assert!((400..500).contains(&status), "{path}: {status} {problem}");
    }
    let both = call(Method::GET, "/admin/v1/orders").bearer_auth(&secret);
    send(both.header("x-souk-publishable-key", secret.as_str())).await;
    send(call(Method::GET, "/admin/v1/orders").bearer_auth(format!("{secret}x"))).await;
    // A customer's.
    let who = json!({ "email": "canary@example.com", "password": PASSWORD, "first_name": "Canary", "last_name": "Bird" });
    send(call(Method::POST, "/store/v1/customers").json(&who)).await;
    for password in [PASSWORD, WRONG_PASSWORD] {
        let wish = json!({ "email": "canary@example.com", "password": password });
        let (_, tokens) = send(call(Method::POST, "/store/v1/sessions").json(&wish)).await;
        if tokens["access_token"].is_string() {
            secrets.keep("customer's access token", &tokens["access_token"]);
            secrets.keep("customer's refresh token", &tokens["refresh_token"]);
        }
    }
    // A webhook's secret.
    let wish = json!({ "url": "https://example.com/hook", "events": ["order.placed"] });
    let (status, made) =
        send(call(Method::POST, "/admin/v1/webhook-endpoints").bearer_auth(&secret).json(&wish)).await;
    if status == 201 {
        secrets.keep("webhook secret", &made["secret"]);
    }
}
