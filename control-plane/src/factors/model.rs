//! A second factor as values and as wishes.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamptz, Uuid};
use serde::{Deserialize, Serialize};
use souk_access::{Sealed, SigningKey, Totp, Vault};
use souk_kernel::{AccountId, Email};
use utoipa::ToSchema;

use crate::accounts::Typed;
use crate::config::Settings;
use crate::plane::{Origin, Plane};

/// Whom the app shows.
const ISSUER: &str = "Souk";
/// Codes given at a time.
pub const RECOVERY_CODES: usize = 10;

/// The row of a TOTP factor.
#[derive(Clone, Debug, QueryableByName)]
pub struct Factor {
    #[diesel(sql_type = Uuid)]
    pub account_id: AccountId,
    #[diesel(sql_type = Binary)]
    pub sealed: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub sealed_with: String,
    #[diesel(sql_type = BigInt)]
    pub last_step: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// What a secret is sealed for: this account, as this.
pub fn context(account: AccountId) -> Vec<u8> {
    [b"totp ".as_slice(), account.uuid().as_bytes()].concat()
}

/// The app's secret.
pub fn totp(secret: [u8; 20], email: &Email) -> Totp {
    Totp::new(secret, ISSUER, email.as_str())
}

impl Factor {
    /// The secret in the open; `None` when its key is gone: then only recovery codes help.
    pub fn secret(&self, vault: &Vault) -> Option<[u8; 20]> {
        let sealed = Sealed { key: self.sealed_with.clone(), bytes: self.sealed.clone() };
        vault.open(&context(self.account_id), &sealed)?.try_into().ok()
    }
}

/// A code as somebody gave it, and what it takes to judge it and to tell them.
pub struct Guess<'a> {
    pub vault: &'a Vault,
    pub signing: &'a SigningKey,
    pub settings: &'a Settings,
    pub origin: &'a Origin,
    pub code: Option<&'a str>,
}

impl<'a> Guess<'a> {
    pub fn new(plane: &'a Plane, origin: &'a Origin, code: Option<&'a Typed>) -> Self {
        Self {
            vault: plane.vault(),
            signing: plane.signing(),
            settings: plane.settings(),
            origin,
            code: code.map(Typed::as_str),
        }
    }
}

/// Whether there is a second factor.
#[derive(Debug, Serialize, ToSchema)]
pub struct FactorView {
    pub enabled: bool,
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Recovery codes that were not used yet.
    #[schema(example = 10)]
    pub recovery_codes_left: i64,
}

/// What to type or scan into an authenticator app. Shown once.
#[derive(Serialize, ToSchema)]
pub struct Enrolment {
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    pub secret: String,
    #[schema(
        example = "otpauth://totp/Souk:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Souk"
    )]
    pub uri: String,
}

/// Each works once in place of a code. Shown once.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    #[schema(example = json!(["ABCD-EFGH-IJKL", "MNOP-QRST-UVWX"]))]
    pub recovery_codes: Vec<String>,
}

/// The password proves that it is you.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    pub password: Typed,
}

/// The app's first code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "123456"}))]
pub struct Confirm {
    pub code: Typed,
}

/// Password, and a code if there is a second factor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"password": "correct horse battery staple", "code": "123456"}))]
pub struct Proof {
    pub password: Typed,
    /// Six digits of the app, or a recovery code.
    pub code: Option<Typed>,
}
