//! Everybody who might come to a door, and what they hold there.

use chrono::{DateTime, Utc};
use souk_access::{
    ApiKey, AppSecret, Grant, KeyKind, KeyMode, PermissionKey, PermissionSet, Policy, SigningKey, Subject,
};
use souk_access::{Audience, MAX_LIFETIME};
use souk_kernel::{AccountId, AppId, Clock, StoreId};
use souk_proofs::people::staff_token;
use souk_proofs::platform::ISSUER;
use souk_proofs::{Books, Business, Call, Person, Plane, Platform};
use std::sync::Arc;

/// Whoever has nothing but a cookie.
pub const COOKIE: &str = "cookie";

/// What a door makes of somebody.
pub enum Standing {
    /// No credentials: holds what anyone holds, and is asked for credentials otherwise.
    Nobody(Arc<PermissionSet>),
    /// Credentials that must not be believed.
    Unbelieved,
    /// Believed. Holds these permissions, where it is theirs to use them.
    Believed(Arc<PermissionSet>),
    /// Believed, and no member of the organization the route is about: sees nothing there, and holds these elsewhere.
    Outside(Arc<PermissionSet>),
}

pub struct Actor {
    pub name: String,
    pub standing: Standing,
    /// How they say who they are.
    credentials: Vec<(&'static str, String)>,
}

impl Actor {
    fn new(name: &str, token: Option<String>, standing: Standing) -> Self {
        let credentials =
            token.map(|token| ("authorization", format!("Bearer {token}"))).into_iter().collect();
        Self { name: name.to_owned(), standing, credentials }
    }

    /// A browser that sends a good token by itself, as it would for a page of somebody else's.
    fn with_cookie(token: &str, standing: Standing) -> Self {
        let cookie = format!(
            "access_token={token}; session={token}; __Host-session={token}; Authorization=Bearer {token}"
        );
        Self { name: COOKIE.to_owned(), standing, credentials: vec![("cookie", cookie)] }
    }

    /// Puts their credentials on a request.
    pub fn signs(&self, mut call: Call) -> Call {
        for (name, value) in &self.credentials {
            call = call.header(name, value.as_str());
        }
        call
    }
}

/// A plane's policy, asked by the words of the table: `order:view`.
pub struct Law {
    pub policy: Policy,
    keys: Vec<PermissionKey>,
}

impl Law {
    pub async fn of(plane: Plane) -> Self {
        match plane {
            Plane::Control => {
                let keys = souk_control_plane::app::permissions().collect();
                Self { policy: souk_control_plane::app::policy().await.expect("a policy"), keys }
            }
            Plane::Store => {
                let keys = souk_tenant_runtime::app::permissions();
                Self { policy: souk_tenant_runtime::app::policy().await.expect("a policy"), keys }
            }
        }
    }

    pub fn key(&self, words: &str) -> Option<PermissionKey> {
        self.keys.iter().copied().find(|key| key.to_string() == words)
    }

    fn role(&self, name: &str) -> Arc<PermissionSet> {
        self.policy.built_in(name).unwrap_or_else(|| panic!("no role {name}"))
    }

