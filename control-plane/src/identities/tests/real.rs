//! The whole way with a certified provider (npm `oidc-provider`, a process of its own), through its login and consent forms.

use std::collections::BTreeMap;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::{Away, config, landed, links, person, query, redeems};
use crate::testing::{Doors, House, clock, house_beside};

struct Provider {
    issuer: String,
    _process: Child,
    /// Kept open: it says more, and dies of a closed pipe.
    _says: Lines<BufReader<ChildStdout>>,
}

/// Starts it; installs it the first time. `None`, and said so, where Node.js is missing; in CI that is a failure.
async fn provider() -> Option<Provider> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/openid/provider/start.sh");
    let client = json!({
        "client_id": "souk", "client_secret": "a secret of ours",
        "redirect_uri": "http://127.0.0.1:8080/v1/sign-in/real/callback",
    });
    let mut process = Command::new(script)
        .arg(client.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("a shell");
    let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    if let Some(line) = lines.next_line().await.expect("a line") {
        let told: Value = serde_json::from_str(&line).expect("JSON");
        return Some(Provider {
            issuer: told["issuer"].as_str().unwrap().to_owned(),
            _process: process,
            _says: lines,
        });
    }
    let status = process.wait().await.expect("a status");
    #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
    let in_ci = std::env::var("CI").is_ok();
    assert!(status.code() == Some(3) && !in_ci, "the OpenID provider did not start: {status}");
    println!("SKIPPED: signing in with a real provider needs Node.js 20 and npm");
    None
}

async fn stage(provider: &Provider) -> House<impl Doors> {
    let issuer = provider.issuer.clone();
    house_beside(clock(), vec![config("real", &issuer)]).await
}

/// A browser: cookies, forms, and somebody who types their name.
struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
    forms: Vec<String>,
}

impl Browser {
    fn new() -> Self {
        Self { http: souk_openid::client().unwrap(), cookies: BTreeMap::new(), forms: Vec::new() }
    }

    /// Goes where it is sent and fills in forms, until it is sent to an address that starts so.
    async fn goes(&mut self, start: &str, name: &str, until: &str) -> String {
        let mut at = url::Url::parse(start).unwrap();
        let mut form: Option<Vec<(&str, String)>> = None;
        for _ in 0..20 {
            let jar: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let request = match form.take() {
                None => self.http.get(at.clone()),
                Some(fields) => {
                    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    let typed = ("content-type", "application/x-www-form-urlencoded");
                    self.http.post(at.clone()).header(typed.0, typed.1).body(query(&fields))
                }
            };
            let answer = request.header("cookie", jar.join("; ")).send().await.unwrap();
            for line in answer.headers().get_all("set-cookie") {
                let (pair, _) = line.to_str().unwrap().split_once(';').unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            if let Some(location) = answer.headers().get("location") {
                let next = at.join(location.to_str().unwrap()).unwrap();
                if next.as_str().starts_with(until) {
                    return next.to_string();
                }
                at = next;
                continue;
            }
            let (status, page) = (answer.status(), answer.text().await.unwrap());
            let after = |text: &str, start: &str| {
                text.split_once(start).and_then(|(_, rest)| rest.split_once('"')).map(|(it, _)| it.to_owned())
            };
            let action = after(&page, "action=\"").unwrap_or_else(|| panic!("{status} {page}"));
            let prompt = after(&page, "name=\"prompt\" value=\"").unwrap();
            self.forms.push(prompt.clone());
            at = at.join(&action).unwrap();
            form = Some(vec![("prompt", prompt), ("login", name.to_owned()), ("password", "any".to_owned())]);
        }
        panic!("the browser goes round in circles");
    }

    /// The whole way: the ticket, with which client.
    async fn visits<S: Doors>(&mut self, house: &House<S>, name: &str) -> (Away, String) {
        let away = Away::leaves(house, "real").await;
        let back = self.goes(away.url.as_str(), name, "http://127.0.0.1:8080/").await;
        let path = back.strip_prefix("http://127.0.0.1:8080").unwrap();
        let ticket = landed(house.get(path).send().await).expect("a ticket");
        // The state is used up.
        house.get(path).send().await.refused(400, "sign_in_unknown");
        (away, ticket)
    }
}

#[actix_web::test]
async fn the_whole_way_through_a_certified_provider() {
    let Some(provider) = provider().await else { return };
    let house = stage(&provider).await;
    let name = provider.issuer.rsplit(':').next().unwrap();
    let listed = house.get("/v1/identity-providers").send().await.expect(200).json();
    assert_eq!(
        listed["data"],
        json!([{ "id": "real", "name": "A provider", "sign_in_url": "http://127.0.0.1:8080/v1/sign-in/real" }])
    );
    let mut browser = Browser::new();
    let (away, ticket) = browser.visits(&house, name).await;
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
    let (away, ticket) = browser.visits(&house, name).await;
    assert_eq!(browser.forms.len(), 2);
    let tokens = redeems(&house, &ticket, &away.client).send().await.expect(201).json();
    assert_eq!(tokens["account"]["id"], json!(ada.account));
    // `fresh` has the provider ask again.
    let away = Away::leaves_with(&house, "real", "&fresh=true").await;
    browser.goes(away.url.as_str(), name, "http://127.0.0.1:8080/").await;
    assert_eq!(browser.forms[2], "login");
    // The provider changes its keys (and forgets who was signed in there): its new one is believed.
    let rotates = format!("{}/rotate", provider.issuer);
    assert!(browser.http.post(&rotates).send().await.unwrap().status().is_success());
    let (away, ticket) = browser.visits(&house, name).await;
    let tokens = redeems(&house, &ticket, &away.client).send().await.expect(201).json();
    assert_eq!(tokens["account"]["id"], json!(ada.account));
}

#[actix_web::test]
async fn an_unverified_address_and_a_foreign_code_at_a_certified_provider() {
    let Some(provider) = provider().await else { return };
    let house = stage(&provider).await;
    let name = format!("unverified-{}", provider.issuer.rsplit(':').next().unwrap());
    let mut browser = Browser::new();
    let (away, ticket) = browser.visits(&house, &name).await;
    redeems(&house, &ticket, &away.client).send().await.refused(403, "identity_email_unverified");
    // The way in that remains: an account with a password, to which the identity is linked.
    let ada = house.newcomer().await;
    links(&house, &ticket, &away.client, &ada).send().await.expect(204);
    let (away, ticket) = browser.visits(&house, &name).await;
    let tokens = redeems(&house, &ticket, &away.client).send().await.expect(201).json();
    assert_eq!(tokens["account"]["id"], json!(ada.account));
    // A code of another sign-in: the provider compares the verifier and refuses.
    let (mine, theirs) = (Away::leaves(&house, "real").await, Away::leaves(&house, "real").await);
    let back = browser.goes(theirs.url.as_str(), &name, "http://127.0.0.1:8080/").await;
    let back = url::Url::parse(&back).unwrap();
    let code = back.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
    let mixed = query(&[("code", &code), ("state", &mine.of("state")), ("iss", &provider.issuer)]);
    let answer = house.get(&format!("/v1/sign-in/real/callback?{mixed}")).send().await;
    assert_eq!(landed(answer), Err("refused".into()));
}
