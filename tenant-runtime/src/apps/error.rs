//! What can be wrong about an app; at `/oauth/token` it is said in the words of RFC 6749 §5.2.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use souk_access::{NoEntropy, Refusal, TokenError};
use souk_api::Problem;
use souk_api::problem::{NOT_FOUND, VALIDATION};
use souk_tenancy::{DbError, TenancyError};
use utoipa::ToSchema;

use crate::staff::StaffError;

souk_api::problems! { CATALOGUE;
    APP_STATE = 409, "app_state", "The app is not in a state for this", "Approve it before you rotate its secret; a revoked app stays revoked: register another.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("no such app")]
    Unknown,
    #[error("the app is {0}")]
    State(String),
    #[error("{0} {1}")]
    Field(&'static str, &'static str),
    #[error(transparent)]
    Staff(#[from] StaffError),
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<DbError> for AppError {
    fn from(error: DbError) -> Self {
        Self::Tenancy(error.into())
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Unknown => Self::new(&NOT_FOUND),
            AppError::State(state) => Self::new(&APP_STATE).detail(format!("It is {state}.")),
            AppError::Field(pointer, message) => Self::new(&VALIDATION).field(pointer, "invalid", message),
            AppError::Staff(error) => error.into(),
            AppError::Problem(problem) => problem,
            AppError::Entropy(error) => Refusal::from(error).into(),
            AppError::Token(error) => Refusal::from(error).into(),
            AppError::Tenancy(error) => Refusal::from(error).into(),
        }
    }
}

/// Why there is no token, as OAuth clients understand it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// One text for an unknown app, a wrong secret and a revoked app: a thief learns nothing.
    Client,
    Request(&'static str),
    GrantType,
    Scope,
}

/// The answer of RFC 6749 §5.2.
#[derive(Debug, Serialize, ToSchema)]
pub struct OauthErrorView {
    #[schema(example = "invalid_client")]
    pub error: &'static str,
    #[schema(example = "The client is unknown, or its secret is not right.")]
    pub error_description: &'static str,
}

impl Denied {
    fn view(self) -> OauthErrorView {
        let (error, error_description) = match self {
            Self::Client => ("invalid_client", "The client is unknown, or its secret is not right."),
            Self::Request(told) => ("invalid_request", told),
            Self::GrantType => ("unsupported_grant_type", "Only client_credentials are granted here."),
            Self::Scope => ("invalid_scope", "The store did not approve this scope, or there is none such."),
        };
        OauthErrorView { error, error_description }
    }
}

/// What `/oauth/token` answers when there is no token.
#[derive(Debug)]
pub enum NoToken {
    Denied(Denied),
    /// Our own trouble, told as everywhere.
    Problem(Problem),
}

impl From<Denied> for NoToken {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<AppError> for NoToken {
    fn from(error: AppError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<TenancyError> for NoToken {
    fn from(error: TenancyError) -> Self {
        AppError::from(error).into()
    }
}

impl From<Problem> for NoToken {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl fmt::Display for NoToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denied) => f.write_str(denied.view().error),
            Self::Problem(problem) => fmt::Display::fmt(problem, f),
        }
    }
}

impl ResponseError for NoToken {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Denied(Denied::Client) => StatusCode::UNAUTHORIZED,
            Self::Denied(_) => StatusCode::BAD_REQUEST,
            Self::Problem(problem) => problem.status(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let denied = match self {
            Self::Denied(denied) => denied,
            Self::Problem(problem) => return problem.error_response(),
        };
        let mut reply = HttpResponse::build(self.status_code());
        if *denied == Denied::Client {
            reply.insert_header((WWW_AUTHENTICATE, "Basic realm=\"souk\""));
        }
        reply.insert_header((CACHE_CONTROL, "no-store")).json(denied.view())
    }
}
