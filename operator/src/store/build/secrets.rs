//! What the pods are told in confidence: the settings every store shares, and the store's own login.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use souk_provisioner::{Credentials, StoreRecord};

use super::{Child, resource};
use crate::config::RuntimeConfig;
use crate::store::validate::Wish;

/// Annotation: which password of the ledger's count this is.
pub const LOGIN_VERSION: &str = "souk.dev/login-version";

pub fn login_name(wish: &Wish) -> String {
    format!("{}-login", wish.name)
}

pub fn runtime_name(wish: &Wish) -> String {
    format!("{}-runtime", wish.name)
}

/// Settings that need no secret of this store's own.
pub fn runtime(wish: &Wish, record: &StoreRecord, runtime: &RuntimeConfig) -> Child {
    let object = json!({
        "type": "Opaque",
        "data": {
            "SOUK_DATABASE_URL": STANDARD.encode(&runtime.database_url),
            "SOUK_CURSOR_SECRET": STANDARD.encode(&runtime.cursor_secret),
            "staff.pem": STANDARD.encode(&runtime.staff_key_pem),
        },
    });
    Child::new(resource("", "v1", "Secret", "secrets"), &runtime_name(wish), wish, record, object)
}

/// The login in force. User and password change together, so that no pod ever sees half of a rotation.
pub fn login(wish: &Wish, issued: &Credentials) -> Child {
    let version = issued.record.login.as_ref().map_or(0, |login| login.version);
    let object = json!({
        "metadata": { "annotations": { LOGIN_VERSION: version.to_string() } },
        "type": "Opaque",
        "data": {
            "SOUK_STORE_LOGIN": STANDARD.encode(&issued.user),
            "SOUK_STORE_PASSWORD": STANDARD.encode(&issued.password),
        },
    });
    Child::new(resource("", "v1", "Secret", "secrets"), &login_name(wish), wish, &issued.record, object)
}
