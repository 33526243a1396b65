//! Path parameters: what cannot be an id of ours is simply not found.

use std::ops::Deref;

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use serde::de::DeserializeOwned;

use crate::problem::{NOT_FOUND, Problem};
use crate::threshold::Behind;

/// The path's parameters as `T`: one value, a tuple, or a struct by names. Anything unparsable is 404, the same
/// answer as for an id that does not exist, so the two cannot be told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T> Path<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Path<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned> FromRequest for Path<T> {
    type Error = Problem;
    type Future = Behind<Self>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        // PostgreSQL texts hold no NUL, so no path with one names anything.
        if req.uri().path().contains("%00") {
            return Behind::new(req, Err(Problem::new(&NOT_FOUND)));
        }
        let found = web::Path::<T>::from_request(req, payload).into_inner();
        let found = found.map(|value| Self(value.into_inner()));
        // The error shows the part that is none, which may be an address or a token: the log is not told.
        Behind::new(
            req,
            found.map_err(|_| Problem::new(&NOT_FOUND).source("a part of the path is no such id")),
        )
    }
}
