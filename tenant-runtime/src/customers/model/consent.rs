//! Whether a customer takes marketing, and how that is known.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Text, Timestamptz};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a customer stands to marketing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Marketing {
    /// They want none.
    None,
    /// They said yes, and their mailbox has not agreed yet: nothing is sent.
    Pending,
    /// They take it.
    Given,
}

impl Marketing {
    /// As filters say it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pending => "pending",
            Self::Given => "given",
        }
    }
}

/// How consent ends up somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentState {
    Given,
    Withdrawn,
}

impl ConsentState {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Where a customer said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentSource {
    Registration,
    Account,
    MailedLink,
    UnsubscribeLink,
}

impl ConsentSource {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Account => "account",
            Self::MailedLink => "mailed_link",
            Self::UnsubscribeLink => "unsubscribe_link",
        }
    }
}

/// What a customer said of marketing once.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct ConsentView {
    /// `pending` until the mailbox has agreed, `given`, `withdrawn`.
    #[diesel(sql_type = Text)]
    #[schema(example = "given")]
    pub state: String,
    /// `registration`, `account`, `mailed_link`, `unsubscribe_link`; `unknown` from before this was kept.
    #[diesel(sql_type = Text)]
    #[schema(example = "mailed_link")]
    pub source: String,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
}
