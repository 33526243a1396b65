//! Customers as values and as wishes.

mod address;
mod mailbox;
mod reception;
mod rules;
mod session;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_kernel::{CustomerId, Email, Locale, LongText, Text};
use utoipa::ToSchema;

pub use address::{Address, AddressView, MOST_ADDRESSES, NewAddress};
pub use mailbox::Mailbox;
pub use reception::{Origin, Reception, Typed, customer_of, session_of};
pub use rules::AddressRulesView;
pub use session::{
    Bucket, Door, EndReason, REFRESH_LIFETIME, Refresh, SESSION_LIFETIME, Session, SessionView, SignIn,
    Tokens, WINDOW, buckets, buckets_of_declines,
};

/// The row of a customer, without the password.
#[derive(Clone, Debug, QueryableByName)]
pub struct Customer {
    #[diesel(sql_type = SqlUuid)]
    pub id: CustomerId,
    #[diesel(sql_type = SqlText)]
    pub email: String,
    #[diesel(sql_type = SqlText)]
    pub first_name: String,
    #[diesel(sql_type = SqlText)]
    pub last_name: String,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub phone: Option<String>,
    #[diesel(sql_type = SqlText)]
    pub state: String,
    #[diesel(sql_type = Bool)]
    pub accepts_marketing: bool,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub locale: Option<Locale>,
    #[diesel(sql_type = SqlText)]
    pub note: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub verified_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub order_count: i64,
    #[diesel(sql_type = BigInt)]
    pub epoch: i64,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

impl Customer {
    /// What makes the mailbox unique; a stored address always parses.
    pub fn email_key(&self) -> String {
        Email::parse(&self.email).map_or_else(|_| self.email.to_lowercase(), |email| email.key())
    }

    /// How a mail addresses them.
    pub fn display_name(&self) -> String {
        let name = format!("{} {}", self.first_name, self.last_name).trim().to_owned();
        if name.is_empty() { self.email.split('@').next().unwrap_or_default().to_owned() } else { name }
    }
}

/// What customers see of themselves.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccountView {
    pub id: CustomerId,
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// When the address was confirmed; null until then.
    pub verified_at: Option<DateTime<Utc>>,
    #[schema(example = "Ada")]
    pub first_name: String,
    #[schema(example = "Lovelace")]
    pub last_name: String,
    #[schema(example = "+49 30 901820")]
    pub phone: Option<String>,
    pub accepts_marketing: bool,
    /// The language they read, if they said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "de-AT")]
    pub locale: Option<Locale>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl From<Customer> for AccountView {
    fn from(customer: Customer) -> Self {
        Self {
            id: customer.id,
            email: customer.email,
            verified_at: customer.verified_at,
            first_name: customer.first_name,
            last_name: customer.last_name,
            phone: customer.phone,
            accepts_marketing: customer.accepts_marketing,
            locale: customer.locale,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}

/// What the people of the store see of a customer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CustomerView {
    #[serde(flatten)]
    pub account: AccountView,
    /// `enabled`, `disabled`, `invited` or `erased`.
    #[schema(example = "enabled")]
    pub state: String,
    /// Orders placed while signed in.
    #[schema(example = 3)]
    pub order_count: i64,
    /// For colleagues.
    pub note: String,
}

impl From<Customer> for CustomerView {
    fn from(customer: Customer) -> Self {
        let (state, order_count, note) =
            (customer.state.clone(), customer.order_count, customer.note.clone());
        Self { account: customer.into(), state, order_count, note }
    }
}

/// Register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    #[schema(value_type = String, example = "ada@example.com")]
    pub email: Email,
    pub password: Typed,
    #[schema(example = "Ada")]
    pub first_name: Option<Text<100>>,
    #[schema(example = "Lovelace")]
    pub last_name: Option<Text<100>>,
    #[serde(default)]
    pub accepts_marketing: bool,
}

/// The same words whatever is true of the address.
#[derive(Debug, Serialize, ToSchema)]
pub struct Mailed {
    #[schema(example = "We have sent a mail to this address.")]
    pub message: &'static str,
}

impl Mailed {
    pub const REGISTERED: Self =
        Self { message: "We have sent a mail to this address. You can sign in right away." };
    pub const RESET: Self =
        Self { message: "If this address has an account, a mail with a link is on its way." };
    pub const EMAIL_CHANGE: Self = Self {
        message: "We have sent a mail to both addresses; the change is made when both have confirmed it.",
    };
}

/// Change the profile. Only what is given changes; an empty text clears.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditAccount {
    #[schema(value_type = Option<String>, max_length = 100, example = "Ada")]
    pub first_name: Option<LongText<100>>,
    #[schema(value_type = Option<String>, max_length = 100, example = "King")]
    pub last_name: Option<LongText<100>>,
    #[schema(value_type = Option<String>, max_length = 30, example = "+49 30 901820")]
    pub phone: Option<LongText<30>>,
    pub accepts_marketing: Option<bool>,
    /// The language you read: mails to you are in it where the store has words for it.
    #[schema(value_type = Option<String>, max_length = 35, example = "de-AT")]
    pub locale: Option<Locale>,
}

