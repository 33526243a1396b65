//! Time-based one-time passwords (RFC 6238: SHA-1, six digits, 30 seconds) and the recovery codes beside them.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

use crate::secret::{NoEntropy, SecretDigest};

const STEP_SECONDS: i64 = 30;
/// A clock may be one step off in either direction.
const DRIFT: i64 = 1;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The secret an authenticator app shares with us. `Debug` shows nothing.
#[derive(Clone)]
pub struct Totp([u8; 20]);

impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Totp(…)")
    }
}

impl Totp {
    /// The secret with these bytes.
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// As people type it into an app.
    pub fn base32(&self) -> String {
        base32(&self.0)
    }

    /// As a QR code carries it. `issuer` and `label` are shown by the app.
    pub fn uri(&self, issuer: &str, label: &str) -> String {
        let plain =
            |text: &str| -> String {
                text.bytes()
                    .map(|b| {
                        if b.is_ascii_alphanumeric() {
                            char::from(b).to_string()
                        } else {
                            format!("%{b:02X}")
                        }
                    })
                    .collect()
            };
        let (issuer, label) = (plain(issuer), plain(label));
        format!("otpauth://totp/{issuer}:{label}?secret={}&issuer={issuer}", self.base32())
    }

    /// The code of a step.
    pub fn code(&self, step: i64) -> String {
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.0) else { return String::new() };
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let at = usize::from(digest.last().copied().unwrap_or(0) & 0xf);
        let word = digest.iter().skip(at).take(4).fold(0_u32, |word, byte| (word << 8) | u32::from(*byte));
        format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
    }

    /// The step of `now`, seconds since 1970.
    pub const fn step(now: i64) -> i64 {
        now.div_euclid(STEP_SECONDS)
    }

    /// The step that a code is for, if it is one of now's and later than `last`. Store it: each code works once.
    pub fn accepts(&self, code: &str, now: i64, last: i64) -> Option<i64> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let now = Self::step(now);
        // Every step is compared, so that the time says nothing about which one fitted.
        (now - DRIFT..=now + DRIFT)
            .filter(|step| bool::from(self.code(*step).as_bytes().ct_eq(digits.as_bytes())))
            .last()
            .filter(|step| *step > last)
    }
}

fn base32(bytes: &[u8]) -> String {
    let (mut out, mut word, mut bits) = (String::new(), 0_u32, 0);
    for byte in bytes {
        word = (word << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            let letter = BASE32.get(((word >> bits) & 31) as usize).copied().unwrap_or(b'A');
            out.push(char::from(letter));
        }
        word &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push(char::from(BASE32.get(((word << (5 - bits)) & 31) as usize).copied().unwrap_or(b'A')));
    }
    out
}

/// A code for the day the phone is gone: 60 random bits in three groups of four. Works once; only its digest is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

impl RecoveryCode {
    /// A new code.
    pub fn mint() -> Result<Self, NoEntropy> {
        let mut bytes = [0_u8; 8];
        getrandom::fill(&mut bytes).map_err(|_| NoEntropy)?;
        Ok(Self(base32(&bytes).chars().take(12).collect()))
    }

    /// Reads a code as somebody types it: capitals, hyphens and spaces do not matter. `None` when it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: String = text
            .chars()
            .take(40)
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        (letters.len() == 12 && letters.bytes().all(|b| BASE32.contains(&b))).then_some(Self(letters))
    }

    /// What to store or look up by.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }

    /// For the one answer that shows it: `ABCD-EFGH-IJKL`.
    pub fn expose(&self) -> String {
        let groups: Vec<&str> =
            [0..4, 4..8, 8..12].into_iter().filter_map(|range| self.0.get(range)).collect();
        groups.join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, cut to six digits.
    #[test]
    fn vectors_of_the_standard() {
        let totp = Totp::new(*b"12345678901234567890");
        for (now, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp.code(Totp::step(now)), code);
        }
        assert_eq!(totp.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let uri = totp.uri("Souk", "ada@example.com");
        assert_eq!(
            uri,
            "otpauth://totp/Souk:ada%40example%2Ecom?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Souk"
        );
        assert!(!format!("{totp:?}").contains("GEZ"));
    }

    #[test]
    fn a_code_works_once_and_one_step_around() {
        let totp = Totp::new(*b"12345678901234567890");
        let now = 1_234_567_890;
        let step = Totp::step(now);
        assert_eq!(totp.accepts("005 924", now, 0), Some(step));
        assert_eq!(totp.accepts("005924", now + 30, 0), Some(step));
        assert_eq!(totp.accepts("005924", now + 60, 0), None);
        assert_eq!(totp.accepts("005924", now, step), None);
        for bad in ["", "5924", "0059240", "abcdef"] {
            assert_eq!(totp.accepts(bad, now, 0), None);
        }
    }

    #[test]
    fn recovery_codes_are_forgiving_to_type() {
        let code = RecoveryCode::mint().unwrap();
        let text = code.expose();
        assert_eq!(text.len(), 14);
        assert_eq!(RecoveryCode::parse(&text.to_lowercase().replace('-', " ")), Some(code.clone()));
        assert!(
            RecoveryCode::parse("ABCD-EFGH").is_none() && RecoveryCode::parse("ABCD-EFGH-IJK1").is_none()
        );
        assert!(!format!("{code:?}").contains(&text[..4]));
    }
}
