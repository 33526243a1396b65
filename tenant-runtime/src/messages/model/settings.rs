//! How mails look and whom they are from; the key that signs them.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text as SqlText, Timestamptz};
use rsa::pkcs1::{EncodeRsaPrivateKey as _, LineEnding};
use rsa::pkcs8::EncodePublicKey as _;
use rsa::rand_core::OsRng;
use serde::{Deserialize, Serialize};
use souk_access::Sealed;
use souk_kernel::{Email, LongText, Text};
use utoipa::ToSchema;

use super::template::Looks;

/// How long the link works that allows an address.
pub const CONFIRM_WITHIN: TimeDelta = TimeDelta::days(3);
const KEY_BITS: usize = 2048;

/// The one row.
#[derive(Clone, Debug, QueryableByName)]
pub struct MailSettings {
    #[diesel(sql_type = Nullable<SqlText>)]
    pub logo_url: Option<String>,
    #[diesel(sql_type = SqlText)]
    pub accent_color: String,
    #[diesel(sql_type = SqlText)]
    pub footer: String,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub sender_name: Option<String>,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub sender_email: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub sender_verified_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub reply_to: Option<String>,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub dkim_domain: Option<String>,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub dkim_selector: Option<String>,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub dkim_public: Option<String>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub dkim_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub dkim_sealed_by: Option<String>,
    #[diesel(sql_type = Bool)]
    pub dkim_enabled: bool,
    #[diesel(sql_type = Nullable<Binary>)]
    pub report_secret: Option<Vec<u8>>,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

impl MailSettings {
    /// How mails of a store of this name look.
    pub fn looks(&self, store: &str) -> Looks {
        Looks {
            store: store.to_owned(),
            logo_url: self.logo_url.clone(),
            accent_color: self.accent_color.clone(),
            footer: self.footer.clone(),
        }
    }

    /// The key that signs, as it is kept.
    pub fn sealed_key(&self) -> Option<Sealed> {
        Some(Sealed { key: self.dkim_sealed_by.clone()?, bytes: self.dkim_sealed.clone()? })
    }
}

/// How mails look and whom they are from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailSettingsView {
    /// Shown above every mail.
    #[schema(example = "https://shop.example/logo.png")]
    pub logo_url: Option<String>,
    /// Of links and buttons.
    #[schema(example = "#1a56db")]
    pub accent_color: String,
    /// Below every mail: who you are, as the law of your country may want it.
    #[schema(example = "Acme Mugs GmbH, Lindenweg 1, 10117 Berlin")]
    pub footer: String,
    /// The store's name if null.
    pub sender_name: Option<String>,
    /// Mails come from here once its owner has followed the mailed link; before, from the platform's address.
    #[schema(example = "hello@shop.example")]
    pub sender_email: Option<String>,
    pub sender_verified_at: Option<DateTime<Utc>>,
    /// Where answers go; the store's contact if null.
    pub reply_to: Option<String>,
    pub dkim: DkimView,
}

/// How mails prove that they come from the sender's domain.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DkimView {
    /// Whether mails are signed.
    pub enabled: bool,
    #[schema(example = "shop.example")]
    pub domain: Option<String>,
    /// What your domain's DNS must say.
    pub records: Vec<DnsRecordView>,
    /// What to do next, in plain words.
    pub advice: String,
}

/// A line for your domain's DNS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DnsRecordView {
    /// `DKIM`, `SPF` or `DMARC`.
    #[schema(example = "DKIM")]
    pub purpose: &'static str,
    #[serde(rename = "type")]
    #[schema(example = "TXT")]
    pub kind: &'static str,
    #[schema(example = "souk20261129._domainkey.shop.example")]
    pub name: String,
    #[schema(example = "v=DKIM1; k=rsa; p=MIIBIjANBgkqh…")]
    pub value: String,
    /// What it is for, and what to mind.
    pub note: &'static str,
}

/// How mails shall look; what is left out stays, null takes it away.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutMailSettings {
    #[schema(example = "https://shop.example/logo.png")]
    pub logo_url: Option<Text<500>>,
    #[schema(value_type = String, pattern = "^#[0-9a-fA-F]{6}$", example = "#1a56db")]
    pub accent_color: Text<7>,
    #[serde(default)]
    #[schema(value_type = String, max_length = 1000, example = "Acme Mugs GmbH, Lindenweg 1, 10117 Berlin")]
    pub footer: LongText<1000>,
    #[schema(example = "Acme Mugs")]
    pub sender_name: Option<Text<100>>,
    #[schema(value_type = Option<String>, example = "hello@shop.example")]
    pub sender_email: Option<Email>,
    #[schema(value_type = Option<String>, example = "help@shop.example")]
    pub reply_to: Option<Email>,
}

