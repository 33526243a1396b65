//! The control plane's gate, with a membership that is written down here instead of in tables.

use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::dev::Service as _;
use actix_web::{App, HttpResponse, test, web};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use souk_access::{
    Account, Audience, ControlGate, ControlPermit, MAX_LIFETIME, Member, Membership, Place, Policy, Refusal,
    Reply, SigningKey, Subject, TokenKind, Verifier, permissions,
};
use souk_api::{Digest, IdempotencyKey, Problem};
use souk_kernel::{AccountId, Clock, OrganizationId, SessionId};
use souk_provisioner::test_support::TestDatabase;
use souk_tenancy::{ControlConfig, ControlPool, Database, DbError, ReadTx};

use crate::notes::Notes;

permissions! {
    /// See an organization.
    View = "organization", "view", Reads;
    /// Change an organization.
    Edit = "organization", "edit", Writes;
    /// See oneself.
    SeeSelf = "account", "view", Reads;
    /// Sign in.
    SignIn = "session", "open", Writes;
}

const MODEL: &str = include_str!("../../../../control-plane/policy/model.conf");
const ROLES: &str =
    "anyone, session, open\naccount, account, view\nowner, organization, *\nviewer, organization, view\n";

/// One owner and one viewer of one organization; everybody has the same epoch.
#[derive(Clone)]
struct Book {
    owner: AccountId,
    viewer: AccountId,
    organization: OrganizationId,
    epoch: Arc<AtomicI64>,
}

impl Membership for Book {
    fn account<'t, 'c: 't>(
        &'t self,
        _: &'t mut ReadTx<'c>,
        _: AccountId,
        _: Option<SessionId>,
    ) -> BoxFuture<'t, Result<Option<Account>, DbError>> {
        async { Ok(Some(Account { epoch: self.epoch.load(Ordering::SeqCst), proved_at: None })) }.boxed()
    }

    fn member<'t, 'c: 't>(
        &'t self,
        _: &'t mut ReadTx<'c>,
        account: AccountId,
        place: Place,
    ) -> BoxFuture<'t, Result<Option<Member>, DbError>> {
        let role =
            [(self.owner, "owner"), (self.viewer, "viewer")].into_iter().find(|(id, _)| *id == account);
        let role = role.filter(|_| place == Place::Organization(self.organization));
        let member = role.map(|(_, role)| Member { organization: self.organization, role: role.to_owned() });
        async { Ok(member) }.boxed()
    }
}

async fn view(permit: ControlPermit<View>) -> Result<String, Problem> {
    let role = permit.role().unwrap_or_default().to_owned();
    let name = permit.read("test.view", async |tx| Ok::<_, Refusal>(tx.now())).await.map(|_| role)?;
    Ok(format!("{name} {}", permit.covers_role("owner")))
}

async fn edit(
    permit: ControlPermit<Edit>,
    key: IdempotencyKey,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let organization = permit.organization()?;
    let work = async move |tx: &mut souk_tenancy::WriteTx<'_>| {
        Ok::<_, Refusal>(Reply::ok(&format!("{organization} {}", tx.now().timestamp_micros())))
    };
    permit.write_once("test.edit", &key, Digest::of(&body), work).await
}

async fn me(permit: ControlPermit<SeeSelf>) -> Result<String, Problem> {
    permit.account().map(|id| id.to_string())
}

async fn sign_in(permit: ControlPermit<SignIn>) -> String {
    permit.actor().to_string()
}

struct Plane {
    gate: ControlGate,
    key: SigningKey,
    book: Book,
}

impl Plane {
    async fn open() -> Self {
        let database = TestDatabase::get().await;
        let config = ControlConfig::new(
            Database::from_str(&database.url).unwrap(),
            database.secrets.control_plane.clone(),
        );
        let (_, mint) = ControlPool::start(config).unwrap();
        let (key, _) = SigningKey::generate("control").unwrap();
        let verifier = Verifier::new().trust("control", key.public_pem(), &[TokenKind::Account]).unwrap();
        let book = Book {
            owner: AccountId::new(),
            viewer: AccountId::new(),
            organization: OrganizationId::new(),
            epoch: Arc::new(AtomicI64::new(1)),
        };
        let policy = Policy::load(MODEL, ROLES, ALL.iter().copied()).await.unwrap();
        Self {
            gate: ControlGate::open(mint, verifier, policy, book.clone(), Notes::default()).unwrap(),
            key,
            book,
        }
    }

