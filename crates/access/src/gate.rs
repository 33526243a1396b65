//! The gate of a runtime: holds the right to open stores, and lets nobody through without asking.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, web};
use chrono::{DateTime, Utc};
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};
use souk_api::Problem;
use souk_api::problem::{INTERNAL, STORE_UNKNOWN, UNAVAILABLE};
use souk_kernel::{AccountId, AppId, CustomerId, SalesChannelId, SessionId, StaffId, StoreGrantId, StoreId};
use souk_tenancy::{Directory, Mint, StoreEntry, StoreScope, StoreState, TenancyError, WriteTx};

use crate::actor::Actor;
use crate::api_key::{ApiKey, KeyKind};
use crate::caller::{Caller, Inner as CallerInner};
use crate::chronicle::{Cause, Chronicle, Deed};
use crate::credentials::{Credentials, possession};
use crate::error::{GateError, KEY_RESTRICTED, database_problem, policy_problem, token_problem, unbelieved};
use crate::host::host_of;
use crate::permission::PermissionKey;
use crate::policy::{Grant, PermissionSet, Policy};
use crate::principal_cache::{Principals, Standing, Who, grants};
use crate::tokens::{AccessClaims, Audience, TokenError, TokenKind, Verifier, still_good};
use crate::worker::WorkerPermit;

/// Signatures are checked once per token, not once per request; times and audience every time.
const TOKENS: u64 = 50_000;
const TOKENS_FOR: Duration = Duration::from_secs(15 * 60);

/// Hands out permits and worker permits. Cheap to clone; put one into the app: `App::new().app_data(gate.clone())`.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    mint: Mint,
    verifier: Verifier,
    policy: Policy,
    principals: Principals,
    tokens: Cache<[u8; 32], Arc<AccessClaims>>,
    anyone: Arc<PermissionSet>,
    shopper: Arc<PermissionSet>,
    proxies: OnceLock<usize>,
    chronicle: Box<dyn Chronicle>,
}

/// What a grant of the platform is good for.
const VISIT: PermissionKey = PermissionKey { object: "store_grant", action: "use" };

/// Who acts, what they may, and when they last proved who they are.
type Known = (Actor, Arc<PermissionSet>, Option<DateTime<Utc>>);

impl Gate {
    /// Opens the gate. `verifier` believes the control plane's key for staff and the runtime's own for customers; `policy` must
    /// have the built-in roles `anyone` and `shopper`; `chronicle` is where privileged acts are written down.
    ///
    /// # Errors
    /// [`GateError::Role`] when one of them is missing.
    pub fn open(
        mint: Mint,
        verifier: Verifier,
        policy: Policy,
        chronicle: impl Chronicle,
    ) -> Result<Self, GateError> {
        let anyone = policy.built_in("anyone").ok_or(GateError::Role("anyone"))?;
        let shopper = policy.built_in("shopper").ok_or(GateError::Role("shopper"))?;
        let tokens = Cache::builder().max_capacity(TOKENS).time_to_live(TOKENS_FOR).build();
        let principals = Principals::new();
        Ok(Self(Arc::new(Inner {
            mint,
            verifier,
            policy,
            principals,
            tokens,
            anyone,
            shopper,
            proxies: OnceLock::new(),
            chronicle: Box::new(chronicle),
        })))
    }

    /// The plane's policy: for showing roles, and for checking what a new role or key would hold.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Whether whoever holds `wide` holds everything that `narrow` would give.
    ///
    /// # Errors
    /// 403 when the policy cannot be compiled.
    pub async fn covers(&self, wide: &[Grant], narrow: &[Grant]) -> Result<bool, Problem> {
        let wide = self.0.policy.compile(wide).await.map_err(policy_problem)?;
        Ok(wide.covers(&*self.0.policy.compile(narrow).await.map_err(policy_problem)?))
    }

    /// Where privileged acts are written down.
    pub(crate) fn chronicle(&self) -> &dyn Chronicle {
        &*self.0.chronicle
    }

    /// Whether whoever shops may do this too: then it is nobody's privilege.
    pub(crate) fn is_everyday(&self, key: PermissionKey) -> bool {
        [&self.0.anyone, &self.0.shopper].iter().any(|set| self.0.policy.allows(set, key))
    }

