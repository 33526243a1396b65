//! The control plane's twin of the gate: account → member of an organization → permit.
//!
//! Access has no control tables: the control plane says who is whom through [`Membership`].

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, LocalBoxFuture};
use moka::future::Cache;
use souk_api::problem::{INTERNAL, NOT_FOUND, UNAUTHENTICATED};
use souk_api::{Deciding, Digest, Fingerprint, IdempotencyKey, Problem};
use souk_kernel::{AccountId, Clock, OperationId, OrganizationId, SessionId, StoreId};
use souk_tenancy::{ControlMint, ControlScope, DbError, ReadTx, StatementCount, TenancyError, Work, WriteTx};

use crate::chronicle::{Cause, Chronicle, Deed, Pending};
use crate::credentials::Credentials;
use crate::error::{GateError, database_problem, is_lately, refused, step_up, token_problem, unbelieved};
use crate::idempotency::Table;
use crate::permission::{Permission, PermissionKey, Writes};
use crate::permit::{finish, noted, once};
use crate::policy::{PermissionSet, Policy};
use crate::principal_cache::FRESH;
use crate::queries::KeyName;
use crate::reply::Reply;
use crate::tokens::{AccessClaims, Audience, Verifier};
use crate::worker::ControlWorker;

/// Role of whoever sends no credentials.
const ANYONE: &str = "anyone";
/// Role of every signed-in account, on routes that name no organization.
const ACCOUNT: &str = "account";
const REMEMBERED: u64 = 100_000;

/// What a route is about: the first of its path parameters `organization`, `store`, `operation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// `{organization}`
    Organization(OrganizationId),
    /// `{store}`: the organization that owns it.
    Store(StoreId),
    /// `{operation}`: the organization it works for.
    Operation(OperationId),
}

/// An account as the control plane has it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Tokens with another epoch are refused.
    pub epoch: i64,
    /// When whoever has the session last proved who they are, for dangerous acts.
    pub proved_at: Option<DateTime<Utc>>,
}

/// An account's membership in the organization a place belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The organization.
    pub organization: OrganizationId,
    /// The role's name, as in `roles.csv`.
    pub role: String,
}

/// What the control plane knows and access asks. Answers are remembered for less than a second.
pub trait Membership: Send + Sync + 'static {
    /// The account, if it is active and the session (when the token has one) was not ended.
    fn account<'t, 'c: 't>(
        &'t self,
        tx: &'t mut ReadTx<'c>,
        account: AccountId,
        session: Option<SessionId>,
    ) -> BoxFuture<'t, Result<Option<Account>, DbError>>;

    /// The account's membership in the organization of this place; `None` when there is no such place or no membership, which
    /// the caller cannot tell apart (404).
    fn member<'t, 'c: 't>(
        &'t self,
        tx: &'t mut ReadTx<'c>,
        account: AccountId,
        place: Place,
    ) -> BoxFuture<'t, Result<Option<Member>, DbError>>;
}

/// Who is calling the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlActor {
    /// No credentials.
    Anonymous,
    /// A signed-in account.
    Account {
        /// The account.
        id: AccountId,
        /// The session its token came from.
        session: Option<SessionId>,
    },
    /// Work of our own.
    Service {
        /// Which worker.
        name: &'static str,
        /// Why.
        reason: Arc<str>,
    },
}

/// For audit entries and idempotency keys: `account:acc_…`, `service:…`, `anonymous`.
impl fmt::Display for ControlActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::Account { id, .. } => write!(f, "account:{id}"),
            Self::Service { name, .. } => write!(f, "service:{name}"),
        }
    }
}

/// Hands out the control plane's permits. Cheap to clone; put one into the app's `app_data`.
#[derive(Clone)]
pub struct ControlGate(Arc<GateInner>);

type Asked = (AccountId, Option<SessionId>, Option<Place>);
type Known = (Option<Account>, Option<Member>);

struct GateInner {
    mint: ControlMint,
    verifier: Verifier,
    policy: Policy,
    membership: Box<dyn Membership>,
    chronicle: Box<dyn Chronicle>,
    known: Cache<Asked, Known>,
}

