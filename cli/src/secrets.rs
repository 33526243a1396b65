//! Passwords and keys of one home: made once, readable by their owner only.

use crate::home::Home;
use crate::random;
use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{EncodePrivateKey, EncodePublicKey};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The passwords of a home; the keys are files beside them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secrets {
    /// Superuser of the private PostgreSQL.
    pub postgres_password: String,
    /// The lanes' passwords are derived from it.
    pub lane_secret: String,
    /// Login `control_plane`.
    pub control_password: String,
    /// Login `provisioner`.
    pub provisioner_password: String,
    /// Login `relay`.
    pub relay_password: String,
    /// Signs page cursors.
    pub cursor_secret: String,
    /// `whsec_…`: signs what the test payment provider tells us.
    pub provider_webhook_secret: String,
}

impl Secrets {
    /// Reads the secrets, or makes them (and the keys) the first time.
    ///
    /// # Errors
    /// When the file is damaged or cannot be written.
    pub fn of(home: &Home) -> anyhow::Result<Self> {
        for key in ["control-plane", "tenant-runtime"] {
            make_key(&home.keys(), key)?;
        }
        let path = home.secrets();
        if path.exists() {
            let text = fs::read_to_string(&path)?;
            return serde_json::from_str(&text).with_context(|| {
                format!("{} is damaged; the data that it opens is lost with it", path.display())
            });
        }
        let secrets = Self {
            postgres_password: random::password()?,
            lane_secret: random::password()?,
            control_password: random::password()?,
            provisioner_password: random::password()?,
            relay_password: random::password()?,
            cursor_secret: random::password()?,
            provider_webhook_secret: format!("whsec_{}", BASE64.encode(random::bytes::<32>()?)),
        };
        write_private(&path, &serde_json::to_string_pretty(&secrets)?)?;
        Ok(secrets)
    }
}

/// Writes a file that only its owner can read, in one step: never half of it.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    // A left-over of a crash might have other permissions.
    let _ = fs::remove_file(&beside);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(beside, path)
}

/// `<name>.pem` (PKCS#8) and `<name>.pub.pem`, an Ed25519 pair.
fn make_key(folder: &Path, name: &str) -> anyhow::Result<()> {
    let (private, public) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.pub.pem")));
    if private.exists() && public.exists() {
        return Ok(());
    }
    let key = SigningKey::from_bytes(&random::bytes()?);
    write_private(&public, &key.verifying_key().to_public_key_pem(LineEnding::LF)?)?;
    write_private(&private, &key.to_pkcs8_pem(LineEnding::LF)?)?;
    Ok(())
}
