//! A second factor as values and as wishes.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Nullable, Timestamptz};
use serde::{Deserialize, Serialize};
use souk_access::{SigningKey, Totp};
use souk_kernel::{AccountId, Email};
use utoipa::ToSchema;

use crate::accounts::Typed;

/// Whom the app shows.
const ISSUER: &str = "Souk";
/// Codes given at a time.
pub const RECOVERY_CODES: usize = 10;

/// The row of a TOTP factor.
#[derive(Clone, Debug, QueryableByName)]
pub struct Factor {
    #[diesel(sql_type = Binary)]
    pub nonce: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    pub last_step: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// The secret a nonce stands for: derived with the plane's key, never stored.
pub fn secret(signing: &SigningKey, account: AccountId, email: &Email, nonce: &[u8]) -> Totp {
    let of = [account.uuid().as_bytes(), nonce].concat();
    let derived = signing.secret_for("second factor", &of);
    let mut bytes = [0_u8; 20];
    bytes.iter_mut().zip(derived).for_each(|(to, from)| *to = from);
    Totp::new(bytes, ISSUER, email.as_str())
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