impl ControlGate {
    /// Opens the gate. `policy` must have the built-in roles `anyone` (no credentials) and `account` (signed in, on routes that
    /// name no organization); the members' roles come from [`Membership`]; `chronicle` is where what accounts do is written down.
    ///
    /// # Errors
    /// [`GateError::Role`] when one of them is missing.
    pub fn open(
        mint: ControlMint,
        verifier: Verifier,
        policy: Policy,
        membership: impl Membership,
        chronicle: impl Chronicle,
    ) -> Result<Self, GateError> {
        for role in [ANYONE, ACCOUNT] {
            policy.built_in(role).ok_or(GateError::Role(role))?;
        }
        let known = Cache::builder().max_capacity(REMEMBERED).time_to_live(FRESH).build();
        let (membership, chronicle) = (Box::new(membership), Box::new(chronicle));
        Ok(Self(Arc::new(GateInner { mint, verifier, policy, membership, chronicle, known })))
    }

    /// The plane's policy.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// The right to work without a person behind it; logged.
    pub fn worker(&self, name: &'static str, reason: &str) -> ControlWorker {
        tracing::info!(worker = name, reason, "a worker enters the control plane");
        let actor = ControlActor::Service { name, reason: reason.into() };
        ControlWorker::new(self.0.mint.scope(), actor)
    }

    fn of(req: &HttpRequest) -> Result<Self, Problem> {
        let plain = req.app_data::<Self>();
        plain
            .or_else(|| req.app_data::<web::Data<Self>>().map(|data| data.get_ref()))
            .cloned()
            .ok_or_else(|| Problem::new(&INTERNAL).source("the app has no control gate in its app_data"))
    }

    async fn admit<P: Permission>(&self, req: &HttpRequest) -> Result<Inner, Problem> {
        let key = P::KEY;
        let credentials = Credentials::of(req)?;
        if credentials.key.is_some() {
            return Err(unbelieved("the keys of stores mean nothing here"));
        }
        let scope = self.0.mint.scope();
        let (actor, member, role) = match credentials.token {
            None => (ControlActor::Anonymous, None, ANYONE.to_owned()),
            Some(token) => self.person(req, &scope, &token).await?,
        };
        let set = self.0.policy.built_in(&role).unwrap_or_default();
        if !self.0.policy.allows(&set, key) {
            return Err(refused(actor == ControlActor::Anonymous, key));
        }
        if P::STEP_UP {
            self.demand_proof(&scope, &actor).await?;
        }
        let (method, path) = (req.method().clone(), req.path().to_owned());
        Ok(Inner { gate: self.clone(), scope, actor, member, set, method, path, cause: Cause::of(req)? })
    }

    async fn person(
        &self,
        req: &HttpRequest,
        scope: &ControlScope,
        token: &str,
    ) -> Result<(ControlActor, Option<Member>, String), Problem> {
        let now = scope.clock().now();
        let claims = self.0.verifier.verify(token, Audience::Control, now).map_err(token_problem)?;
        let id = AccountId::parse(&claims.sub).map_err(unbelieved)?;
        let session = claims.sid.as_deref().map(SessionId::parse).transpose().map_err(unbelieved)?;
        let place = place_of(req);
        let (account, member) = self.known(scope, (id, session, place.ok().flatten())).await?;
        self.believe(account, &claims)?;
        let actor = ControlActor::Account { id, session };
        match place? {
            None => Ok((actor, None, ACCOUNT.to_owned())),
            Some(_) => {
                let member = member.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                let role = member.role.clone();
                Ok((actor, Some(member), role))
            }
        }
    }

    fn believe(&self, account: Option<Account>, claims: &AccessClaims) -> Result<(), Problem> {
        match account {
            Some(account) if account.epoch == claims.epoch => Ok(()),
            _ => Err(unbelieved("the account is gone, the session ended, or its epoch was raised")),
        }
    }

    /// For dangerous acts. Whoever has just proved themselves is not turned away because of what we remember: it is asked anew.
    async fn demand_proof(&self, scope: &ControlScope, actor: &ControlActor) -> Result<(), Problem> {
        let ControlActor::Account { id, session } = actor else { return Ok(()) };
        let asked = (*id, *session, None);
        let now = scope.clock().now();
        let lately = async |this: &Self| -> Result<bool, Problem> {
            let (account, _) = this.known(scope, asked).await?;
            Ok(is_lately(account.and_then(|account| account.proved_at), now))
        };
        if lately(self).await? {
            return Ok(());
        }
        self.0.known.invalidate(&asked).await;
        if lately(self).await? { Ok(()) } else { Err(step_up()) }
    }

