//! The permit: proof that this actor may do this in this store, and the only way a handler opens a transaction.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use souk_api::problem::{IDEMPOTENCY_KEY_INVALID, INTERNAL};
use souk_api::{Digest, Fingerprint, IdempotencyKey, Problem};
use souk_kernel::{Clock, SalesChannelId, StoreId};
use souk_tenancy::{ReadTx, StoreEntry, TenancyError, Work, WriteTx};

use crate::actor::{Actor, Reach};
use crate::caller::{Caller, Inner};
use crate::chronicle::{Deed, Pending};
use crate::error::KeyError;
use crate::idempotency::{self, Claim, Table, Ticket};
use crate::permission::{Permission, PermissionKey, Writes};
use crate::queries::KeyName;
use crate::reply::Reply;

/// Shortest key of a caller whom nothing tells apart from the next one: it has to be unguessable.
const SHARED_KEY: usize = 16;

/// The actor may do `P` in this store. An actix extractor; see the crate's page for what it refuses and how.
///
/// `Clone` and `Send`, so that work which must outlive the request can take it along.
pub struct Permit<P> {
    inner: Arc<Inner>,
    permission: PhantomData<fn() -> P>,
}

impl<P> Clone for Permit<P> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), permission: PhantomData }
    }
}

impl<P: Permission> fmt::Debug for Permit<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("permission", &format_args!("{}", P::KEY))
            .field("store", &self.store())
            .field("actor", self.actor())
            .finish()
    }
}

impl<P> Permit<P> {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner, permission: PhantomData }
    }

    /// Who is acting.
    pub fn actor(&self) -> &Actor {
        &self.inner.actor
    }

    /// Which rows are theirs; queries take it.
    pub fn reach(&self) -> Reach {
        self.inner.actor.reach()
    }

    /// Which store.
    pub fn store(&self) -> StoreId {
        self.inner.scope.store()
    }

    /// The sales channel of the publishable key that was shown, also beside a customer's token; `None`: the store's default one.
    pub fn channel(&self) -> Option<SalesChannelId> {
        self.inner.channel
    }

    /// The store's ledger row: name, handle, hosts, plan.
    pub fn entry(&self) -> &Arc<StoreEntry> {
        self.inner.scope.entry()
    }

    /// The version of what shoppers see of the store's catalogue, to keep answers by; never newer than what a transaction opened after
    /// this call sees. `None` while this process does not hear of changes.
    pub fn catalogue_version(&self) -> Option<u64> {
        self.inner.gate.directory().follows_catalogues().then(|| self.entry().catalogue_version())
    }

    /// The clock transactions read.
    pub fn clock(&self) -> &Clock {
        self.inner.scope.clock()
    }

    /// Whether the actor also holds another permission, to show or hide a part.
    pub fn holds(&self, key: PermissionKey) -> bool {
        self.inner.gate.policy().allows(&self.inner.set, key)
    }

    /// Whether the actor holds everything these grants would give: nobody grants what they do not hold.
    ///
    /// # Errors
    /// 403 when the policy cannot be compiled.
    pub async fn covers(&self, grants: &[crate::Grant]) -> Result<bool, Problem> {
        let wanted = self.inner.gate.policy().compile(grants).await.map_err(crate::error::policy_problem)?;
        Ok(self.inner.set.covers(&wanted))
    }

    /// Runs `work` in a READ ONLY transaction of this store. `name` says what for, in spans and metrics.
    ///
    /// # Errors
    /// What `work` returned, or a [`TenancyError`] in its type.
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

    /// The same for work that finds its rows by keys, whose statements are planned once: see [`souk_tenancy::StoreScope::look_up`].
    ///
    /// # Errors
    /// What `work` returned, or a [`TenancyError`] in its type.
    pub fn look_up<'s, T, E, F>(
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
        self.inner.scope.look_up(name, work)
    }
}

impl<P: Permission<Access = Writes>> Permit<P> {
    /// Runs `work` in a transaction of this store: COMMIT on `Ok`, ROLLBACK on `Err` or when dropped. What whoever works for the store
    /// does by a right that shoppers do not have ends up in the store's log, in the same transaction: two to four more statements.
    ///
    /// # Errors
    /// What `work` returned, or a [`TenancyError`] in its type.
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

