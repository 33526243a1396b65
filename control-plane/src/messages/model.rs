//! What we write to people, and how it is rendered.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use minijinja::{Environment, context};
use souk_kernel::{Email, MessageId};

use crate::schema::messages;

/// The three parts of each letter, in every language.
macro_rules! letters {
    ($($name:literal)+) => {
        [
            ("layout.html", include_str!("../../templates/layout.html.j2")),
            $(
                (concat!("en/", $name, "/subject.txt"), include_str!(concat!("../../templates/", $name, "/subject.txt.j2"))),
                (concat!("en/", $name, "/body.txt"), include_str!(concat!("../../templates/", $name, "/body.txt.j2"))),
                (concat!("en/", $name, "/body.html"), include_str!(concat!("../../templates/", $name, "/body.html.j2"))),
                (concat!("de/", $name, "/subject.txt"), include_str!(concat!("../../templates/de/", $name, "/subject.txt.j2"))),
                (concat!("de/", $name, "/body.txt"), include_str!(concat!("../../templates/de/", $name, "/body.txt.j2"))),
                (concat!("de/", $name, "/body.html"), include_str!(concat!("../../templates/de/", $name, "/body.html.j2"))),
            )+
        ]
    };
}

/// Committed files, so a template that does not parse fails the tests, not a sign-up.
static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    let all = letters! { "verify_email" "already_registered" "reset_password" "password_changed" "identity" "second_factor" "new_device" "invitation" "store_ready" "store_grant" };
    for (name, text) in all {
        if let Err(error) = environment.add_template(name, text) {
            tracing::error!(%error, name, "a committed template does not parse");
        }
    }
    environment
});

/// The language of a letter to somebody with this locale: one that we write, else English.
fn language(locale: &str) -> &'static str {
    match locale.split('-').next() {
        Some("de") => "de",
        _ => "en",
    }
}

/// One mail to one person.
#[derive(Clone, Debug)]
pub enum Letter<'a> {
    VerifyEmail {
        name: &'a str,
        email: &'a Email,
        link: String,
    },
    AlreadyRegistered {
        name: &'a str,
        email: &'a Email,
        link: String,
    },
    ResetPassword {
        name: &'a str,
        email: &'a Email,
        link: String,
    },
    PasswordChanged {
        name: &'a str,
        email: &'a Email,
        link: String,
    },
    NewDevice {
        name: &'a str,
        email: &'a Email,
        device: &'a str,
        network: &'a str,
        at: DateTime<Utc>,
        link: String,
    },
    SecondFactor {
        name: &'a str,
        email: &'a Email,
        change: FactorChange,
        link: String,
    },
    Identity {
        name: &'a str,
        email: &'a Email,
        provider: &'a str,
        linked: bool,
        link: String,
    },
    Invitation {
        inviter: &'a str,
        organization: &'a str,
        role: &'a str,
        email: &'a Email,
        link: String,
    },
    StoreReady {
        name: &'a str,
        store: &'a str,
        email: &'a Email,
        link: String,
    },
    /// Somebody of the platform may look at a store.
    StoreGrant {
        name: &'a str,
        store: &'a str,
        holder: &'a str,
        reason: &'a str,
        minutes: i64,
        email: &'a Email,
        link: String,
    },
}

/// What happened to somebody's second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorChange {
    On,
    Off,
    NewCodes,
    /// A recovery code was used; so many are left.
    CodeUsed {
        left: i64,
    },
}

/// A mail as it leaves.
#[derive(Clone, Debug)]
pub struct Rendered {
    pub template: &'static str,
    pub recipient: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Letter<'_> {
    /// Subject and both bodies, in the language of this locale.
    pub fn render(&self, locale: &str) -> Result<Rendered, minijinja::Error> {
        let lang = language(locale);
        let (template, email, values) = match self {
            Self::VerifyEmail { name, email, link } => ("verify_email", email, named(name, email, link)),
            Self::AlreadyRegistered { name, email, link } => {
                ("already_registered", email, named(name, email, link))
            }
            Self::ResetPassword { name, email, link } => ("reset_password", email, named(name, email, link)),
            Self::NewDevice { name, email, device, network, at, link } => {
                let (form, nameless) = match lang {
                    "de" => ("%d.%m.%Y, %H:%M UTC", "ein Gerät ohne Namen"),
                    _ => ("%-d %B %Y, %H:%M UTC", "a device without a name"),
                };
                let at = at.format(form).to_string();
                let device = if device.is_empty() { nameless } else { device };
                let values = context! { name => *name, email => email.as_str(), device, network => *network, at, link };
                ("new_device", email, values)
            }
            Self::SecondFactor { name, email, change, link } => {
                let (change, left) = match change {
                    FactorChange::On => ("on", None),
                    FactorChange::Off => ("off", None),
                    FactorChange::NewCodes => ("new_codes", None),
                    FactorChange::CodeUsed { left } => ("code_used", Some(*left)),
                };
                let values = context! { name => *name, email => email.as_str(), change, left, link };
                ("second_factor", email, values)
            }
            Self::Identity { name, email, provider, linked, link } => {
                let values =
                    context! { name => *name, email => email.as_str(), provider => *provider, linked, link };
                ("identity", email, values)
            }
            Self::PasswordChanged { name, email, link } => {
                ("password_changed", email, named(name, email, link))
            }
            Self::Invitation { inviter, organization, role, email, link } => (
                "invitation",
                email,
                context! { inviter => *inviter, organization => *organization, role => *role, email => email.as_str(), link },
            ),
            Self::StoreReady { name, store, email, link } => {
                ("store_ready", email, context! { name => *name, store => *store, link })
            }
            Self::StoreGrant { name, store, holder, reason, minutes, email, link } => {
                let values = context! { name => *name, store => *store, holder => *holder, reason => *reason, minutes, link };
                ("store_grant", email, values)
            }
        };
        let values = context! { lang, ..values };
        let part = |file: &str| TEMPLATES.get_template(&format!("{lang}/{template}/{file}"))?.render(&values);
        Ok(Rendered {
            template,
            recipient: email.as_str().to_owned(),
            subject: part("subject.txt")?.trim().to_owned(),
            text: part("body.txt")?,
            html: part("body.html")?,
        })
    }
}

