//! One request's store and principal, before any permission is asked for.

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, ready};
use souk_api::problem::STORE_SUSPENDED;
use souk_api::{Deciding, Problem};
use souk_kernel::{SalesChannelId, StoreId};
use souk_tenancy::{StoreScope, StoreState};

use crate::actor::Actor;
use crate::chronicle::Cause;
use crate::error::{is_lately, refused, step_up};
use crate::gate::Gate;
use crate::permission::{Mode as _, Permission, PermissionKey};
use crate::permit::Permit;
use crate::policy::PermissionSet;

/// Who is calling which store. It opens nothing by itself; [`Caller::permit`] asks the policy. For doors that need different
/// permissions in one request (GraphQL, batches); a handler with one permission takes [`Permit`] directly.
///
/// As an extractor it refuses unknown hosts (404), malformed ones (400) and credentials that are not believed (401).
#[derive(Clone)]
pub struct Caller(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) gate: Gate,
    pub(crate) scope: StoreScope,
    pub(crate) actor: Actor,
    pub(crate) set: Arc<PermissionSet>,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Digest of the cart or order secrets shown; see [`crate::credentials::possession`].
    pub(crate) possession: String,
    /// When the person behind a staff token last proved who they are.
    pub(crate) proved_at: Option<DateTime<Utc>>,
    /// Where the publishable key that was shown belongs.
    pub(crate) channel: Option<SalesChannelId>,
    /// What the log says of why something was done.
    pub(crate) cause: Cause,
}

impl Caller {
    /// Who is calling.
    pub fn actor(&self) -> &Actor {
        &self.0.actor
    }

    /// Which store.
    pub fn store(&self) -> StoreId {
        self.0.scope.store()
    }

    /// Whether the caller holds a permission; says nothing about the store's state.
    pub fn holds(&self, key: PermissionKey) -> bool {
        self.0.gate.policy().allows(&self.0.set, key)
    }

    /// A permit for `P`, or why not: 401 without credentials, 403 with the wrong ones, 401 `step_up_required` when `P` is dangerous and
    /// staff proved who they are too long ago, 503 when the store is suspended (whoever works for it may still read).
    pub fn permit<P: Permission>(&self) -> Result<Permit<P>, Problem> {
        if !self.holds(P::KEY) {
            return Err(refused(self.0.actor == Actor::Anonymous, P::KEY));
        }
        self.admit()
    }

    /// The same where `P` is what anybody may, whatever the caller's own role holds: for what everybody does with their own affairs.
    pub(crate) fn permit_as_anyone<P: Permission>(&self) -> Result<Permit<P>, Problem> {
        let gate = &self.0.gate;
        if !gate.policy().allows(gate.anyone(), P::KEY) {
            return Err(refused(self.0.actor == Actor::Anonymous, P::KEY));
        }
        self.admit()
    }

    fn admit<P: Permission>(&self) -> Result<Permit<P>, Problem> {
        let inner = &self.0;
        if P::Access::WRITES && matches!(inner.actor, Actor::Platform { .. }) {
            return Err(refused(false, P::KEY));
        }
        let is_person = matches!(inner.actor, Actor::Staff { .. });
        if P::STEP_UP && is_person && !is_lately(inner.proved_at, inner.scope.clock().now()) {
            return Err(step_up());
        }
        let open = match inner.scope.entry().state {
            StoreState::Live => true,
            _ => inner.actor.works_here() && !P::Access::WRITES,
        };
        if open { Ok(Permit::new(Arc::clone(inner))) } else { Err(Problem::new(&STORE_SUSPENDED)) }
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        if let Some(known) = req.extensions().get::<Self>() {
            return ready(Ok(known.clone())).boxed_local();
        }
        let (deciding, req) = (Deciding::begin(req), req.clone());
        async move {
            let _deciding = deciding;
            let caller = Gate::of(&req)?.caller(&req).await?;
            req.extensions_mut().insert(caller.clone());
            Ok(caller)
        }
        .boxed_local()
    }
}
