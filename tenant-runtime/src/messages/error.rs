//! What can go wrong with a mail.

use souk_access::Refusal;
use souk_api::{Problem, problem, problems};
use souk_tenancy::{DbError, TenancyError};

use super::model::Mistake;

problems! { CATALOGUE;
    TEMPLATE_REFUSED = 422, "email_template_refused", "The template cannot be used", "Each of `errors` says in which line and why. GET the template: `sample` is everything it may name.";
    MESSAGE_QUEUED = 409, "message_still_queued", "The mail is still to be sent", "Wait: it is tried again by itself. `next_attempt_at` says when.";
    MESSAGE_FORGOTTEN = 410, "message_forgotten", "What the mail said is no longer kept", "It was erased with the person it went to, or is older than 90 days.";
    MAIL_LINK_UNUSABLE = 410, "mail_link_unusable", "The link does not work", "It may have been used, be too old, or belong to an address that was changed since. Ask for another.";
    NO_SENDER = 409, "sender_not_confirmed", "There is no confirmed sender's address", "Say one with PUT /admin/v1/mail-settings and follow the link that is mailed to it.";
    NO_DKIM_KEY = 409, "dkim_key_missing", "There is no key for the sender's domain", "Make one with POST /admin/v1/mail-settings/dkim-key and put its record into DNS.";
    REPORT_REFUSED = 400, "mail_report_refused", "The report is not believed", "Sign it as Standard Webhooks say, with the secret of POST /admin/v1/mail-settings/report-secret, and send it within five minutes.";
    TOO_MANY_TRIES = 429, "too_many_test_mails", "There were 50 test mails within a day", "Use the preview, it has no limit.";
    TOO_MANY_TEMPLATES = 409, "too_many_email_templates", "There are as many templates as there may be", "Delete those of locales that nobody reads.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    #[error("no such mail, template or address")]
    Unknown,
    /// A kind that nobody knows: a mistake of ours.
    #[error("there is no such kind of mail")]
    UnknownKind,
    #[error("the mail is still to be sent")]
    StillQueued,
    #[error("the mail was forgotten")]
    Forgotten,
    #[error("the link does not work")]
    LinkUnusable,
    #[error("no confirmed sender")]
    NoSender,
    #[error("no key")]
    NoKey,
    #[error("the report is not believed")]
    Unsigned,
    #[error("too many tries in a day")]
    TooManyTries,
    #[error("too many templates")]
    TooMany,
    #[error("no random bytes")]
    Random,
    #[error("{0:?}")]
    Mistakes(Vec<Mistake>),
    /// Pointer and what would have been right.
    #[error("{0} {1}")]
    Field(&'static str, String),
    #[error("{0}")]
    Precondition(Problem),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
    #[error(transparent)]
    Settings(#[from] crate::settings::SettingsError),
    #[error(transparent)]
    Customer(#[from] crate::customers::CustomerError),
    #[error(transparent)]
    Staff(#[from] crate::staff::StaffError),
    #[error(transparent)]
    Credit(#[from] crate::credit::CreditError),
    #[error(transparent)]
    Draft(#[from] crate::drafts::DraftError),
    #[error(transparent)]
    Order(#[from] crate::orders::OrderError),
    #[error(transparent)]
    Invoice(#[from] crate::invoices::InvoiceError),
    #[error(transparent)]
    Subscription(#[from] crate::subscriptions::SubscriptionError),
    #[error("the template: {0}")]
    Template(#[from] minijinja::Error),
    #[error(transparent)]
    Smtp(#[from] souk_smtp::MailerError),
    #[error("the event: {0}")]
    Event(#[from] serde_json::Error),
}

impl From<MessageError> for Problem {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Unknown => Self::new(&problem::NOT_FOUND),
            MessageError::StillQueued => Self::new(&MESSAGE_QUEUED),
            MessageError::Forgotten => Self::new(&MESSAGE_FORGOTTEN),
            MessageError::LinkUnusable => Self::new(&MAIL_LINK_UNUSABLE),
            MessageError::NoSender => Self::new(&NO_SENDER),
            MessageError::NoKey => Self::new(&NO_DKIM_KEY),
            MessageError::Unsigned => Self::new(&REPORT_REFUSED),
            MessageError::TooManyTries => Self::new(&TOO_MANY_TRIES),
            MessageError::TooMany => Self::new(&TOO_MANY_TEMPLATES),
            MessageError::Mistakes(mistakes) => {
                mistakes.into_iter().fold(Self::new(&TEMPLATE_REFUSED), |problem, mistake| {
                    let message = format!("line {}: {}", mistake.line, mistake.reason);
                    problem.field(mistake.pointer, "invalid", message)
                })
            }
            MessageError::Field(pointer, message) => {
                Self::new(&problem::VALIDATION).field(pointer, "invalid", message)
            }
            MessageError::Precondition(problem) => problem,
            MessageError::Db(error) => Refusal::from(error).into(),
            MessageError::Tenancy(error) => Refusal::from(error).into(),
            MessageError::Settings(error) => error.into(),
            MessageError::Customer(error) => error.into(),
            MessageError::Staff(error) => error.into(),
            MessageError::Credit(error) => error.into(),
            MessageError::Draft(error) => error.into(),
            MessageError::Order(error) => error.into(),
            MessageError::Invoice(error) => error.into(),
            MessageError::Subscription(error) => error.into(),
            MessageError::UnknownKind
            | MessageError::Random
            | MessageError::Template(_)
            | MessageError::Smtp(_)
            | MessageError::Event(_) => Self::new(&problem::INTERNAL).source(error),
        }
    }
}