/// Change a customer. Only what is given changes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditCustomer {
    #[schema(value_type = Option<String>, max_length = 100)]
    pub first_name: Option<LongText<100>>,
    #[schema(value_type = Option<String>, max_length = 100)]
    pub last_name: Option<LongText<100>>,
    #[schema(value_type = Option<String>, max_length = 30)]
    pub phone: Option<LongText<30>>,
    /// For colleagues.
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub note: Option<LongText<2000>>,
    /// `disabled` signs the customer out everywhere and lets them in no more.
    pub state: Option<WishedState>,
}

/// Whether a customer may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WishedState {
    Enabled,
    Disabled,
}

impl WishedState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

/// Change the password, knowing the old one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    pub current_password: Typed,
    pub new_password: Typed,
}

/// Ask for a link that sets a new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestReset {
    #[schema(value_type = String, example = "ada@example.com")]
    pub email: Email,
}

/// Set a new password with the secret of a mailed link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteReset {
    pub token: Typed,
    pub new_password: Typed,
}

/// The secret of a mailed link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Follow {
    pub token: Typed,
}

/// Ask for another address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@newplace.example", "password": "correct horse battery staple"}))]
pub struct ChangeEmail {
    #[schema(value_type = String, example = "ada@newplace.example")]
    pub email: Email,
    /// Proves that it is you; whoever has no password leaves it out, and has signed in with their provider within the last 15 minutes.
    pub password: Option<Typed>,
}

/// How far a change of address is.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EmailChange {
    /// `true` when both mailboxes have agreed and the address is changed; every session has ended then.
    pub changed: bool,
}

/// What a mailed link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    VerifyEmail,
    ResetPassword,
    EmailOld,
    EmailNew,
}

impl Purpose {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::EmailOld => "email_old",
            Self::EmailNew => "email_new",
        }
    }

    /// How long the link works.
    pub const fn lifetime(self) -> TimeDelta {
        match self {
            Self::VerifyEmail => TimeDelta::days(3),
            Self::ResetPassword => TimeDelta::minutes(30),
            Self::EmailOld | Self::EmailNew => TimeDelta::hours(24),
        }
    }

    /// The page of the storefront that the link opens.
    pub const fn page(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
            Self::EmailOld | Self::EmailNew => "confirm-email",
        }
    }
}

/// Which mail a customer gets; the name of its template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LetterKind {
    VerifyEmail,
    AlreadyRegistered,
    ResetPassword,
    PasswordChanged,
    ConfirmOldEmail,
    ConfirmNewEmail,
    EmailChanged,
    NewDevice,
    IdentityLinked,
    IdentityUnlinked,
}

impl LetterKind {
    const ALL: [Self; 10] = [
        Self::VerifyEmail,
        Self::AlreadyRegistered,
        Self::ResetPassword,
        Self::PasswordChanged,
        Self::ConfirmOldEmail,
        Self::ConfirmNewEmail,
        Self::EmailChanged,
        Self::NewDevice,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
    ];

    /// The one with this template.
    pub fn of_template(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|letter| letter.template() == name)
    }

    /// The template's name.
    pub const fn template(self) -> &'static str {
        match self {
            Self::VerifyEmail => "customer_verify_email",
            Self::AlreadyRegistered => "customer_already_registered",
            Self::ResetPassword => "customer_reset_password",
            Self::PasswordChanged => "customer_password_changed",
            Self::ConfirmOldEmail => "customer_confirm_old_email",
            Self::ConfirmNewEmail => "customer_confirm_new_email",
            Self::EmailChanged => "customer_email_changed",
            Self::NewDevice => "customer_new_device",
            Self::IdentityLinked => "customer_identity_linked",
            Self::IdentityUnlinked => "customer_identity_unlinked",
        }
    }

    /// The link it carries, if any.
    pub const fn purpose(self) -> Option<Purpose> {
        match self {
            Self::VerifyEmail => Some(Purpose::VerifyEmail),
            Self::AlreadyRegistered | Self::ResetPassword => Some(Purpose::ResetPassword),
            Self::ConfirmOldEmail => Some(Purpose::EmailOld),
            Self::ConfirmNewEmail => Some(Purpose::EmailNew),
            Self::PasswordChanged
            | Self::EmailChanged
            | Self::NewDevice
            | Self::IdentityLinked
            | Self::IdentityUnlinked => None,
        }
    }
}

/// What a cart takes from its owner.
#[derive(Clone, Debug)]
pub struct Buyer {
    pub id: CustomerId,
    pub email: String,
    /// The default of the address book, if there is one.
    pub shipping: Option<Address>,
    pub billing: Option<Address>,
}

/// Everything a store knows of a customer's account.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerExport {
    pub account: AccountView,
    pub addresses: Vec<AddressView>,
    /// Living sessions.
    pub sessions: Vec<SessionView>,
}

/// Which customers, and after which.
#[derive(Debug, Default)]
pub struct ListFilter {
    pub q: Option<String>,
    pub state: Option<String>,
    pub before: Option<CustomerId>,
    pub fetch: i64,
}