    /// The stores this gate leads to.
    pub fn directory(&self) -> &Directory {
        self.0.mint.directory()
    }

    /// The store that a request is for, in any state: what is counted for a store is counted under this, however its host is written.
    pub fn store_of(&self, req: &HttpRequest) -> Option<Arc<StoreEntry>> {
        self.directory().by_host(&host_of(req).ok()?)
    }

    /// The right to work in a store without a person behind it. `name` says which worker, `reason` why; both are logged.
    ///
    /// # Errors
    /// [`GateError::StoreGone`] when the directory does not have the store, or has it without data.
    pub fn worker(
        &self,
        store: StoreId,
        name: &'static str,
        reason: &str,
    ) -> Result<WorkerPermit, GateError> {
        let scope = self.0.mint.scope_of(store).ok_or(GateError::StoreGone)?;
        if !scope.entry().state.has_data() {
            return Err(GateError::StoreGone);
        }
        tracing::info!(%store, worker = name, reason, "a worker enters a store");
        Ok(WorkerPermit::new(scope, Actor::Service { name, reason: reason.into() }))
    }

    /// The gate of the app a request came to.
    pub(crate) fn of(req: &HttpRequest) -> Result<Self, Problem> {
        let plain = req.app_data::<Self>();
        plain
            .or_else(|| req.app_data::<web::Data<Self>>().map(|data| data.get_ref()))
            .cloned()
            .ok_or_else(|| Problem::new(&INTERNAL).source("the app has no gate in its app_data"))
    }

    /// Host → store → credentials → actor. No permission is asked for yet.
    pub(crate) async fn caller(&self, req: &HttpRequest) -> Result<Caller, Problem> {
        let entry = self.entry(req)?;
        let credentials = Credentials::of(req)?;
        let scope = self.0.mint.scope(entry);
        let ((actor, set, proved_at), channel) = self.actor(&scope, credentials, req).await?;
        Ok(Caller(Arc::new(CallerInner {
            gate: self.clone(),
            scope,
            actor,
            set,
            method: req.method().clone(),
            path: req.path().to_owned(),
            possession: possession(req),
            proved_at,
            channel,
            cause: Cause::of(req)?,
        })))
    }

    /// Host → store, token → account whose session stands; the caller is nobody.
    pub(crate) async fn vouched(&self, req: &HttpRequest) -> Result<(AccountId, Caller), Problem> {
        let entry = self.entry(req)?;
        let token = Credentials::of(req)?.token.ok_or_else(|| unbelieved("an account's token is needed"))?;
        let scope = self.0.mint.scope(entry);
        let claims = self
            .claims(&token, Audience::Store(scope.store()), scope.clock().now())
            .map_err(token_problem)?;
        if claims.kind != TokenKind::Staff {
            return Err(token_problem(TokenError::Audience));
        }
        let account = AccountId::parse(&claims.sub).map_err(unbelieved)?;
        if let Some(session) = session_of(&claims)? {
            let standing = self.0.principals.find(&scope, &self.0.policy, Who::Session(session)).await?;
            if !matches!(standing, Standing::Session) {
                return Err(unbelieved(format!("{session} was ended")));
            }
        }
        Ok((account, self.nobody(scope, req)?))
    }

    /// Host → store; the caller is nobody, whatever the `Authorization` header says.
    pub(crate) fn unsigned(&self, req: &HttpRequest) -> Result<Caller, Problem> {
        let entry = self.entry(req)?;
        crate::credentials::none_in_url(req)?;
        self.nobody(self.0.mint.scope(entry), req)
    }

    fn nobody(&self, scope: StoreScope, req: &HttpRequest) -> Result<Caller, Problem> {
        let inner = CallerInner {
            gate: self.clone(),
            scope,
            actor: Actor::Anonymous,
            set: Arc::clone(&self.0.anyone),
            method: req.method().clone(),
            path: req.path().to_owned(),
            possession: possession(req),
            proved_at: None,
            channel: None,
            cause: Cause::of(req)?,
        };
        Ok(Caller(Arc::new(inner)))
    }

    /// What anybody may.
    pub(crate) fn anyone(&self) -> &PermissionSet {
        &self.0.anyone
    }

    /// So many proxies of ours stand before this process: so far a forwarded address is believed when a key is bound to networks.
    /// Takes effect once.
    pub fn trust_proxies(&self, proxies: usize) {
        let _ = self.0.proxies.set(proxies);
    }