    async fn scopes(&self, scopes: &[&str]) -> Arc<PermissionSet> {
        let grants: Vec<Grant> = scopes.iter().map(|scope| scope.parse().expect("a grant")).collect();
        self.policy.compile(&grants).await.expect("a set")
    }
}

fn now() -> DateTime<Utc> {
    Clock::system().now()
}

/// A token that says the right things and is signed by somebody else.
fn forged(audience: Audience, subject: Subject) -> String {
    let (key, _) = SigningKey::generate(ISSUER).expect("randomness");
    key.issue(audience, subject, 0, None, now(), MAX_LIFETIME).expect("a token").text
}

/// Past the leeway of a minute, on either side; the later one stays so while the proofs run.
const EXPIRED: i64 = -(15 * 60 + 90);
const NOT_YET: i64 = 60 * 60;

/// The cast of the control plane: everybody who might come to the business's organization.
pub fn at_control(
    platform: &Platform,
    law: &Law,
    here: &Business,
    there: &Business,
    stranger: &Person,
) -> Vec<Actor> {
    let (account, anyone) = (|| law.role("account"), law.role("anyone"));
    let token = |person: &Person| Some(person.token(platform));
    let owner = here.owner();
    let mut cast = vec![
        Actor::new("nobody", None, Standing::Nobody(Arc::clone(&anyone))),
        Actor::with_cookie(&owner.token(platform), Standing::Nobody(anyone)),
        Actor::new("stranger", token(stranger), Standing::Outside(account())),
        Actor::new("other owner", token(there.owner()), Standing::Outside(account())),
        Actor::new("removed", token(&here.people["removed"]), Standing::Outside(account())),
    ];
    for role in ["viewer", "developer", "admin", "owner"] {
        cast.push(Actor::new(role, token(&here.people[role]), Standing::Believed(law.role(role))));
    }
    let key = ApiKey::mint(KeyKind::Secret, KeyMode::Test).expect("randomness").expose().to_owned();
    let subject = Subject::Account(owner.account);
    for (name, token) in [
        ("expired", owner.token_at(platform, EXPIRED)),
        ("not yet", owner.token_at(platform, NOT_YET)),
        ("forged", forged(Audience::Control, subject)),
        ("of a store", owner.staff_token(platform, here.store)),
        ("key", key),
        ("garbage", "a.b.c".to_owned()),
        ("altered", altered(&owner.token(platform))),
        ("no such account", {
            let ghost = Subject::Account(AccountId::new());
            platform
                .signing()
                .issue(Audience::Control, ghost, 0, None, now(), MAX_LIFETIME)
                .expect("a token")
                .text
        }),
        ("old epoch", {
            platform
                .signing()
                .issue(Audience::Control, subject, 7, None, now(), MAX_LIFETIME)
                .expect("a token")
                .text
        }),
    ] {
        cast.push(Actor::new(name, Some(token), Standing::Unbelieved));
    }
    cast
}

/// One letter of the payload is another: the signature does not fit.
fn altered(token: &str) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let swapped: String = parts[1].chars().rev().collect();
    parts[1] = swapped;
    parts.join(".")
}

/// The cast of a store: everybody who might come to it.
pub async fn at_store(
    platform: &Platform,
    law: &Law,
    books: &Books,
    here: &Business,
    there: &Business,
    stranger: &Person,
) -> Vec<Actor> {
    let account =
        |word: &str| AccountId::parse(&here.things[&format!("account {word}")]).expect("an account");
    let token = |account: AccountId, store: StoreId| Some(staff_token(platform, account, store, 0));
    let owner = here.owner();
    let mut cast = vec![
        Actor::new("nobody", None, Standing::Nobody(law.role("anyone"))),
        Actor::with_cookie(
            &staff_token(platform, owner.account, here.store, 0),
            Standing::Nobody(law.role("anyone")),
        ),
    ];
    for role in ["viewer", "accountant", "support", "fulfilment", "catalogue", "manager"] {
        cast.push(Actor::new(role, token(account(role), here.store), Standing::Believed(law.role(role))));
    }
    cast.push(Actor::new("owner", token(owner.account, here.store), Standing::Believed(law.role("owner"))));
    let (customer, _) = here.customer_tokens(platform).await;
    let (customer_there, _) = there.customer_tokens(platform).await;
    cast.push(Actor::new("customer", Some(customer), Standing::Believed(law.role("shopper"))));
    for (name, kind, scopes) in [
        ("storefront key", KeyKind::Publishable, None),
        ("key without scope", KeyKind::Secret, Some(&[][..])),
        ("key for products", KeyKind::Secret, Some(&["product:view"][..])),
        ("key for orders", KeyKind::Secret, Some(&["order:*"][..])),
        ("key for all", KeyKind::Secret, Some(&["*"][..])),
    ] {
        let set = match scopes {
            Some(scopes) => law.scopes(scopes).await,
            None => law.role("shopper"),
        };
        let key = new_key(books, here, name, kind, scopes.unwrap_or_default(), "").await;
        cast.push(Actor::new(name, Some(key), Standing::Believed(set)));
    }
    for (name, gone) in
        [("revoked key", "revoked_at = now()"), ("expired key", "expires_at = now() - interval '2 minutes'")]
    {
        let key = new_key(books, here, name, KeyKind::Secret, &["*"], gone).await;
        cast.push(Actor::new(name, Some(key), Standing::Unbelieved));
    }
    for (name, scopes) in [("app for products", &["product:view"][..]), ("app for all", &["*"][..])] {
        let token = new_app(platform, books, here, name, scopes, "").await;
        cast.push(Actor::new(name, Some(token), Standing::Believed(law.scopes(scopes).await)));
    }
    let revoked =
        new_app(platform, books, here, "revoked app", &["*"], "state = 'revoked', revoked_at = now()").await;
    let foreign_app = new_app(platform, books, there, "app of the other store", &["*"], "").await;
    let foreign = new_key(books, there, "key of the other store", KeyKind::Secret, &["*"], "").await;
    let unknown = ApiKey::mint(KeyKind::Publishable, KeyMode::Live).expect("randomness").expose().to_owned();
    for (name, token) in [
        ("other store's key", foreign),
        ("revoked app", revoked),
        ("other store's app", foreign_app),
        ("other store's customer", customer_there),
        ("unknown key", unknown),
        ("stranger", staff_token(platform, stranger.account, here.store, 0)),
        ("other owner", staff_token(platform, there.owner().account, here.store, 0)),
        ("owner, at the other store", staff_token(platform, owner.account, there.store, 0)),
        ("removed colleague", staff_token(platform, account("removed"), here.store, 0)),
        ("invited colleague", staff_token(platform, account("invited"), here.store, 0)),
        ("expired", staff_token(platform, owner.account, here.store, EXPIRED)),
        ("not yet", staff_token(platform, owner.account, here.store, NOT_YET)),
        ("forged", forged(Audience::Store(here.store), Subject::Staff(owner.account, Some(now())))),
        ("of the control plane", owner.token(platform)),
        ("altered", altered(&staff_token(platform, owner.account, here.store, 0))),
        ("garbage", "a.b.c".to_owned()),
    ] {
        cast.push(Actor::new(name, Some(token), Standing::Unbelieved));
    }
    cast
}

