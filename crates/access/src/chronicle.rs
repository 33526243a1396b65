//! Privileged acts are written down, whichever handler they came through: the permit does it, so that no route can forget it.

use std::fmt;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::BoxFuture;
use serde_json::Value;
use souk_api::problem::BAD_REQUEST;
use souk_api::{Problem, RequestId};
use souk_kernel::{AccountId, OrganizationId, Text};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use crate::permission::PermissionKey;

/// Where somebody may say why.
const REASON: &str = "x-souk-reason";

/// What caused an act: the request, and the reason given with it in `X-Souk-Reason`. An extractor.
#[derive(Clone, Debug, Default)]
pub struct Cause {
    /// `X-Request-Id` of the request; empty for work of our own.
    pub request_id: String,
    /// Why, in the words of whoever acts.
    pub reason: Option<String>,
}

impl Cause {
    /// The cause of this request.
    ///
    /// # Errors
    /// 400 for a reason that is not one line of at most 300 ASCII characters.
    pub fn of(req: &HttpRequest) -> Result<Self, Problem> {
        let given = req.headers().get(REASON).map(|value| value.to_str().ok().map(Text::<300>::parse));
        let reason = match given {
            None => None,
            Some(Some(Ok(reason))) => Some(reason.into_string()),
            Some(_) => {
                let words = "must be one line of at most 300 ASCII characters";
                return Err(Problem::new(&BAD_REQUEST).field("X-Souk-Reason", "invalid", words));
            }
        };
        Ok(Self { request_id: RequestId::of(req).as_str().to_owned(), reason })
    }
}

impl FromRequest for Cause {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(req))
    }
}

/// A privileged act, as far as a permit knows it.
#[derive(Clone, Debug)]
pub struct Deed {
    /// Who: `staff:stf_…`, `key:key_…`, `account:acc_…`.
    pub actor: String,
    /// Because of what.
    pub cause: Cause,
    /// The transaction's name, which says what is done: `orders.cancel`.
    pub name: &'static str,
    /// By which right.
    pub permission: PermissionKey,
    /// `PATCH /admin/v1/products/prd_…`.
    pub request: String,
    /// The path alone.
    pub path: String,
    /// The organization the route is about, at the control plane.
    pub organization: Option<OrganizationId>,
    /// The person, at the control plane.
    pub account: Option<AccountId>,
    /// What [`Chronicle::look`] found before the act.
    pub before: Option<String>,
    /// The id of the thing in the reply, where the reply is kept.
    pub made: Option<String>,
}

impl Deed {
    /// What a log says of it: the request, the right, and digests of what it was about before and after, as far as they are known.
    pub fn details(&self, after: Option<String>) -> Value {
        let request = [("request", self.request.clone()), ("permission", self.permission.to_string())];
        let digests = [("before_sha256", self.before.clone()), ("after_sha256", after)];
        let digests = digests.into_iter().filter_map(|(name, digest)| Some((name, digest?)));
        request.into_iter().chain(digests).map(|(name, word)| (name.to_owned(), Value::from(word))).collect()
    }
}

/// A plane's log of privileged acts. A transaction that a permit opened for somebody with a right that shoppers do not have ends with an
/// entry: the capability's own ([`WriteTx::logged`]), or the one that this writes.
pub trait Chronicle: Send + Sync + 'static {
    /// A digest of what the act is about, before it; none where there is nothing yet.
    fn look<'t, 'c: 't>(
        &'t self,
        tx: &'t mut ReadTx<'c>,
        deed: &'t Deed,
    ) -> BoxFuture<'t, Result<Option<String>, DbError>>;

    /// Writes the act down, after it and in its transaction.
    fn state<'t, 'c: 't>(
        &'t self,
        tx: &'t mut WriteTx<'c>,
        deed: &'t Deed,
    ) -> BoxFuture<'t, Result<(), DbError>>;
}

/// A deed on its way, and where it will be written down.
#[derive(Clone)]
pub(crate) struct Pending<'g> {
    chronicle: &'g dyn Chronicle,
    deed: Deed,
}

impl fmt::Debug for Pending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pending").field(&self.deed).finish()
    }
}

impl<'g> Pending<'g> {
    pub(crate) fn new(chronicle: &'g dyn Chronicle, deed: Deed) -> Self {
        Self { chronicle, deed }
    }

    /// Before the work.
    pub(crate) async fn look(&mut self, tx: &mut WriteTx<'_>) -> Result<(), DbError> {
        self.deed.before = self.chronicle.look(tx, &self.deed).await?;
        Ok(())
    }

    /// After the work, unless it told its own story. `made` is the reply's body, where there is one.
    pub(crate) async fn state(&mut self, tx: &mut WriteTx<'_>, made: Option<&[u8]>) -> Result<(), DbError> {
        if tx.is_logged() {
            return Ok(());
        }
        self.deed.made = made.and_then(id_of);
        self.chronicle.state(tx, &self.deed).await?;
        tx.logged();
        Ok(())
    }
}

fn id_of(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(body.get("id")?.as_str()?.to_owned())
}
