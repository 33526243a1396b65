//! One conversation for one mail (RFC 5321).

use std::error::Error as _;
use std::fmt::Display;
use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::{Error, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use percent_encoding::percent_decode_str;
use url::Url;

/// Handing over a mail takes no longer than this.
const PATIENCE: Duration = Duration::from_secs(20);
/// Saying goodbye takes no longer than this; the mail has been taken by then.
const GOODBYE: Duration = Duration::from_secs(1);

/// An address of a mail server, or an authority for it, that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    #[error(
        "SMTP_URL must read smtps://user:password@host:465, smtp://user:password@host:587?tls=required or smtp://host: {0}"
    )]
    Address(String),
    #[error("SMTP_CA_FILE: {0}")]
    Authority(String),
    #[error("SMTP_URL: {0}")]
    Tls(Error),
}

/// Why a mail was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// For people: who said no, and in which words.
    pub cause: String,
    /// Whether it will not be taken later either: the server refused the recipient or the mail itself with 5xx. What is wrong with the
    /// server, its certificate, our login or the sender's address can be mended.
    pub for_good: bool,
    /// Whether the server says that nobody is reached at the recipient's address, now or later; then `for_good` too. Not what it refuses of
    /// us or of this mail (policy, content, size), nor a mailbox that is full.
    pub no_mailbox: bool,
}

impl Refused {
    /// What no later try can change, and is nothing that a server said of the recipient.
    pub fn unsendable(cause: String) -> Self {
        Self { cause, for_good: true, no_mailbox: false }
    }

    fn for_now(what: &str, error: &dyn Display) -> Self {
        Self { cause: format!("{what}: {error}"), for_good: false, no_mailbox: false }
    }

    /// An answer to something that is about this recipient or this mail alone.
    fn answered(what: &str, error: &Error) -> Self {
        // 500 to 504 are about how we speak, 530 to 538 about who we are.
        let is_about_it = error.status().is_some_and(|code| matches!(u16::from(code), 521 | 541 | 550..=559));
        let for_good = error.is_permanent() && is_about_it;
        Self { cause: format!("{what}: {error}"), for_good, no_mailbox: false }
    }

    /// An answer to the recipient's address.
    fn recipient(error: &Error) -> Self {
        let refused = Self::answered("the mail server refused the recipient", error);
        let (code, text) = (error.status().map_or(0, u16::from), error.source().map(ToString::to_string));
        let no_mailbox = refused.for_good && is_no_mailbox(code, text.as_deref().unwrap_or_default());
        Self { no_mailbox, ..refused }
    }
}

/// Whether a permanent answer to a recipient says that nobody is reached there, now or later. Servers that give a status (RFC 3463) are taken
/// at it: 5.1.1 to 5.1.3, 5.1.6 and 5.1.10 are about the address, 5.2.1 is a mailbox that was closed; 5.1.7 and 5.1.8 are about the sender's
/// address, 5.2.2 is full, 5.7 is policy. Of the others, whose 550 may mean anything, the words decide.
fn is_no_mailbox(code: u16, text: &str) -> bool {
    match status(text) {
        Some((1, 1..=3 | 6 | 10) | (2, 1)) => true,
        None | Some((0 | 1, 0)) => code == 556 || says_no_mailbox(&text.to_ascii_lowercase()),
        Some(_) => false,
    }
}

/// Subject and detail of the status that a permanent answer begins with.
fn status(text: &str) -> Option<(u16, u16)> {
    let word = text.split_whitespace().next()?.trim_start_matches('#');
    let mut parts = word.split('.').map(|part| part.parse::<u16>().ok());
    match (parts.next()??, parts.next()??, parts.next()??, parts.next()) {
        (5, subject, detail, None) => Some((subject, detail)),
        _ => None,
    }
}

fn says_no_mailbox(text: &str) -> bool {
    let says = [
        "no such user",
        "no such mailbox",
        "no such recipient",
        "no mailbox here",
        "unknown user",
        "user unknown",
        "unknown recipient",
        "recipient unknown",
        "user not found",
        "mailbox not found",
        "recipient not found",
        "user does not exist",
        "user doesn't exist",
        "mailbox does not exist",
        "account does not exist",
        "account that you tried to reach does not exist",
    ];
    !text.contains("sender") && says.iter().any(|words| text.contains(words))
}

/// How a connection is protected.
#[derive(Clone)]
enum Security {
    Plain,
    /// STARTTLS, where the server has it.
    Opportunistic(TlsParameters),
    /// STARTTLS, or no conversation.
    Required(TlsParameters),
    /// TLS from the first byte.
    Implicit(TlsParameters),
}

/// A mail server. Every mail is a connection of its own.
#[derive(Clone)]
pub struct Mailer {
    host: String,
    port: u16,
    hello: ClientId,
    security: Security,
    credentials: Option<Credentials>,
}

