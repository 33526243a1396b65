//! SCRAM-SHA-256 verifiers and derived passwords: a password in clear never reaches the server or its log.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::error::ProvisionError;

const ITERATIONS: u32 = 4096;

/// The password of a lane's login (`runtime_1` …) and of `runtime_directory`: hex of HMAC-SHA256(lane secret, role name).
/// Every process that knows the secret derives the same one; nothing is stored.
pub fn lane_password(lane_secret: &str, role: &str) -> String {
    hex(&hmac(lane_secret.as_bytes(), &[role.as_bytes()]))
}

/// The verifier PostgreSQL keeps in `pg_authid` (`SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`), with a fresh salt.
/// Refuses passwords that are empty or not printable ASCII (others would need SASLprep).
pub fn verifier(password: &str) -> Result<String, ProvisionError> {
    let mut salt = [0u8; 16];
    getrandom::fill(&mut salt).map_err(|error| ProvisionError::Refused(format!("no randomness: {error}")))?;
    verifier_with(password, &salt)
}

fn verifier_with(password: &str, salt: &[u8]) -> Result<String, ProvisionError> {
    if password.is_empty() || !password.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err(ProvisionError::Refused(
            "a database password must be printable ASCII and not empty".into(),
        ));
    }
    let salted = salted_password(password.as_bytes(), salt);
    let stored_key = Sha256::digest(hmac(&salted, &[b"Client Key"]));
    let server_key = hmac(&salted, &[b"Server Key"]);
    Ok(format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(server_key)
    ))
}

/// PBKDF2-HMAC-SHA256, one block (RFC 5802 `Hi`).
fn salted_password(password: &[u8], salt: &[u8]) -> [u8; 32] {
    let mut block = hmac(password, &[salt, &1u32.to_be_bytes()]);
    let mut sum = block;
    for _ in 1..ITERATIONS {
        block = hmac(password, &[&block]);
        for (total, byte) in sum.iter_mut().zip(block) {
            *total ^= byte;
        }
    }
    sum
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length: longer ones are hashed first, as RFC 2104 says, so a block-sized key always fits.
    let mut padded = [0u8; 64];
    if key.len() > padded.len() {
        padded[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        padded[..key.len()].copy_from_slice(key);
    }
    let mut mac = Hmac::<Sha256>::new(&padded.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifier_is_what_postgresql_computes() {
        // select rolpassword from pg_authid after `create role x password 'pencil'` has this shape; the keys follow RFC 7677's salt.
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let text = verifier_with("pencil", &salt).unwrap();
        assert_eq!(
            text,
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn odd_passwords_are_refused() {
        assert!(verifier("").is_err());
        assert!(verifier("sécret").is_err());
        assert!(verifier("with space is fine").is_ok());
    }

    #[test]
    fn lane_passwords_differ_by_role_and_secret() {
        assert_ne!(lane_password("a", "runtime_1"), lane_password("a", "runtime_2"));
        assert_ne!(lane_password("a", "runtime_1"), lane_password("b", "runtime_1"));
        assert_eq!(lane_password("a", "runtime_1").len(), 64);
    }
}
