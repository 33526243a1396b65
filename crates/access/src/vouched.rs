//! Somebody the control plane vouches for, who may not be anybody in this store yet.

use std::fmt;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use souk_api::{Deciding, Problem};
use souk_kernel::AccountId;

use crate::gate::Gate;
use crate::permission::Permission;
use crate::permit::Permit;

/// A staff token for this store that is genuine, whoever bears it, and the permission `P` of the built-in role `anyone`. For accepting an
/// invitation: the bearer acts as nobody, and what they show in the body must prove the rest.
pub struct Vouched<P> {
    /// Whose account it is.
    pub account: AccountId,
    /// What anybody may do.
    pub permit: Permit<P>,
}

impl<P: Permission> fmt::Debug for Vouched<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vouched").field("account", &self.account).field("permit", &self.permit).finish()
    }
}

impl<P: Permission> FromRequest for Vouched<P> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (deciding, req) = (Deciding::begin(req), req.clone());
        async move {
            let _deciding = deciding;
            let (account, caller) = Gate::of(&req)?.vouched(&req).await?;
            Ok(Self { account, permit: caller.permit::<P>()? })
        }
        .boxed_local()
    }
}
