//! An account is a person: an address, a name, a password. What an account owns hangs on its organizations.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use souk_kernel::{AccountId, Email, Text};
use utoipa::ToSchema;

use crate::locale::Locale;
use crate::schema::accounts;
use crate::text_enum::text_enum;

/// The row of a living account, without its password.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = accounts)]
pub struct Account {
    pub id: AccountId,
    pub email: Email,
    pub name: Text<120>,
    pub locale: String,
    pub verified_at: Option<DateTime<Utc>>,
    pub epoch: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

/// What an account shows of itself to its owner.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountView {
    pub id: AccountId,
    pub email: Email,
    #[schema(example = "Ada Lovelace")]
    pub name: Text<120>,
    /// The language that mails to you are in: German for `de` and whatever begins so, else English.
    #[schema(example = "de-DE")]
    pub locale: String,
    /// When the address was confirmed; absent until then. An unconfirmed account may open its first store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        let Account { id, email, name, locale, verified_at, created_at, updated_at, epoch: _, version: _ } =
            account;
        Self { id, email, name, locale, verified_at, created_at, updated_at }
    }
}

/// Sign up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.com", "password": "correct horse battery staple", "name": "Ada Lovelace"}))]
pub struct Register {
    #[schema(example = "ada@example.com")]
    pub email: Email,
    pub password: Typed,
    /// How mails address you; the part of the address before the @ unless given.
    #[schema(example = "Ada Lovelace")]
    pub name: Option<Text<120>>,
    /// The language of mails to you, a language tag; what `Accept-Language` asks for first unless given.
    #[schema(value_type = Option<String>, example = "de-DE")]
    pub locale: Option<Locale>,
}

impl Register {
    /// The name given, or the part of the address before the @. `None` when that is no usable name.
    pub fn display_name(&self) -> Option<Text<120>> {
        let from_address = || {
            let local: String =
                self.email.as_str().split('@').next().unwrap_or_default().chars().take(120).collect();
            Text::try_from(local).ok()
        };
        self.name.clone().or_else(from_address)
    }
}

/// The same words whether the address was free or taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct Registered {
    #[schema(
        example = "We have sent a mail to this address. You can sign in and open your store right away."
    )]
    pub message: &'static str,
}

impl Registered {
    pub const ANSWER: Self = Self {
        message: "We have sent a mail to this address. You can sign in and open your store right away.",
    };
}

/// The same words whether the account exists or not.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResetRequested {
    #[schema(example = "If this address has an account, a mail with a link is on its way.")]
    pub message: &'static str,
}

impl ResetRequested {
    pub const ANSWER: Self =
        Self { message: "If this address has an account, a mail with a link is on its way." };
}

/// Change the profile. Only what is given changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Ada Lovelace"}))]
pub struct EditAccount {
    #[schema(example = "Ada King")]
    pub name: Option<Text<120>>,
    /// The language of mails to you, a language tag.
    #[schema(value_type = Option<String>, example = "de-DE")]
    pub locale: Option<Locale>,
}

/// Change the password, knowing the old one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "correct horse battery staple", "new_password": "a longer battery staple"}))]
pub struct ChangePassword {
    pub current_password: Typed,
    pub new_password: Typed,
}

/// Ask for a link that sets a new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestReset {
    #[schema(example = "ada@example.com")]
    pub email: Email,
}

/// Set a new password with the secret of a mailed link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "Kq3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3d", "new_password": "a longer battery staple"}))]
pub struct CompleteReset {
    pub token: Typed,
    pub new_password: Typed,
}

/// Confirm the address with the secret of a mailed link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "Kq3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3d"}))]
pub struct VerifyEmail {
    pub token: Typed,
}

/// Delete the account: the password proves that it is you.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteAccount {
    pub password: Typed,
}

text_enum! {
    /// What a mailed link is for.
    pub enum Purpose {
        VerifyEmail = "verify_email",
        ResetPassword = "reset_password",
    }
}

impl Purpose {
    /// How long the link works.
    pub const fn lifetime(self) -> TimeDelta {
        match self {
            Self::VerifyEmail => TimeDelta::days(3),
            Self::ResetPassword => TimeDelta::minutes(30),
        }
    }
}

/// A secret as somebody typed it: a password, or the token of a mailed link. What it must be is decided where it is
/// used; here it is only kept from logs. Shown nowhere: `Debug` says nothing.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = "password", example = "correct horse battery staple")]
pub struct Typed(String);

impl Typed {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(…)")
    }
}