fn named(name: &str, email: &Email, link: &str) -> minijinja::Value {
    context! { name, email => email.as_str(), link }
}

/// A row of the outbox that is to be sent.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = messages)]
pub struct Message {
    pub id: MessageId,
    pub recipient: String,
    pub subject: String,
    pub text_body: Option<String>,
    pub html_body: Option<String>,
    pub attempts: i32,
    pub created_at: DateTime<Utc>,
}

/// After how long a mail that could not be sent is tried again; `None`: given up.
pub fn retry_after(attempts: i32) -> Option<chrono::TimeDelta> {
    match attempts {
        ..=0 => Some(chrono::TimeDelta::seconds(1)),
        1..=9 => Some(chrono::TimeDelta::seconds(1_i64 << (attempts + 1))),
        10.. => None,
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn what_people_typed_is_text_in_html() {
        let email = Email::parse("ada@example.com").unwrap();
        let letter =
            Letter::VerifyEmail { name: "<b>Ada</b>", email: &email, link: "https://x/y#token=z".into() };
        let mail = letter.render("en").unwrap();
        assert_eq!(mail.subject, "Confirm your e-mail address");
        assert!(mail.text.contains("Hello <b>Ada</b>,"));
        assert!(mail.html.contains("Hello &lt;b&gt;Ada&lt;&#x2f;b&gt;,"), "{}", mail.html);
        assert!(
            mail.html.contains("https:&#x2f;&#x2f;x&#x2f;y#token=z")
                || mail.html.contains("https://x/y#token=z")
        );
    }

    #[test]
    fn every_letter_renders() {
        let email = &Email::parse("ada@example.com").unwrap();
        let link = || "https://x".to_owned();
        for letter in [
            Letter::VerifyEmail { name: "Ada", email, link: link() },
            Letter::AlreadyRegistered { name: "Ada", email, link: link() },
            Letter::ResetPassword { name: "Ada", email, link: link() },
            Letter::PasswordChanged { name: "Ada", email, link: link() },
            Letter::NewDevice {
                name: "Ada",
                email,
                device: "",
                network: "203.0.113.7",
                at: DateTime::UNIX_EPOCH,
                link: link(),
            },
            Letter::Identity { name: "Ada", email, provider: "google", linked: true, link: link() },
            Letter::Identity { name: "Ada", email, provider: "google", linked: false, link: link() },
            Letter::SecondFactor { name: "Ada", email, change: FactorChange::On, link: link() },
            Letter::SecondFactor { name: "Ada", email, change: FactorChange::Off, link: link() },
            Letter::SecondFactor { name: "Ada", email, change: FactorChange::NewCodes, link: link() },
            Letter::SecondFactor {
                name: "Ada",
                email,
                change: FactorChange::CodeUsed { left: 0 },
                link: link(),
            },
            Letter::Invitation {
                inviter: "Ada",
                organization: "Engines",
                role: "admin",
                email,
                link: link(),
            },
            Letter::StoreReady { name: "Ada", store: "Engines", email, link: link() },
            Letter::StoreGrant {
                name: "Ada",
                store: "Engines",
                holder: "support@souk.example",
                reason: "Ticket 4711",
                minutes: 30,
                email,
                link: link(),
            },
        ] {
            let [english, german] = ["en", "de-AT"].map(|locale| letter.render(locale).unwrap());
            for (mail, lang) in [(&english, "en"), (&german, "de")] {
                assert!(
                    mail.text.contains("https://x") && mail.html.contains(&format!("<html lang=\"{lang}\">"))
                );
            }
            assert!(
                english.text.starts_with("Hello") && german.text.starts_with("Guten Tag"),
                "{}",
                german.text
            );
            assert_ne!(english.subject, german.subject);
            assert_eq!(letter.render("fr").unwrap().subject, english.subject);
        }
    }

    #[test]
    fn a_mail_is_tried_for_about_half_an_hour() {
        let waits: i64 = (0..).map_while(retry_after).map(|wait| wait.num_seconds()).sum();
        assert_eq!(waits, 1 + (4 << 9) - 4);
    }
}