    fn entry(&self, req: &HttpRequest) -> Result<Arc<StoreEntry>, Problem> {
        let host = host_of(req)?;
        let directory = self.directory();
        match directory.by_host(&host) {
            Some(entry) => match entry.state {
                StoreState::Live | StoreState::Suspended => {
                    souk_telemetry::record_store(req, entry.id);
                    if !is_operator(req) {
                        entry.note_request();
                    }
                    Ok(entry)
                }
                StoreState::Provisioning => Err(Problem::new(&UNAVAILABLE).retry_after(1)),
                StoreState::Deleting | StoreState::Failed => Err(Problem::new(&STORE_UNKNOWN)),
            },
            // Before the ledger was read, not knowing a store says nothing about it.
            None if !directory.health().ready => Err(Problem::new(&UNAVAILABLE).retry_after(1)),
            None => Err(Problem::new(&STORE_UNKNOWN)),
        }
    }

    async fn actor(
        &self,
        scope: &StoreScope,
        credentials: Credentials,
        req: &HttpRequest,
    ) -> Result<(Known, Option<SalesChannelId>), Problem> {
        let key = match &credentials.key {
            Some(key) => Some(self.key(scope, key, req).await?),
            None => None,
        };
        let channel = key.as_ref().and_then(|(_, _, channel)| *channel);
        let known = match (credentials.token, key) {
            // A publishable key beside a token was checked above; the person behind the token acts.
            (Some(token), _) => self.person(scope, &token, req).await?,
            (None, Some((actor, set, _))) => (actor, set, None),
            (None, None) => (Actor::Anonymous, Arc::clone(&self.0.anyone), None),
        };
        Ok((known, channel))
    }

    async fn key(
        &self,
        scope: &StoreScope,
        key: &ApiKey,
        req: &HttpRequest,
    ) -> Result<(Actor, Arc<PermissionSet>, Option<SalesChannelId>), Problem> {
        let who = Who::Key(*key.digest().as_bytes());
        match self.0.principals.find(scope, &self.0.policy, who).await? {
            Standing::Key { id, kind, mode, scopes, set, limits, channel }
                if kind == key.kind() && mode == key.mode() =>
            {
                let origin = req.headers().get(header::ORIGIN).and_then(|value| value.to_str().ok());
                let proxies = self.0.proxies.get().copied().unwrap_or(0);
                if !limits.allow(origin, souk_api::address_of(req, proxies)) {
                    return Err(
                        Problem::new(&KEY_RESTRICTED).source(format!("{key:?} is bound to other places"))
                    );
                }
                let set = if kind == KeyKind::Publishable { Arc::clone(&self.0.shopper) } else { set };
                Ok((Actor::ApiKey { id, kind, mode, scopes }, set, channel))
            }
            _ => Err(unbelieved(format!("{key:?} is unknown, revoked or expired"))),
        }
    }