    /// At most one transaction, none when fresh; not counted against the request that happens to ask first.
    async fn known(&self, scope: &ControlScope, asked: Asked) -> Result<Known, Problem> {
        let (account, session, place) = asked;
        let membership = &*self.0.membership;
        let asking = scope.read("access.membership", async |tx| -> Result<Known, TenancyError> {
            let found = membership.account(tx, account, session).await?;
            let member = match (found, place) {
                (Some(_), Some(place)) => membership.member(tx, account, place).await?,
                _ => None,
            };
            Ok((found, member))
        });
        let apart = StatementCount::new();
        let known = self.0.known.try_get_with(asked, apart.scope(asking)).await;
        // An error shared with other askers is told as "try again"; the first of them logs the cause.
        known.map_err(|error| database_problem(Arc::try_unwrap(error).unwrap_or(TenancyError::Busy)))
    }
}

/// The place a route names. A parameter with one of the three names that is not such an id is 404, like any unseen thing.
fn place_of(req: &HttpRequest) -> Result<Option<Place>, Unseen> {
    let parameters = req.match_info();
    if let Some(text) = parameters.get("organization") {
        return OrganizationId::parse(text).map(|id| Some(Place::Organization(id))).map_err(|_| Unseen);
    }
    if let Some(text) = parameters.get("store") {
        return StoreId::parse(text).map(|id| Some(Place::Store(id))).map_err(|_| Unseen);
    }
    if let Some(text) = parameters.get("operation") {
        return OperationId::parse(text).map(|id| Some(Place::Operation(id))).map_err(|_| Unseen);
    }
    Ok(None)
}

#[derive(Clone, Copy)]
struct Unseen;

impl From<Unseen> for Problem {
    fn from(_: Unseen) -> Self {
        Problem::new(&NOT_FOUND)
    }
}

struct Inner {
    gate: ControlGate,
    scope: ControlScope,
    actor: ControlActor,
    member: Option<Member>,
    set: Arc<PermissionSet>,
    method: Method,
    path: String,
    cause: Cause,
}

/// The actor may do `P`, in the organization the route names if it names one. An actix extractor: 401 without believable
/// credentials, 404 for an organization, store or operation that is not the caller's, 403 for the wrong role.
pub struct ControlPermit<P> {
    inner: Arc<Inner>,
    permission: PhantomData<fn() -> P>,
}

impl<P> Clone for ControlPermit<P> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), permission: PhantomData }
    }
}

impl<P: Permission> fmt::Debug for ControlPermit<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPermit")
            .field("permission", &format_args!("{}", P::KEY))
            .field("actor", self.actor())
            .field("member", &self.inner.member)
            .finish()
    }
}

impl<P> ControlPermit<P> {
    /// Who is acting.
    pub fn actor(&self) -> &ControlActor {
        &self.inner.actor
    }

    /// The signed-in account.
    ///
    /// # Errors
    /// 401 on a route that `anyone` may call and nobody signed in to.
    pub fn account(&self) -> Result<AccountId, Problem> {
        match self.inner.actor {
            ControlActor::Account { id, .. } => Ok(id),
            ControlActor::Anonymous | ControlActor::Service { .. } => Err(Problem::new(&UNAUTHENTICATED)),
        }
    }

    /// The session of the token, if it names one.
    pub fn session(&self) -> Option<SessionId> {
        match self.inner.actor {
            ControlActor::Account { session, .. } => session,
            ControlActor::Anonymous | ControlActor::Service { .. } => None,
        }
    }

    /// The organization the route is about.
    ///
    /// # Errors
    /// 404 on a route that names none.
    pub fn organization(&self) -> Result<OrganizationId, Problem> {
        self.inner.member.as_ref().map(|member| member.organization).ok_or_else(|| Problem::new(&NOT_FOUND))
    }

    /// The caller's role in that organization.
    pub fn role(&self) -> Option<&str> {
        self.inner.member.as_ref().map(|member| member.role.as_str())
    }

    /// Whether the actor also holds another permission here.
    pub fn holds(&self, key: PermissionKey) -> bool {
        self.inner.gate.policy().allows(&self.inner.set, key)
    }