    fn token(&self, account: AccountId, epoch: i64) -> String {
        let now = Clock::system().now();
        self.key
            .issue(Audience::Control, Subject::Account(account), epoch, None, now, MAX_LIFETIME)
            .unwrap()
            .text
    }

    async fn call(&self, request: test::TestRequest, token: Option<String>) -> (u16, String, bool) {
        let request = match token {
            Some(token) => request.append_header(("authorization", format!("Bearer {token}"))),
            None => request,
        };
        let routes = |app: &mut web::ServiceConfig| {
            app.route("/v1/organizations/{organization}", web::get().to(view))
                .route("/v1/organizations/{organization}", web::patch().to(edit))
                .route("/v1/me", web::get().to(me))
                .route("/v1/sessions", web::post().to(sign_in));
        };
        let app = test::init_service(App::new().app_data(self.gate.clone()).configure(routes)).await;
        let response = app.call(request.to_request()).await.unwrap();
        let (status, replayed) =
            (response.status().as_u16(), response.headers().contains_key("idempotent-replayed"));
        (status, String::from_utf8(test::read_body(response).await.to_vec()).unwrap(), replayed)
    }

    async fn get(&self, path: &str, token: Option<String>) -> (u16, String) {
        let (status, body, _) = self.call(test::TestRequest::get().uri(path), token).await;
        (status, if status == 200 { body } else { String::new() })
    }
}

#[actix_web::test]
async fn membership_decides_and_strangers_see_nothing() {
    let plane = Plane::open().await;
    let (owner, viewer) = (plane.token(plane.book.owner, 1), plane.token(plane.book.viewer, 1));
    let stranger = plane.token(AccountId::new(), 1);
    let path = format!("/v1/organizations/{}", plane.book.organization);
    assert_eq!(plane.get(&path, None).await.0, 401);
    assert_eq!(plane.get(&path, Some(owner.clone())).await, (200, "owner true".to_owned()));
    assert_eq!(plane.get(&path, Some(viewer.clone())).await, (200, "viewer false".to_owned()));
    for (path, token) in [
        (path.clone(), stranger.clone()),
        (format!("/v1/organizations/{}", OrganizationId::new()), owner.clone()),
        ("/v1/organizations/nonsense".to_owned(), owner.clone()),
    ] {
        assert_eq!(plane.get(&path, Some(token)).await.0, 404, "{path}");
    }
    assert_eq!(plane.get("/v1/me", Some(stranger.clone())).await.0, 200);
    assert_eq!(plane.get("/v1/me", None).await.0, 401);
    let (status, body, _) = plane.call(test::TestRequest::post().uri("/v1/sessions"), None).await;
    assert_eq!((status, body.as_str()), (200, "anonymous"));

    plane.book.epoch.store(2, Ordering::SeqCst);
    tokio::time::sleep(std::time::Duration::from_millis(1000)).await;
    assert_eq!(plane.get(&path, Some(owner)).await.0, 401);
    assert_eq!(plane.get(&path, Some(plane.token(plane.book.owner, 2))).await.0, 200);
}

#[actix_web::test]
async fn the_control_plane_repeats_itself_too() {
    let plane = Plane::open().await;
    let path = format!("/v1/organizations/{}", plane.book.organization);
    let edit = async |account: AccountId, body: &'static str| {
        let request =
            test::TestRequest::patch().uri(&path).insert_header(("idempotency-key", "k")).set_payload(body);
        plane.call(request, Some(plane.token(account, 1))).await
    };
    let first = edit(plane.book.owner, "x").await;
    assert_eq!((first.0, first.2), (200, false), "{}", first.1);
    let again = edit(plane.book.owner, "x").await;
    assert_eq!((again.0, &again.1, again.2), (200, &first.1, true));
    assert_eq!(edit(plane.book.owner, "y").await.0, 422);
    assert_eq!(edit(plane.book.viewer, "x").await.0, 403);
}