    /// Runs `work` at most once per key, in one transaction with the claim and the kept reply. `digest` is the body's
    /// ([`souk_api::Json::digest`], or [`Digest::empty`]). A repeat is answered with the same bytes and
    /// `Idempotent-Replayed: true`; work that returns `Err` leaves the key free.
    ///
    /// # Errors
    /// `work`'s own; 422 for a key that belongs to another request; 409 while it runs elsewhere; 400 for a key too short to
    /// be unguessable, from callers without an identity of their own; 503 when the database is away.
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
        let (key_name, pending) = (self.key_name(key, digest)?, self.pending(name));
        let once = self.inner.scope.write(name, async move |tx: &mut WriteTx<'_>| {
            once(tx, Table::Store, key_name, pending, work).await
        });
        finish(once.await)
    }

    /// Claims a key inside the caller's transaction, for work that commits and only later has its reply (a provider is asked
    /// in between). Until the lease ends another attempt gets 409; after it, the same request may take over
    /// ([`crate::Claimed::resumed`]).
    ///
    /// # Errors
    /// As [`Self::write_once`]. The transaction must then be rolled back.
    pub async fn claim(
        &self,
        tx: &mut WriteTx<'_>,
        key: &IdempotencyKey,
        digest: Digest,
        lease: Duration,
    ) -> Result<Claim, Problem> {
        let name = self.key_name(key, digest)?;
        let claim = idempotency::claim(tx, Table::Store, name, lease).await?;
        if matches!(claim, Claim::Done(_)) {
            // Nothing is done: it was done before.
            tx.logged();
        }
        Ok(claim)
    }

    /// Keeps the reply of claimed work and gives it back for [`Self::send`]. The transaction that states the outcome is the
    /// right one to call it in.
    ///
    /// # Errors
    /// 409 when the lease ran out and another attempt took over: roll back.
    pub async fn fulfil(
        &self,
        tx: &mut WriteTx<'_>,
        ticket: &Ticket,
        reply: Reply,
    ) -> Result<Reply, Problem> {
        Ok(idempotency::fulfil(tx, Table::Store, ticket, reply).await?)
    }

    /// Frees a claimed key whose work did not happen.
    ///
    /// # Errors
    /// As [`Self::fulfil`].
    pub async fn release(&self, tx: &mut WriteTx<'_>, ticket: &Ticket) -> Result<(), Problem> {
        Ok(idempotency::release(tx, ticket).await?)
    }

    /// The response for a reply that was just fulfilled.
    pub fn send(&self, reply: Reply) -> Result<HttpResponse, Problem> {
        finish::<Problem>(Ok((reply, false)))
    }

    /// The response for a reply that was kept ([`Claim::Done`]).
    pub fn replay(&self, reply: Reply) -> Result<HttpResponse, Problem> {
        finish::<Problem>(Ok((reply, true)))
    }

    /// What the log will say, if the actor works for the store and uses a right that shoppers do not have.
    fn pending(&self, name: &'static str) -> Option<Pending<'_>> {
        let inner = &*self.inner;
        if !inner.actor.works_here() || inner.gate.is_everyday(P::KEY) {
            return None;
        }
        let deed = Deed {
            actor: inner.actor.to_string(),
            cause: inner.cause.clone(),
            name,
            permission: P::KEY,
            request: format!("{} {}", inner.method, inner.path),
            path: inner.path.clone(),
            organization: None,
            account: None,
            before: None,
            made: None,
        };
        Some(Pending::new(inner.gate.chronicle(), deed))
    }

    fn key_name(&self, key: &IdempotencyKey, digest: Digest) -> Result<KeyName, Problem> {
        let inner = &self.inner;
        let mut principal = inner.actor.to_string();
        if inner.actor.is_shared() {
            if key.as_str().len() < SHARED_KEY {
                return Err(Problem::new(&IDEMPOTENCY_KEY_INVALID)
                    .detail("Without a sign-in the key must have at least 16 characters.")
                    .hint("Send a random UUID."));
            }
            principal = format!("{principal}:{}", inner.possession);
        }
        Ok(KeyName {
            principal,
            route: format!("{} {}", inner.method, inner.path),
            key: key.as_str().to_owned(),
            fingerprint: *Fingerprint::new(&inner.method, &inner.path, digest).as_bytes(),
        })
    }
}

/// Why keyed work has no reply: the key's reasons or the work's own.
pub(crate) enum OnceError<E> {
    Key(KeyError),
    Work(E),
}

impl<E> From<TenancyError> for OnceError<E> {
    fn from(error: TenancyError) -> Self {
        Self::Key(KeyError::Tenancy(error))
    }
}

impl<E> From<KeyError> for OnceError<E> {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// Look, work, write down: the body of a privileged transaction.
pub(crate) async fn noted<T, E, F>(tx: &mut WriteTx<'_>, pending: &mut Pending<'_>, work: F) -> Result<T, E>
where
    for<'t, 'c> F:
        AsyncFnOnce(&'t mut WriteTx<'c>) -> Result<T, E> + Work<&'t mut WriteTx<'c>, Result<T, E>, Fut: Send>,
    E: From<TenancyError>,
{
    pending.look(tx).await.map_err(TenancyError::from)?;
    let done = work(tx).await?;
    pending.state(tx, None).await.map_err(TenancyError::from)?;
    Ok(done)
}

/// Claim, work, write down, keep: the body of a `write_once` transaction. The flag says whether the reply is a kept one.
pub(crate) async fn once<E, F>(
    tx: &mut WriteTx<'_>,
    table: Table,
    name: KeyName,
    mut pending: Option<Pending<'_>>,
    work: F,
) -> Result<(Reply, bool), OnceError<E>>
where
    for<'t, 'c> F: AsyncFnOnce(&'t mut WriteTx<'c>) -> Result<Reply, E>
        + Work<&'t mut WriteTx<'c>, Result<Reply, E>, Fut: Send>,
{
    match idempotency::claim(tx, table, name, Duration::ZERO).await? {
        Claim::Done(reply) => Ok((reply, true)),
        Claim::Ours(claimed) => {
            if let Some(pending) = &mut pending {
                pending.look(tx).await.map_err(TenancyError::from)?;
            }
            let reply = work(tx).await.map_err(OnceError::Work)?;
            // A refusal that is kept is no act.
            if let Some(pending) = pending.as_mut().filter(|_| reply.is_success()) {
                let made = reply.body.as_deref().ok();
                pending.state(tx, made).await.map_err(TenancyError::from)?;
            }
            Ok((idempotency::fulfil(tx, table, &claimed.ticket, reply).await?, false))
        }
    }
}

pub(crate) fn finish<E: Into<Problem>>(
    outcome: Result<(Reply, bool), OnceError<E>>,
) -> Result<HttpResponse, Problem> {
    match outcome {
        Ok((reply, replayed)) => reply.send(replayed).map_err(|error| Problem::new(&INTERNAL).source(error)),
        Err(OnceError::Key(error)) => Err(error.into()),
        Err(OnceError::Work(error)) => Err(error.into()),
    }
}

impl<P: Permission> FromRequest for Permit<P> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(req, payload);
        async move { caller.await?.permit::<P>() }.boxed_local()
    }
}
