//! Handing a mail to a mail server.
//!
//! [`Mailer`] is one server as `SMTP_URL` and `SMTP_CA_FILE` name it. A [`Refused`] says in whose hands it is to change that: a server that is
//! away, a certificate that is not trusted or a login that is refused are the operator's, so the mail is tried again; a recipient that the
//! server does not know stays unknown.

mod mailer;
#[cfg(feature = "test_support")]
pub mod test_support;

pub use mailer::{Mailer, MailerError, Refused};