async fn new_key(
    books: &Books,
    at: &Business,
    name: &str,
    kind: KeyKind,
    scopes: &[&str],
    then: &str,
) -> String {
    let key = ApiKey::mint(kind, KeyMode::Test).expect("randomness");
    let hash: String = key.digest().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let scopes: Vec<String> = scopes.iter().map(|scope| format!("'{scope}'")).collect();
    let (schema, id) = (&at.schema, uuid::Uuid::now_v7());
    let insert = format!(
        "INSERT INTO {schema}.api_keys (id, kind, mode, name, prefix, hash, scopes) VALUES ('{id}', '{}', 'test', '{name}', '{}', '\\x{hash}', ARRAY[{}]::text[]);",
        kind.as_str(),
        key.prefix(),
        scopes.join(", ")
    );
    let then = if then.is_empty() {
        String::new()
    } else {
        format!("UPDATE {schema}.api_keys SET {then} WHERE id = '{id}'")
    };
    books.run(&format!("{insert}{then}")).await;
    key.expose().to_owned()
}

/// The token of an app that was approved for these scopes, as the store's own endpoint gives it; what becomes of the app `then`.
async fn new_app(
    platform: &Platform,
    books: &Books,
    at: &Business,
    name: &str,
    scopes: &[&str],
    then: &str,
) -> String {
    let (id, secret) = (AppId::new(), AppSecret::mint().expect("randomness"));
    let hash: String = secret.digest().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let scopes: Vec<String> = scopes.iter().map(|scope| format!("'{scope}'")).collect();
    let (schema, row, scopes) = (&at.schema, id.uuid(), scopes.join(", "));
    let insert = format!(
        "INSERT INTO {schema}.apps (id, name, requested_scopes, scopes, state, requested_by, approved_by, approved_at, created_at, updated_at) \
         VALUES ('{row}', '{name}', ARRAY[{scopes}], ARRAY[{scopes}], 'approved', 'proofs', 'proofs', now(), now(), now()); \
         INSERT INTO {schema}.app_secrets (hash, app_id, prefix, created_at) VALUES ('\\x{hash}', '{row}', '{}', now());",
        secret.prefix()
    );
    books.run(&insert).await;
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={}", secret.expose());
    let asks =
        Call::new("POST", "/oauth/token").bytes("application/x-www-form-urlencoded", form.into_bytes());
    let token = at.door(platform).send(&asks).await.expect(200).word("/access_token");
    if !then.is_empty() {
        books.run(&format!("UPDATE {schema}.apps SET {then} WHERE id = '{row}'")).await;
    }
    token
}