    /// Whether the caller holds everything a role would give: nobody grants what they do not hold. An unknown role: false.
    pub fn covers_role(&self, role: &str) -> bool {
        self.inner.gate.policy().built_in(role).is_some_and(|wanted| self.inner.set.covers(&wanted))
    }

    /// The clock transactions read.
    pub fn clock(&self) -> &Clock {
        self.inner.scope.clock()
    }

    /// Runs `work` in a READ ONLY transaction of the control plane; see [`ControlScope::read`].
    pub fn read<'s, T, E, F>(
        &'s self,
        name: &'static str,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send + use<'s, T, E, F, P>
    where
        for<'t, 'c> F: AsyncFnOnce(&'t mut ReadTx<'c>) -> Result<T, E>
            + Work<&'t mut ReadTx<'c>, Result<T, E>, Fut: Send>,
        F: Send,
        T: Send,
        E: From<TenancyError> + Send,
    {
        self.inner.scope.read(name, work)
    }
}

impl<P: Permission<Access = Writes>> ControlPermit<P> {
    /// Runs `work` in a transaction of the control plane; see [`ControlScope::write`]. What an account does is written down in it.
    #[expect(
        clippy::manual_async_fn,
        reason = "that the future is Send is promised here, not guessed at each call"
    )]
    pub fn write<'s, T, E, F>(
        &'s self,
        name: &'static str,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send + use<'s, T, E, F, P>
    where
        for<'t, 'c> F: AsyncFnOnce(&'t mut WriteTx<'c>) -> Result<T, E>
            + Work<&'t mut WriteTx<'c>, Result<T, E>, Fut: Send>,
        F: Send,
        T: Send,
        E: From<TenancyError> + Send,
    {
        async move {
            let Some(mut pending) = self.pending(name) else {
                return self.inner.scope.write(name, work).await;
            };
            let noted = async move |tx: &mut WriteTx<'_>| noted(tx, &mut pending, work).await;
            self.inner.scope.write(name, noted).await
        }
    }

    fn pending(&self, name: &'static str) -> Option<Pending<'_>> {
        let inner = &*self.inner;
        let ControlActor::Account { id, .. } = inner.actor else { return None };
        let gate = &inner.gate;
        if gate.policy().allows(&gate.policy().built_in(ANYONE).unwrap_or_default(), P::KEY) {
            return None;
        }
        let deed = Deed {
            actor: inner.actor.to_string(),
            cause: inner.cause.clone(),
            name,
            permission: P::KEY,
            request: format!("{} {}", inner.method, inner.path),
            path: inner.path.clone(),
            organization: inner.member.as_ref().map(|member| member.organization),
            account: Some(id),
            before: None,
            made: None,
        };
        Some(Pending::new(&*inner.gate.0.chronicle, deed))
    }

    /// Runs `work` at most once per key; see [`crate::Permit::write_once`]. Needs a signed-in account.
    pub async fn write_once<E, F>(
        &self,
        name: &'static str,
        key: &IdempotencyKey,
        digest: Digest,
        work: F,
    ) -> Result<HttpResponse, Problem>
    where
        for<'t, 'c> F: AsyncFnOnce(&'t mut WriteTx<'c>) -> Result<Reply, E>
            + Work<&'t mut WriteTx<'c>, Result<Reply, E>, Fut: Send>,
        F: Send,
        E: Into<Problem> + Send,
    {
        let inner = &self.inner;
        let key_name = KeyName {
            principal: format!("account:{}", self.account()?),
            route: format!("{} {}", inner.method, inner.path),
            key: key.as_str().to_owned(),
            fingerprint: *Fingerprint::new(&inner.method, &inner.path, digest).as_bytes(),
        };
        let pending = self.pending(name);
        let once = inner.scope.write(name, async move |tx: &mut WriteTx<'_>| {
            once(tx, Table::Control, key_name, pending, work).await
        });
        finish(once.await)
    }
}

impl<P: Permission> FromRequest for ControlPermit<P> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (deciding, req) = (Deciding::begin(req), req.clone());
        async move {
            let _deciding = deciding;
            let inner = ControlGate::of(&req)?.admit::<P>(&req).await?;
            Ok(Self { inner: Arc::new(inner), permission: PhantomData })
        }
        .boxed_local()
    }
}