    async fn person(&self, scope: &StoreScope, token: &str, req: &HttpRequest) -> Result<Known, Problem> {
        let claims =
            self.claims(token, Audience::Store(scope.store()), scope.clock().now()).map_err(token_problem)?;
        match claims.kind {
            TokenKind::Staff => {
                let account = AccountId::parse(&claims.sub).map_err(unbelieved)?;
                let who = Who::Staff(account, session_of(&claims)?);
                match self.0.principals.find(scope, &self.0.policy, who).await? {
                    Standing::Staff { id, role, set } => {
                        let proved_at = claims.auth_time.and_then(|at| DateTime::from_timestamp(at, 0));
                        Ok((Actor::Staff { id, account: Some(account), session: None, role }, set, proved_at))
                    }
                    _ => Err(unbelieved(format!("{account} does not work in this store, or signed out"))),
                }
            }
            TokenKind::Customer => {
                let id = CustomerId::parse(&claims.sub).map_err(unbelieved)?;
                let session = session_of(&claims)?;
                match self.0.principals.find(scope, &self.0.policy, Who::Customer(id, session)).await? {
                    Standing::Customer { epoch } if epoch == claims.epoch => {
                        Ok((Actor::Customer { id, session }, Arc::clone(&self.0.shopper), None))
                    }
                    _ => Err(unbelieved(format!("{id} is unknown, disabled, or signed out everywhere"))),
                }
            }
            TokenKind::Colleague => {
                let id = StaffId::parse(&claims.sub).map_err(unbelieved)?;
                let session = session_of(&claims)?;
                match self.0.principals.find(scope, &self.0.policy, Who::Colleague(id, session)).await? {
                    Standing::Colleague { account, epoch, role, set } if epoch == claims.epoch => {
                        let proved_at = claims.auth_time.and_then(|at| DateTime::from_timestamp(at, 0));
                        Ok((Actor::Staff { id, account, session, role }, set, proved_at))
                    }
                    _ => Err(unbelieved(format!(
                        "{id} does not work here, signed out, or was given another role"
                    ))),
                }
            }
            TokenKind::App => {
                let id = AppId::parse(&claims.sub).map_err(unbelieved)?;
                match self.0.principals.find(scope, &self.0.policy, Who::App(id)).await? {
                    // Whatever changes an app's scopes raises its epoch, so the token's are among them.
                    Standing::App { epoch } if epoch == claims.epoch => {
                        let scopes: Vec<String> =
                            claims.scope.iter().flat_map(|text| text.split(' ')).map(str::to_owned).collect();
                        let set = self.0.policy.compile(&grants(&scopes)).await.map_err(policy_problem)?;
                        Ok((Actor::App { id, scopes: scopes.into() }, set, None))
                    }
                    _ => Err(unbelieved(format!("{id} is unknown, revoked, or was given other scopes"))),
                }
            }
            TokenKind::Platform => {
                let grant = StoreGrantId::parse(&claims.sub).map_err(unbelieved)?;
                let who = Who::Grant(grant, session_of(&claims)?);
                match self.0.principals.find(scope, &self.0.policy, who).await? {
                    Standing::Platform { account, reason, expires_at, set }
                        if scope.clock().now() < expires_at =>
                    {
                        let actor = Actor::Platform { grant, account };
                        self.tell_of_visit(scope, &actor, grant, &reason, req).await?;
                        Ok((actor, set, None))
                    }
                    _ => Err(unbelieved(format!("{grant} is unknown, over, or was taken back"))),
                }
            }
            TokenKind::Account => Err(token_problem(TokenError::Audience)),
        }
    }

    /// Whatever somebody of the platform asks is in the store's log before it is answered.
    async fn tell_of_visit(
        &self,
        scope: &StoreScope,
        actor: &Actor,
        grant: StoreGrantId,
        reason: &str,
        req: &HttpRequest,
    ) -> Result<(), Problem> {
        let mut cause = Cause::of(req)?;
        cause.reason = Some(reason.to_owned());
        let deed = Deed {
            actor: actor.to_string(),
            cause,
            name: "platform.looked",
            permission: VISIT,
            request: format!("{} {}", req.method(), req.path()),
            path: grant.to_string(),
            organization: None,
            account: None,
            before: None,
            made: None,
        };
        let chronicle = self.chronicle();
        let tell =
            async move |tx: &mut WriteTx<'_>| chronicle.state(tx, &deed).await.map_err(TenancyError::from);
        scope.write("access.visit", tell).await.map_err(database_problem)
    }

    fn claims(
        &self,
        token: &str,
        audience: Audience,
        now: DateTime<Utc>,
    ) -> Result<Arc<AccessClaims>, TokenError> {
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(claims) = self.0.tokens.get(&digest) {
            still_good(&claims, audience, now)?;
            return Ok(claims);
        }
        let claims = Arc::new(self.0.verifier.verify(token, audience, now)?);
        self.0.tokens.insert(digest, Arc::clone(&claims));
        Ok(claims)
    }
}

/// The operator asks whether a store is served here before it lets the store's own pods go: that wakes nobody. Whoever else says so is served
/// like anybody, and only wakes nobody either.
fn is_operator(req: &HttpRequest) -> bool {
    let agent = req.headers().get(header::USER_AGENT);
    agent.is_some_and(|agent| agent.as_bytes().starts_with(b"souk-operator"))
}

/// The session a token came from; what names none lives by its time and its principal alone.
fn session_of(claims: &AccessClaims) -> Result<Option<SessionId>, Problem> {
    claims.sid.as_deref().map(SessionId::parse).transpose().map_err(unbelieved)
}