impl Mailer {
    /// The server of this address: `smtps://user:password@host:465` (TLS), `smtp://…:587?tls=required` (STARTTLS or nothing), `?tls=opportunistic`
    /// (STARTTLS where the server has it), `smtp://host:25` (in the clear). User and password are percent-encoded; a path is the name we
    /// give ourselves. `authority` holds certificates (PEM): where it is given, a server's must come from one of these, and no others are
    /// believed.
    ///
    /// # Errors
    /// An address that is not understood, an authority that is none, or one for a connection without TLS.
    pub fn new(address: &str, authority: Option<&str>) -> Result<Self, MailerError> {
        let wrong = |cause: &dyn Display| MailerError::Address(cause.to_string());
        let url = Url::parse(address).map_err(|error| wrong(&error))?;
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong(&"it names no host"))?;
        // IPv6 in brackets is an address of a URL, not of a socket.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let (security, port) = match (url.scheme(), tls.as_deref()) {
            ("smtps", _) => (Security::Implicit(trust(&host, authority)?), SUBMISSIONS_PORT),
            ("smtp", Some("required")) => (Security::Required(trust(&host, authority)?), SUBMISSION_PORT),
            ("smtp", Some("opportunistic")) => {
                (Security::Opportunistic(trust(&host, authority)?), SUBMISSION_PORT)
            }
            ("smtp", None) if authority.is_some() => {
                let cause = "is for smtps://… or smtp://…?tls=required; SMTP_URL asks for no TLS";
                return Err(MailerError::Authority(cause.to_owned()));
            }
            ("smtp", None) => (Security::Plain, SMTP_PORT),
            _ => return Err(wrong(&"its scheme or its `tls` is another")),
        };
        let decoded = |text: &str| {
            percent_decode_str(text)
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
                .map_err(|error| wrong(&error))
        };
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
            None => None,
        };
        let name = url.path().trim_matches('/');
        let hello = if name.is_empty() { ClientId::default() } else { ClientId::Domain(name.to_owned()) };
        Ok(Self { host, port: url.port().unwrap_or(port), hello, security, credentials })
    }

    /// Hands a mail over; `Ok` once the server has taken it. Never longer than 20 seconds.
    ///
    /// # Errors
    /// [`Refused`] says why, and whether trying again is of use.
    pub async fn send(&self, mail: &Message) -> Result<(), Refused> {
        let conversation = async {
            let mut server = self.connect().await?;
            let outcome = hand_over(&mut server, mail).await;
            Ok::<_, Refused>((server, outcome))
        };
        let late = |_| Refused {
            cause: "the mail server did not answer in time".to_owned(),
            for_good: false,
            no_mailbox: false,
        };
        let (mut server, outcome) = tokio::time::timeout(PATIENCE, conversation).await.map_err(late)??;
        let _ = tokio::time::timeout(GOODBYE, server.abort()).await;
        outcome
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Refused> {
        let implicit = match &self.security {
            Security::Implicit(tls) => Some(tls.clone()),
            Security::Plain | Security::Opportunistic(_) | Security::Required(_) => None,
        };
        let place = (self.host.as_str(), self.port);
        let connected =
            AsyncSmtpConnection::connect_tokio1(place, Some(PATIENCE), &self.hello, implicit, None).await;
        let mut server =
            connected.map_err(|error| Refused::for_now("no connection to the mail server", &error))?;
        let untrusted = |error: Error| Refused::for_now("no TLS with the mail server", &error);
        match &self.security {
            Security::Required(tls) => server.starttls(tls.clone(), &self.hello).await.map_err(untrusted)?,
            Security::Opportunistic(tls) if server.can_starttls() => {
                server.starttls(tls.clone(), &self.hello).await.map_err(untrusted)?;
            }
            Security::Plain | Security::Opportunistic(_) | Security::Implicit(_) => {}
        }
        if let Some(credentials) = &self.credentials {
            let signed_in = server.auth(DEFAULT_MECHANISMS, credentials).await;
            signed_in.map_err(|error| Refused::for_now("the mail server refused our login", &error))?;
        }
        Ok(server)
    }
}

/// Neither passwords nor keys.
impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// Whom a server's certificate must come from, and that it must be this server's.
fn trust(host: &str, authority: Option<&str>) -> Result<TlsParameters, MailerError> {
    let mut parameters = TlsParametersBuilder::new(host.to_owned());
    if let Some(pem) = authority {
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(MailerError::Authority("must hold certificates (PEM)".to_owned()));
        }
        let certificates = Certificate::from_pem(pem.as_bytes())
            .map_err(|error| MailerError::Authority(error.to_string()))?;
        parameters = parameters.certificate_store(CertificateStore::None).add_root_certificate(certificates);
    }
    parameters.build().map_err(|error| match authority {
        Some(_) => MailerError::Authority(error.to_string()),
        None => MailerError::Tls(error),
    })
}

