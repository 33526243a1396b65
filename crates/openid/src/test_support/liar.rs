//! A provider that does what a test tells it to. It knows no login page: the test is the browser.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use super::{CLIENT, b64};

/// What it answers.
#[derive(Debug)]
pub struct Script {
    pub metadata: Value,
    pub keys: Value,
    pub keys_asked: usize,
    /// What the token endpoint says, and how.
    pub token: (u16, Value),
    pub userinfo: Value,
    /// Forms that came to the token endpoint, with the `Authorization` header.
    pub exchanged: Vec<HashMap<String, String>>,
}

/// The provider. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Liar {
    pub issuer: String,
    script: Arc<Mutex<Script>>,
}

/// The private key of this number.
pub fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

/// Its public half, as it is published.
pub fn jwk(number: u8) -> Value {
    let x = b64(key(number).verifying_key().as_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": format!("key-{number}"), "x": x })
}

/// A token with these parts, signed with the key of this number.
pub fn signed(number: u8, header: &Value, claims: &Value) -> String {
    let text = format!("{}.{}", b64(header.to_string().as_bytes()), b64(claims.to_string().as_bytes()));
    let signature = key(number).sign(text.as_bytes());
    format!("{text}.{}", b64(&signature.to_bytes()))
}

/// The header of a token signed with it.
pub fn header(number: u8) -> Value {
    json!({ "alg": "EdDSA", "kid": format!("key-{number}") })
}

impl Liar {
    /// Listens at a port of its own.
    ///
    /// # Panics
    /// When it cannot.
    pub async fn new() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "userinfo_endpoint": format!("{issuer}/me"),
            "code_challenge_methods_supported": ["S256"],
        });
        let script = Script {
            metadata,
            keys: json!({ "keys": [{ "kty": "who knows", "kid": "other" }, jwk(1)] }),
            keys_asked: 0,
            token: (500, Value::Null),
            userinfo: json!({}),
            exchanged: Vec::new(),
        };
        let liar = Self { issuer, script: Arc::new(Mutex::new(script)) };
        let state = liar.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(state.clone()))
                .route("/.well-known/openid-configuration", web::get().to(metadata_of))
                .route("/jwks", web::get().to(keys_of))
                .route("/token", web::post().to(token_of))
                .route("/me", web::get().to(userinfo_of))
        });
        let server = server.workers(1).disable_signals().listen(listener).expect("a server").run();
        actix_web::rt::spawn(server);
        liar
    }

    /// What it answers, to be changed.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The claims of an honest token for a sign-in with this nonce; `now` in seconds since 1970.
    pub fn claims(&self, nonce: &str, now: i64, subject: &str, email: &str) -> Value {
        json!({
            "iss": self.issuer, "aud": CLIENT, "sub": subject, "nonce": nonce, "iat": now, "exp": now + 300,
            "email": email, "email_verified": true, "name": "Ada Lovelace",
        })
    }

    /// Answers the exchange with this ID token.
    pub fn gives(&self, id_token: &str) {
        self.script().token =
            (200, json!({ "access_token": "an access token", "token_type": "Bearer", "id_token": id_token }));
    }
}

async fn metadata_of(liar: web::Data<Liar>) -> HttpResponse {
    HttpResponse::Ok().json(&liar.script().metadata)
}

async fn keys_of(liar: web::Data<Liar>) -> HttpResponse {
    let mut script = liar.script();
    script.keys_asked += 1;
    HttpResponse::Ok().json(&script.keys)
}

async fn token_of(
    liar: web::Data<Liar>,
    req: HttpRequest,
    form: web::Form<HashMap<String, String>>,
) -> HttpResponse {
    let mut form = form.into_inner();
    let shown = req.headers().get("authorization").map(|value| value.to_str().expect("text").to_owned());
    form.insert("authorization".to_owned(), shown.unwrap_or_default());
    let mut script = liar.script();
    script.exchanged.push(form);
    HttpResponse::build(script.token.0.try_into().expect("a status")).json(&script.token.1)
}

async fn userinfo_of(liar: web::Data<Liar>, req: HttpRequest) -> HttpResponse {
    let shown = req.headers().get("authorization").and_then(|value| value.to_str().ok());
    if shown != Some("Bearer an access token") {
        return HttpResponse::Unauthorized().finish();
    }
    HttpResponse::Ok().json(&liar.script().userinfo)
}
