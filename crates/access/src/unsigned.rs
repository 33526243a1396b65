//! Callers who are not judged by the role they hold: nobody yet, or somebody about their own affairs.

use std::fmt;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Ready, ready};
use souk_api::Problem;
use souk_kernel::StaffId;

use crate::actor::Actor;
use crate::caller::Caller;
use crate::error::refused;
use crate::gate::Gate;
use crate::permission::Permission;
use crate::permit::Permit;

/// The permission `P` of the built-in role `anyone`, for a door that reads the `Authorization` header itself: an OAuth client shows its
/// secret there. The bearer acts as nobody, and what they show must prove the rest.
pub struct Unsigned<P> {
    /// What anybody may do.
    pub permit: Permit<P>,
}

impl<P: Permission> fmt::Debug for Unsigned<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsigned").field("permit", &self.permit).finish()
    }
}

impl<P: Permission> FromRequest for Unsigned<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let permit =
            Gate::of(req).and_then(|gate| gate.unsigned(req)).and_then(|caller| caller.permit::<P>());
        ready(permit.map(|permit| Self { permit }))
    }
}

/// Whoever works in this store, whatever their role holds, with the permission `P` of the built-in role `anyone`: for what they do with
/// their own affairs. Shoppers and machines are refused.
pub struct AtWork<P> {
    /// Whose affairs.
    pub staff: StaffId,
    /// What anybody may do.
    pub permit: Permit<P>,
}

impl<P: Permission> fmt::Debug for AtWork<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtWork").field("staff", &self.staff).field("permit", &self.permit).finish()
    }
}

impl<P: Permission> FromRequest for AtWork<P> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(req, payload);
        async move {
            let caller = caller.await?;
            let Actor::Staff { id, .. } = *caller.actor() else {
                return Err(refused(*caller.actor() == Actor::Anonymous, P::KEY));
            };
            Ok(Self { staff: id, permit: caller.permit_as_anyone::<P>()? })
        }
        .boxed_local()
    }
}
