//! People at the control plane, and the tokens they hold.

use std::time::Duration;

use serde_json::json;
use souk_access::{Audience, MAX_LIFETIME, Subject};
use souk_kernel::{AccountId, Clock, RequestId, SessionId, StoreGrantId, StoreId};
use tokio_postgres::Client;

use crate::door::{Answer, Call, Door};
use crate::platform::Platform;

pub const PASSWORD: &str = "correct horse battery staple";

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct Person {
    pub email: String,
    pub account: AccountId,
    pub session: SessionId,
    pub refresh: String,
}

impl Person {
    /// Signs up and in.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn new(platform: &Platform, word: &str) -> Self {
        let door = platform.control();
        let email = format!("{word}.{}@example.com", RequestId::new().suffix());
        let wish = json!({ "email": email, "password": PASSWORD, "name": word });
        door.send(&Call::post("/v1/accounts", &wish)).await.expect(202);
        let wish = json!({ "email": email, "password": PASSWORD });
        let tokens = door.send(&Call::post("/v1/sessions", &wish)).await.expect(201);
        let token = tokens.word("/access_token");
        let sessions = door.send(&Call::get("/v1/sessions").bearer(&token)).await.expect(200);
        Self {
            account: AccountId::parse(&tokens.word("/account/id")).expect("an account's id"),
            session: SessionId::parse(&sessions.word("/data/0/id")).expect("a session's id"),
            refresh: tokens.word("/refresh_token"),
            email,
        }
    }

    /// A fresh token for the control plane.
    ///
    /// # Panics
    /// Never.
    pub fn token(&self, platform: &Platform) -> String {
        self.token_at(platform, 0)
    }

    /// The same, as if it had been issued so many seconds from now.
    ///
    /// # Panics
    /// Never.
    pub fn token_at(&self, platform: &Platform, seconds: i64) -> String {
        issue(platform, Audience::Control, Subject::Account(self.account), Some(self.session), seconds)
    }

    /// A fresh token for a store. Whether they work there is for the store to say.
    ///
    /// # Panics
    /// Never.
    pub fn staff_token(&self, platform: &Platform, store: StoreId) -> String {
        staff_token(platform, self.account, store, 0)
    }

    /// A request of theirs to the control plane.
    pub async fn send(&self, platform: &Platform, door: &Door, call: Call) -> Answer {
        door.send(&call.bearer(&self.token(platform)).once()).await
    }

    /// Invites somebody to an organization, and has them accept.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn welcomes(
        &self,
        platform: &Platform,
        organization: &str,
        newcomer: &Self,
        role: &str,
        books: &Client,
    ) {
        let door = platform.control();
        let wish = json!({ "email": newcomer.email, "role": role });
        let invites = Call::post(format!("/v1/organizations/{organization}/invitations"), &wish);
        self.send(platform, &door, invites).await.expect(201);
        let token = mailed_token(books, &newcomer.email, "invitation").await;
        let accepts = Call::post("/v1/invitations/accept", &json!({ "token": token }));
        newcomer.send(platform, &door, accepts).await.expect(200);
    }
}

/// A store's token of an account, as if issued so many seconds from now.
///
/// # Panics
/// Never.
pub fn staff_token(platform: &Platform, account: AccountId, store: StoreId, seconds: i64) -> String {
    let proved_at = Clock::system().now() + chrono::TimeDelta::seconds(seconds);
    issue(platform, Audience::Store(store), Subject::Staff(account, Some(proved_at)), None, seconds)
}

/// A token of the platform's people for a store, whichever store their grant is for.
///
/// # Panics
/// Never.
pub fn visitor_token(platform: &Platform, grant: StoreGrantId, store: StoreId) -> String {
    issue(platform, Audience::Store(store), Subject::Platform(grant), None, 0)
}

fn issue(
    platform: &Platform,
    audience: Audience,
    subject: Subject,
    session: Option<SessionId>,
    seconds: i64,
) -> String {
    let at = Clock::system().now() + chrono::TimeDelta::seconds(seconds);
    platform.signing().issue(audience, subject, 0, session, at, MAX_LIFETIME).expect("a token").text
}

/// The token of the latest mailed link to an address whose page has this word in it.
///
/// # Panics
/// When there is no such mail.
pub async fn mailed_token(books: &Client, email: &str, page: &str) -> String {
    let query = "SELECT text_body FROM control.messages WHERE recipient = $1 AND text_body IS NOT NULL ORDER BY created_at DESC, id DESC";
    for _ in 0..50 {
        let rows = books.query(query, &[&email]).await.expect("mails");
        let bodies: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let link = bodies
            .iter()
            .flat_map(|body| body.lines())
            .find(|line| line.contains(page) && line.contains("#token="));
        if let Some((_, token)) = link.and_then(|line| line.split_once("#token=")) {
            return token.trim().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no mail to {email} links to {page}")
}
