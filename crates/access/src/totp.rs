//! Time-based one-time passwords (RFC 6238: SHA-1, six digits, 30 seconds, as every authenticator app has them) and the recovery codes
//! beside them.

use std::fmt;

use totp_rs::{Algorithm, Builder};

use crate::secret::{NoEntropy, SecretDigest};

/// Letters of recovery codes: those of base32, which nobody mistakes for one another.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LENGTH: usize = 12;

/// The secret an authenticator app shares with us. `Debug` shows nothing.
#[derive(Clone)]
pub struct Totp(totp_rs::Totp);

impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Totp(…)")
    }
}

impl Totp {
    /// The secret with these bytes. The app shows `issuer` and `label`; a colon in either would end it, so it becomes a space.
    pub fn new(bytes: [u8; 20], issuer: &str, label: &str) -> Self {
        let plain = |text: &str| text.replace(':', " ");
        // What `build` would complain about cannot be: the numbers are these, the texts have no colon.
        let builder = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_step_duration(30)
            .with_skew(1)
            .with_secret(bytes)
            .with_issuer(Some(plain(issuer)))
            .with_account_name(plain(label));
        Self(builder.build_noncompliant())
    }

    /// As people type it into an app.
    pub fn base32(&self) -> String {
        self.0.secret().to_base32()
    }

    /// As a QR code carries it; `None` without a label.
    pub fn uri(&self) -> Option<String> {
        self.0.to_url().ok()
    }

    /// The step that a code is for, if it is now's or a neighbour's (clocks differ) and later than `last`. Store it: each code works
    /// once. `now` is seconds since 1970. Digits are compared in constant time.
    pub fn accepts(&self, code: &str, now: i64, last: i64) -> Option<i64> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).take(7).collect();
        let step = self.0.check(&digits, u64::try_from(now).ok()?)?;
        i64::try_from(step).ok().filter(|step| *step > last)
    }
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
        let mut bytes = [0_u8; LENGTH];
        getrandom::fill(&mut bytes).map_err(|_| NoEntropy)?;
        // 32 letters: the low five bits of a byte choose one, each as likely as the next.
        let letter = |byte: u8| LETTERS.get(usize::from(byte & 31)).copied().map_or('A', char::from);
        Ok(Self(bytes.into_iter().map(letter).collect()))
    }

    /// Reads a code as somebody types it: capitals, hyphens and spaces do not matter. `None` when it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: String = text
            .chars()
            .take(40)
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        (letters.len() == LENGTH && letters.bytes().all(|b| LETTERS.contains(&b))).then_some(Self(letters))
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

    fn of_the_standard() -> Totp {
        Totp::new(*b"12345678901234567890", "Souk", "ada@example.com")
    }

    /// RFC 6238, appendix B, cut to six digits.
    #[test]
    fn vectors_of_the_standard() {
        let totp = of_the_standard();
        for (now, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp.accepts(code, now, 0), Some(now / 30));
        }
        assert_eq!(totp.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            totp.uri().unwrap(),
            "otpauth://totp/Souk:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Souk"
        );
        assert!(!format!("{totp:?}").contains("GEZ"));
        assert!(
            Totp::new([1; 20], "So:uk", "a:b").uri().unwrap().starts_with("otpauth://totp/So%20uk:a%20b?")
        );
    }

    #[test]
    fn a_code_works_once_and_one_step_around() {
        let totp = of_the_standard();
        let now = 1_234_567_890;
        let step = now / 30;
        assert_eq!(totp.accepts("005 924", now, 0), Some(step));
        assert_eq!(totp.accepts("005924", now + 30, 0), Some(step));
        assert_eq!(totp.accepts("005924", now - 30, 0), Some(step));
        assert_eq!(totp.accepts("005924", now + 60, 0), None);
        assert_eq!(totp.accepts("005924", now - 60, 0), None);
        assert_eq!(totp.accepts("005924", now, step), None);
        for bad in ["", "5924", "0059240", "00592400000000000", "abcdef", "-05924", "+05924"] {
            assert_eq!(totp.accepts(bad, now, 0), None, "{bad}");
        }
        assert_eq!(totp.accepts("005924", -1, 0), None);
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
        assert_ne!(RecoveryCode::mint().unwrap(), code);
    }
}
