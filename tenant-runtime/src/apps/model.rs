//! Apps as values and as wishes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_access::{AppSecret, Grant};
use souk_kernel::{AppId, LongText, Text};
use utoipa::ToSchema;

use super::error::{AppError, Denied};

/// Apps of one store that are not revoked.
pub const MOST_APPS: i64 = 200;
/// Scopes of one app.
const MOST_SCOPES: usize = 100;

/// An app's row.
#[derive(Clone, Debug, QueryableByName)]
pub struct App {
    #[diesel(sql_type = SqlUuid)]
    pub id: AppId,
    #[diesel(sql_type = SqlText)]
    pub name: String,
    #[diesel(sql_type = SqlText)]
    pub description: String,
    #[diesel(sql_type = Array<SqlText>)]
    pub requested_scopes: Vec<String>,
    #[diesel(sql_type = Array<SqlText>)]
    pub scopes: Vec<String>,
    #[diesel(sql_type = SqlText)]
    pub state: String,
    #[diesel(sql_type = SqlText)]
    pub requested_by: String,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub approved_by: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub approved_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub revoked_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_used_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub epoch: i64,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

/// A secret that works, without itself.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct AppSecretView {
    #[diesel(sql_type = SqlUuid)]
    #[serde(skip)]
    pub app_id: AppId,
    /// What a person recognises it by.
    #[diesel(sql_type = SqlText)]
    #[schema(example = "app_secret_Kq3d")]
    pub prefix: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When it ends, once another has taken its place.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// An app, without its secrets.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AppView {
    /// Its `client_id`.
    pub id: AppId,
    #[schema(example = "Warehouse bridge")]
    pub name: String,
    pub description: String,
    /// What it asks for.
    #[schema(example = json!(["order:view", "inventory:*"]))]
    pub requested_scopes: Vec<String>,
    /// What it was given of that.
    #[schema(example = json!(["order:view", "inventory:view"]))]
    pub scopes: Vec<String>,
    /// `requested`, `approved` or `revoked`.
    #[schema(example = "approved")]
    pub state: String,
    #[schema(example = "staff:stf_01h455vb4pex5vsknk084sn02q")]
    pub requested_by: String,
    #[schema(example = "staff:stf_01h455vb4pex5vsknk084sn02q")]
    pub approved_by: Option<String>,
    pub approved_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it last asked for a token.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The secrets that work: one, and another while they are being exchanged.
    pub secrets: Vec<AppSecretView>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl App {
    pub fn view(self, secrets: Vec<AppSecretView>) -> AppView {
        AppView {
            id: self.id,
            name: self.name,
            description: self.description,
            requested_scopes: self.requested_scopes,
            scopes: self.scopes,
            state: self.state,
            requested_by: self.requested_by,
            approved_by: self.approved_by,
            approved_at: self.approved_at,
            revoked_at: self.revoked_at,
            last_used_at: self.last_used_at,
            secrets,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// An app with a secret that was just made: the only time that it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppWithSecretView {
    #[serde(flatten)]
    pub app: AppView,
    /// The same as `id`.
    pub client_id: AppId,
    /// Keep it: it is not shown again. Absent when the app had one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "app_secret_…")]
    pub client_secret: Option<String>,
}

impl AppWithSecretView {
    pub fn new(app: AppView, secret: Option<&AppSecret>) -> Self {
        let client_secret = secret.map(|secret| secret.expose().to_owned());
        Self { client_id: app.id, app, client_secret }
    }
}

/// Register an app.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Warehouse bridge", "description": "Tells the warehouse what to pack.", "requested_scopes": ["order:view", "inventory:*"]}))]
pub struct NewApp {
    #[schema(example = "Warehouse bridge")]
    pub name: Text<80>,
    #[schema(value_type = Option<String>, max_length = 500)]
    pub description: Option<LongText<500>>,
    /// `object:action`, `object:*` or `*`.
    #[schema(min_items = 1, max_items = 100, example = json!(["order:view", "inventory:*"]))]
    pub requested_scopes: Vec<Text<80>>,
}

/// Change what an app is called and asks for. What it was given stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Warehouse bridge", "requested_scopes": ["order:*", "inventory:*"]}))]
pub struct EditApp {
    pub name: Option<Text<80>>,
    #[schema(value_type = Option<String>, max_length = 500)]
    pub description: Option<LongText<500>>,
    /// Must still hold what was approved.
    #[schema(min_items = 1, max_items = 100, example = json!(["order:*", "inventory:*"]))]
    pub requested_scopes: Option<Vec<Text<80>>>,
}

/// Give an app what it asks for, or less.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveApp {
    /// All that it asks for if left out.
    #[schema(min_items = 1, max_items = 100, example = json!(["order:view", "inventory:view"]))]
    pub scopes: Option<Vec<Text<80>>>,
}

/// How long the old secret works beside the new one.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateAppSecret {
    /// 0 (it ends at once) to 2592000 (30 days); a day if left out.
    #[schema(minimum = 0, maximum = 2_592_000, default = 86_400)]
    pub overlap_seconds: Option<u32>,
}

/// Scopes as they are kept: sorted, each once.
///
/// # Errors
/// None, or more than 100.
pub fn scopes_of(pointer: &'static str, wish: &[Text<80>]) -> Result<Vec<String>, AppError> {
    if wish.is_empty() || wish.len() > MOST_SCOPES {
        return Err(AppError::Field(pointer, "must be 1 to 100 scopes"));
    }
    let mut scopes: Vec<String> = wish.iter().map(|scope| scope.as_str().to_owned()).collect();
    scopes.sort_unstable();
    scopes.dedup();
    Ok(scopes)
}

/// What scopes grant.
pub fn grants(scopes: &[String]) -> Vec<Grant> {
    scopes.iter().filter_map(|scope| scope.parse().ok()).collect()
}

/// Ask for a token (RFC 6749 §4.4).
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(example = json!({"grant_type": "client_credentials", "scope": "order:view", "client_id": "app_01h455vb4pex5vsknk084sn02q", "client_secret": "app_secret_9Jk3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3"}))]
pub struct TokenWish {
    #[schema(example = "client_credentials")]
    pub grant_type: Option<String>,
    /// Some of what was approved, with spaces between; all of it if left out.
    #[schema(example = "order:view")]
    pub scope: Option<String>,
    /// Here, or in the `Authorization` header (`Basic`).
    pub client_id: Option<String>,
    #[schema(format = "password")]
    pub client_secret: Option<String>,
}

