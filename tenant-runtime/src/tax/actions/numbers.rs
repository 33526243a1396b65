//! Asking whether a VAT number is in use.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use souk_tenancy::WriteTx;

use crate::tax::error::TaxError;
use crate::tax::model::{TaxNumberView, VatNumber};
use crate::tax::queries;

/// From the first byte sent to the last one read. A shopper may be waiting.
const WHOLE: Duration = Duration::from_secs(4);

/// Why nobody could say.
#[derive(Debug, thiserror::Error)]
#[error("the register of VAT numbers cannot be asked: {0}")]
pub struct RegisterError(String);

/// Somebody who knows which VAT numbers are in use.
pub trait NumberRegister: Send + Sync {
    /// Whether this one is. Answers in bounded time.
    fn ask<'r>(&'r self, number: &'r VatNumber) -> BoxFuture<'r, Result<bool, RegisterError>>;
}

/// A register that speaks as VIES does over HTTP: `{"countryCode": "AT", "vatNumber": "U13585627"}`, answered with `{"valid": true}`.
pub struct HttpRegister {
    client: reqwest::Client,
    url: String,
}

/// What it answers, so far as it matters.
#[derive(Deserialize)]
struct HttpAnswer {
    valid: bool,
}

impl HttpRegister {
    /// The register at this address, which the operator of the platform gave.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn new(url: String) -> Result<Self, reqwest::Error> {
        Ok(Self { client: souk_outbound::client(true, WHOLE)?, url })
    }
}

impl NumberRegister for HttpRegister {
    fn ask<'r>(&'r self, number: &'r VatNumber) -> BoxFuture<'r, Result<bool, RegisterError>> {
        async move {
            let failed = |error: reqwest::Error| RegisterError(error.without_url().to_string());
            let (country, rest) = number.as_str().split_at_checked(2).unwrap_or_default();
            let question = serde_json::json!({ "countryCode": country, "vatNumber": rest }).to_string();
            let request =
                self.client.post(&self.url).header("content-type", "application/json").body(question);
            let answer = request.send().await.map_err(failed)?.error_for_status().map_err(failed)?;
            let bytes = answer.bytes().await.map_err(failed)?;
            let answer: HttpAnswer =
                serde_json::from_slice(&bytes).map_err(|error| RegisterError(error.to_string()))?;
            Ok(answer.valid)
        }
        .boxed()
    }
}

/// The register that is asked, if any. Cheap to clone.
#[derive(Clone, Default)]
pub struct Registers(Option<Arc<dyn NumberRegister>>);

impl Registers {
    /// Asks this one.
    pub fn of(register: impl NumberRegister + 'static) -> Self {
        Self(Some(Arc::new(register)))
    }

    /// Asks at this address, or nobody.
    pub fn at(url: Option<&str>) -> Self {
        match url.map(|url| HttpRegister::new(url.to_owned())) {
            Some(Ok(register)) => Self::of(register),
            Some(Err(error)) => {
                tracing::error!(%error, "no register of VAT numbers is asked");
                Self::default()
            }
            None => Self::default(),
        }
    }

    /// What can be said of a number whose form is right: `confirmed`, `refuted`, or `well_formed` where nobody answers.
    pub async fn outcome(&self, number: &VatNumber) -> &'static str {
        let Some(register) = &self.0 else { return "well_formed" };
        match register.ask(number).await {
            Ok(true) => "confirmed",
            Ok(false) => "refuted",
            Err(error) => {
                tracing::warn!(%error, "a VAT number stays unconfirmed");
                "well_formed"
            }
        }
    }
}

/// Keeps what was found out about a number.
///
/// # Errors
/// The database's only.
pub async fn known_number(tx: &mut WriteTx<'_>, number: &VatNumber, outcome: &str) -> Result<(), TaxError> {
    Ok(queries::note_number(tx, number, outcome).await?)
}

/// The same, and what is known of it now: an answer that came before stands while nobody answers.
///
/// # Errors
/// The database's only.
pub async fn check_number(
    tx: &mut WriteTx<'_>,
    number: &VatNumber,
    outcome: &str,
) -> Result<TaxNumberView, TaxError> {
    known_number(tx, number, outcome).await?;
    Ok(queries::number(tx, number).await?)
}
