//! A store of one's own and the shoppers in it, over HTTP.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::platform::Platform;

/// What came back. Status 0: no answer at all.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<String>,
    pub body: Value,
}

impl Answer {
    /// The body of a success.
    ///
    /// # Panics
    /// When it is none.
    pub fn fine(self, what: &str) -> Value {
        assert!((200..300).contains(&self.status), "{what}: {} {}", self.status, self.body);
        self.body
    }

    /// The code of a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// An open store, and the keys to it. Cheap to clone.
#[derive(Clone)]
pub struct Shop {
    client: Client,
    /// `sto_…`
    pub id: String,
    base: String,
    host: String,
    publishable_key: String,
    secret_key: String,
}

/// A cart that is ready to be paid.
#[derive(Clone, Debug)]
pub struct Cart {
    pub id: String,
    pub secret: String,
    pub total: Value,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

async fn send(request: reqwest::RequestBuilder) -> Answer {
    let silence = |error: &dyn std::fmt::Display| Answer {
        status: 0,
        retry_after: None,
        body: Value::String(error.to_string()),
    };
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return silence(&error),
    };
    let status = response.status().as_u16();
    let retry_after =
        response.headers().get("retry-after").and_then(|value| Some(value.to_str().ok()?.to_owned()));
    match response.bytes().await {
        Ok(bytes) => {
            let body = serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
            Answer { status, retry_after, body }
        }
        Err(error) => silence(&error),
    }
}

impl Shop {
    /// Signs up, opens a store in Portugal, and takes its keys.
    ///
    /// # Panics
    /// When any of it is refused or the store is not ready within 30 s.
    pub async fn open(platform: &Platform, name: &str) -> Self {
        // Another process may have chosen already; the same choice is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .pool_idle_timeout(Duration::from_secs(5))
            .build()
            .expect("a client");
        let control = format!("http://127.0.0.1:{}", platform.ports().control);
        let call = |method: Method, path: &str, token: &str| {
            let request = client.request(method, format!("{control}{path}"));
            if token.is_empty() { request } else { request.bearer_auth(token) }
        };
        let email = format!("{name}@example.com");
        let who = json!({ "email": email, "password": "correct horse battery", "name": "Ada" });
        send(call(Method::POST, "/v1/accounts", "").json(&who)).await.fine("sign up");
        let login = json!({ "email": email, "password": "correct horse battery" });
        let tokens = send(call(Method::POST, "/v1/sessions", "").json(&login)).await.fine("sign in");
        let token = text(&tokens["access_token"]);
        let wish = json!({ "name": name, "country": "PT" });
        let open = call(Method::POST, "/v1/stores", &token)
            .header("idempotency-key", format!("open-{name}"))
            .json(&wish);
        let operation = text(&send(open).await.fine("open a store")["id"]);
        let path = format!("/v1/operations/{operation}");
        let mut view = Value::Null;
        for _ in 0..300 {
            view = send(call(Method::GET, &path, &token)).await.fine("the operation");
            if view["state"] == "succeeded" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(view["state"], "succeeded", "{view}");
        let keys = send(call(Method::POST, &format!("{path}/keys"), &token)).await.fine("the keys");
        let url = text(&view["store_url"]);
        Self {
            id: text(&view["store"]),
            base: format!("http://127.0.0.1:{}", platform.ports().runtime),
            host: url.trim_start_matches("http://").to_owned(),
            publishable_key: text(&keys["publishable_key"]),
            secret_key: text(&keys["secret_key"]),
            client,
        }
    }

    /// A store that is open already: `base` is where it is reached, `host` what it is called there.
    ///
    /// # Panics
    /// Only where there is no HTTP client.
    pub fn at(base: &str, host: &str, id: &str, publishable_key: &str, secret_key: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).pool_max_idle_per_host(0);
        let own = ToOwned::to_owned;
        Self {
            client: client.build().expect("a client"),
            id: own(id),
            base: own(base),
            host: own(host),
            publishable_key: own(publishable_key),
            secret_key: own(secret_key),
        }
    }

    /// Its keys, to look for where they must not be.
    pub fn keys(&self) -> [&str; 2] {
        [&self.publishable_key, &self.secret_key]
    }

    /// Where it is reached, and what it is called there.
    pub fn place(&self) -> (&str, &str) {
        (&self.base, &self.host)
    }

    /// What a shopper sees first.
    pub async fn browse(&self) -> Answer {
        let request = self.request(Method::GET, "/store/v1/products");
        send(request.header("x-souk-publishable-key", &self.publishable_key)).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).header("host", &self.host)
    }

    /// A call with the store's secret key.
    pub async fn admin(&self, method: Method, path: &str, key: Option<&str>, body: Option<Value>) -> Answer {
        let mut request = self.request(method, path).bearer_auth(&self.secret_key);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        send(request).await
    }

    /// Something to sell; its variant's id.
    pub async fn product(&self, title: &str, minor: i64, stock: i64) -> String {
        let price = json!({ "amount_minor": minor, "currency": "EUR" });
        let body = json!({ "title": title, "variants": [{ "sku": title, "price": price, "stock": stock }] });
        let key = format!("product-{}", title.replace(' ', "-"));
        let made = self.admin(Method::POST, "/admin/v1/products", Some(&key), Some(body)).await;
        text(&made.fine(title)["variants"][0]["id"])
    }

    /// A cart with `quantity` of one variant, an address and so a total.
    ///
    /// # Errors
    /// The answer, when it was not made.
    pub async fn cart(&self, variant: &str, quantity: u32, email: &str) -> Result<Cart, Answer> {
        let address = json!({ "first_name": "Grace", "last_name": "Hopper", "address1": "Rua do Carmo 1",
            "city": "Lisboa", "postal_code": "1200-093", "country": "PT" });
        let body = json!({ "lines": [{ "variant": variant, "quantity": quantity }], "email": email,
            "shipping_address": address });
        let request = self
            .request(Method::POST, "/store/v1/carts")
            .header("x-souk-publishable-key", &self.publishable_key);
        let answer = send(request.json(&body)).await;
        if answer.status != 201 {
            return Err(answer);
        }
        let field = |name: &str| text(&answer.body[name]);
        Ok(Cart { id: field("id"), secret: field("secret"), total: answer.body["total"].clone() })
    }

    /// One attempt to pay, under the cart's own idempotency key: repeating it is the same attempt.
    pub async fn pay(&self, cart: &Cart, token: &str) -> Answer {
        self.pay_by(cart, json!({ "provider": "test", "token": token })).await
    }

    /// The same by another provider.
    pub async fn pay_by(&self, cart: &Cart, payment: Value) -> Answer {
        let body = json!({ "expected_total": cart.total, "payment": payment });
        let request = self
            .request(Method::POST, &format!("/store/v1/carts/{}/checkout", cart.id))
            .header("x-souk-publishable-key", &self.publishable_key)
            .header("x-cart-secret", &cart.secret)
            .header("idempotency-key", format!("pay-{}", cart.id));
        send(request.json(&body)).await
    }
}