/// Sender, recipient, content: each may be refused, and says so.
async fn hand_over(server: &mut AsyncSmtpConnection, mail: &Message) -> Result<(), Refused> {
    let (envelope, content) = (mail.envelope(), mail.formatted());
    let lacks = |what: &str| Refused::unsendable(format!("the mail server cannot take {what}"));
    let mut parameters = Vec::new();
    let mut addresses = envelope.from().into_iter().chain(envelope.to());
    if addresses.any(|address| !address.to_string().is_ascii()) {
        if !server.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(lacks("such an address (it has no SMTPUTF8)"));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !content.is_ascii() {
        if !server.server_info().supports_feature(Extension::EightBitMime) {
            return Err(lacks("such letters (it has no 8BITMIME)"));
        }
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let from = Mail::new(envelope.from().cloned(), parameters);
    // The sender is the store's to change, so this may be otherwise in an hour.
    let agreed = server.command(from).await;
    agreed.map_err(|error| Refused::for_now("the mail server refused the sender", &error))?;
    for to in envelope.to() {
        let agreed = server.command(Rcpt::new(to.clone(), Vec::new())).await;
        agreed.map_err(|error| Refused::recipient(&error))?;
    }
    let refused = |error: Error| Refused::answered("the mail server refused the mail", &error);
    server.command(Data).await.map_err(refused)?;
    server.message(&content).await.map_err(refused)?;
    Ok(())
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn an_address_says_how_it_is_spoken_to() {
        for good in [
            "smtp://mail.example",
            "smtp://127.0.0.1:2525",
            "smtps://souk:p%40ss@mail.example",
            "smtp://souk:secret@mail.example:587?tls=required",
            "smtp://mail.example/shop.example?tls=opportunistic",
        ] {
            assert!(Mailer::new(good, None).is_ok(), "{good}");
        }
        let mailer = Mailer::new("smtps://souk:p%40ss@mail.example", None).unwrap();
        assert_eq!((mailer.host.as_str(), mailer.port), ("mail.example", 465));
        assert!(mailer.credentials == Some(Credentials::new("souk".to_owned(), "p@ss".to_owned())));
        assert!(!format!("{mailer:?}").contains("p@ss"));
        for bad in ["mail.example", "http://mail.example", "smtp://mail.example?tls=maybe", "smtp:///x"] {
            assert!(matches!(Mailer::new(bad, None), Err(MailerError::Address(_))), "{bad}");
        }
    }

    #[test]
    fn what_a_server_says_of_an_address_is_told_from_what_it_says_of_us() {
        for (code, text) in [
            (550, "5.1.1 <ada@example.com>: Recipient address rejected: User unknown"),
            (554, "5.1.2 no such domain"),
            (553, "5.1.3 that is no address"),
            (551, "5.1.6 moved, nobody knows where to"),
            (556, "5.1.10 example.com takes no mail"),
            (556, "Domain does not accept mail"),
            (550, "5.2.1 The email account that you tried to reach is disabled"),
            (550, "#5.1.0 Address rejected: no such user here"),
            (550, "No such user here"),
            (550, "User unknown"),
            (550, "sorry, no mailbox here by that name"),
        ] {
            assert!(is_no_mailbox(code, text), "{code} {text}");
        }
        for (code, text) in [
            (550, "5.7.1 relaying denied: no such user"),
            (550, "5.7.26 not authenticated"),
            (552, "5.2.2 mailbox full"),
            (554, "5.6.0 no such mails here"),
            (553, "5.1.8 sender's domain does not exist"),
            (550, "5.1.7 unknown sender"),
            (550, "5.1.0 rejected"),
            (550, "5.4.1 Recipient address rejected: Access denied"),
            (550, "Mailbox unavailable"),
            (550, "Sender rejected: user does not exist"),
            (550, "Rejected for policy reasons"),
            (554, "Transaction failed"),
            (550, ""),
        ] {
            assert!(!is_no_mailbox(code, text), "{code} {text}");
        }
        assert_eq!(status("5.1.1"), Some((1, 1)));
        for none in ["", "4.1.1 later", "5.1", "5.1.1.1", "5.1.x", "no 5.1.1"] {
            assert_eq!(status(none), None, "{none}");
        }
    }

    #[test]
    fn an_authority_is_one_and_is_not_ignored() {
        for (url, authority) in [
            ("smtp://mail.example", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
            ("smtps://mail.example", "a key perhaps"),
            ("smtps://mail.example", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ] {
            assert!(
                matches!(Mailer::new(url, Some(authority)), Err(MailerError::Authority(_))),
                "{authority}"
            );
        }
    }
}