impl TokenWish {
    /// Reads a form. Parameters we do not know are let be, as the standard says; those we know are there once.
    ///
    /// # Errors
    /// A parameter that is there twice.
    pub fn read(form: &[u8]) -> Result<Self, Denied> {
        let mut wish = Self::default();
        for (name, value) in url::form_urlencoded::parse(form) {
            let place = match name.as_ref() {
                "grant_type" => &mut wish.grant_type,
                "scope" => &mut wish.scope,
                "client_id" => &mut wish.client_id,
                "client_secret" => &mut wish.client_secret,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(Denied::Request("A parameter is there twice."));
            }
        }
        Ok(wish)
    }

    /// The client and its secret: in the header or in the form, not in both.
    ///
    /// # Errors
    /// Neither, both, or what cannot be ours.
    pub fn client(&self, authorization: Option<&str>) -> Result<(AppId, AppSecret), Denied> {
        let (id, secret) = match authorization {
            Some(_) if self.client_secret.is_some() => {
                return Err(Denied::Request("A client shows its secret in one place."));
            }
            Some(header) => basic(header).ok_or(Denied::Client)?,
            None => {
                (self.client_id.clone().unwrap_or_default(), self.client_secret.clone().unwrap_or_default())
            }
        };
        if self.client_id.as_ref().is_some_and(|named| *named != id) {
            return Err(Denied::Request("The form names another client than the header."));
        }
        AppId::parse(&id).ok().zip(AppSecret::parse(&secret)).ok_or(Denied::Client)
    }

    /// The scopes that are asked for; none means all.
    pub fn scopes(&self) -> Option<Vec<String>> {
        let text = self.scope.as_deref().map(str::trim).filter(|text| !text.is_empty())?;
        let mut scopes: Vec<String> = text.split(' ').map(str::to_owned).collect();
        scopes.sort_unstable();
        scopes.dedup();
        Some(scopes)
    }
}

/// `client_secret_basic`: both parts are form-encoded before they are joined (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, value) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let plain = |part: &str| {
        let form = format!("v={part}");
        url::form_urlencoded::parse(form.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

/// A token (RFC 6749 §5.1).
#[derive(Serialize, ToSchema)]
pub struct TokenView {
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds it lives.
    #[schema(example = 900)]
    pub expires_in: i64,
    /// What it may, with spaces between.
    #[schema(example = "order:view")]
    pub scope: String,
}

/// What OAuth clients may know of this store (RFC 8414).
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerMetadata {
    #[schema(example = "https://acme.souk.example")]
    pub issuer: String,
    #[schema(example = "https://acme.souk.example/oauth/token")]
    pub token_endpoint: String,
    #[schema(example = json!(["client_secret_basic", "client_secret_post"]))]
    pub token_endpoint_auth_methods_supported: [&'static str; 2],
    #[schema(example = json!(["client_credentials"]))]
    pub grant_types_supported: [&'static str; 1],
    /// None: nobody is sent here to authorize anything.
    pub response_types_supported: [&'static str; 0],
    #[schema(example = json!(["order:view"]))]
    pub scopes_supported: Vec<String>,
    #[schema(example = "https://acme.souk.example/docs")]
    pub service_documentation: String,
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn a_client_shows_its_secret_in_one_place() {
        let (id, secret) = (AppId::new(), AppSecret::mint().unwrap());
        let (id_text, text) = (id.to_string(), secret.expose().to_owned());
        let form = format!("grant_type=client_credentials&client_id={id_text}&client_secret={text}&x=1");
        let wish = TokenWish::read(form.as_bytes()).unwrap();
        assert_eq!(wish.client(None).unwrap(), (id, secret.clone()));
        let header = |pair: String| format!("Basic {}", STANDARD.encode(pair));
        let good = header(format!("{id_text}:{}", text.replace('_', "%5F")));
        let bare = TokenWish::read(b"grant_type=client_credentials").unwrap();
        assert_eq!(bare.client(Some(&good)).unwrap(), (id, secret));
        assert_eq!(wish.client(Some(&good)), Err(Denied::Request("A client shows its secret in one place.")));
        for bad in ["Bearer x", "Basic", "Basic !", "Basic eDp5", &header("no colon".into())] {
            assert_eq!(bare.client(Some(bad)), Err(Denied::Client), "{bad}");
        }
        assert_eq!(bare.client(None), Err(Denied::Client));
        let other = TokenWish { client_id: Some(AppId::new().to_string()), ..TokenWish::default() };
        assert!(matches!(other.client(Some(&good)), Err(Denied::Request(_))));
        assert!(matches!(TokenWish::read(b"scope=a&scope=b"), Err(Denied::Request(_))));
    }

    #[test]
    fn scopes_have_one_order() {
        let wish = TokenWish::read(b"scope=order:view+inventory:*+order:view").unwrap();
        assert_eq!(wish.scopes().unwrap(), ["inventory:*", "order:view"]);
        assert_eq!(TokenWish::read(b"scope=+").unwrap().scopes(), None);
    }
}