impl PutMailSettings {
    /// What the types cannot say: pointer and what would have been right.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let color = self.accent_color.as_str();
        let digits = color.strip_prefix('#').unwrap_or_default();
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(("/accent_color", "must be a colour such as #1a56db"));
        }
        let sound = |text: &str| {
            url::Url::parse(text).is_ok_and(|url| {
                url.scheme() == "https" && url.username().is_empty() && url.password().is_none()
            })
        };
        if self.logo_url.as_ref().is_some_and(|url| !sound(url.as_str())) {
            return Err(("/logo_url", "must be an https address"));
        }
        if self.sender_email.as_ref().is_some_and(|email| !email.as_str().is_ascii()) {
            return Err(("/sender_email", "must be in plain letters: not every mail server takes others"));
        }
        Ok(())
    }
}

/// Whether mails are signed.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutDkim {
    /// True once the record can be read in DNS: a signature that nobody can check is worse than none.
    pub enabled: bool,
}

/// The token of a mailed link.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmSender {
    #[schema(value_type = String, example = "mbM2ozNPLCvnBPMqMkJw7-3n0SCvKQe9lcLYqyVhJDc")]
    pub token: Text<100>,
}

/// The secret that signs reports of bounces. Shown once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReportSecretView {
    /// Where the mail service tells of bounces.
    #[schema(example = "/webhooks/mail")]
    pub path: &'static str,
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
}

/// A new key pair: the private half as PKCS#1 PEM, the public half as DNS wants it.
///
/// # Errors
/// When the machine has no random bytes.
pub fn new_key() -> Result<(String, String), rsa::Error> {
    use base64::Engine as _;
    let key = rsa::RsaPrivateKey::new(&mut OsRng, KEY_BITS)?;
    let private = key.to_pkcs1_pem(LineEnding::LF).map_err(rsa::Error::Pkcs1)?.to_string();
    let public = key.to_public_key().to_public_key_der().map_err(|_| rsa::Error::Internal)?;
    Ok((private, base64::engine::general_purpose::STANDARD.encode(public.as_bytes())))
}

/// The domain of an address.
pub fn domain_of(email: &str) -> Option<String> {
    email.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase())
}

/// How mails look, as staff see it. `platform` is the domain that mail leaves from.
pub fn shown(row: &MailSettings, platform: &str) -> MailSettingsView {
    let sender_domain = row.sender_email.as_deref().and_then(domain_of);
    let fits = sender_domain.is_some() && sender_domain == row.dkim_domain;
    let advice = match (&row.sender_email, row.sender_verified_at, &row.dkim_domain, row.dkim_enabled) {
        (None, ..) => {
            "Mails come from the platform's address. Say a sender_email of your own domain to change that."
        }
        (Some(_), None, ..) => {
            "Follow the link that was mailed to sender_email. Until then mails come from the platform's address."
        }
        (_, _, None, _) => "Make a key (POST …/dkim-key) and put its record into your domain's DNS.",
        _ if !fits => "The key is of another domain than sender_email: make a new one (POST …/dkim-key).",
        (_, _, _, false) => {
            "Put the records into your domain's DNS, wait until they can be read (an hour, rarely a day), then switch signing on (PUT …/dkim)."
        }
        _ => "Mails are signed. Leave the records where they are.",
    };
    MailSettingsView {
        logo_url: row.logo_url.clone(),
        accent_color: row.accent_color.clone(),
        footer: row.footer.clone(),
        sender_name: row.sender_name.clone(),
        sender_email: row.sender_email.clone(),
        sender_verified_at: row.sender_verified_at,
        reply_to: row.reply_to.clone(),
        dkim: DkimView {
            enabled: row.dkim_enabled,
            domain: row.dkim_domain.clone(),
            records: records(row, platform),
            advice: advice.to_owned(),
        },
    }
}

fn records(row: &MailSettings, platform: &str) -> Vec<DnsRecordView> {
    let (Some(domain), Some(selector), Some(public)) =
        (&row.dkim_domain, &row.dkim_selector, &row.dkim_public)
    else {
        return Vec::new();
    };
    vec![
        DnsRecordView {
            purpose: "DKIM",
            kind: "TXT",
            name: format!("{selector}._domainkey.{domain}"),
            value: format!("v=DKIM1; k=rsa; p={public}"),
            note: "Proves that mails come from you. Longer than 255 characters: some providers want it in two quoted pieces.",
        },
        DnsRecordView {
            purpose: "SPF",
            kind: "TXT",
            name: domain.clone(),
            value: format!("v=spf1 include:{platform} ~all"),
            note: "Allows the platform to send for you. Have you such a record already, add only the include to it: there must be one.",
        },
        DnsRecordView {
            purpose: "DMARC",
            kind: "TXT",
            name: format!("_dmarc.{domain}"),
            value: "v=DMARC1; p=none".to_owned(),
            note: "Says what receivers do with mails that prove nothing. Begin with none; with quarantine once all your mail is signed.",
        },
    ]
}
