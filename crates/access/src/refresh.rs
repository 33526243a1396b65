//! Refresh tokens: opaque, one use, rotated; reuse of a spent one ends the whole family.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::secret::{NoEntropy, SecretDigest, is_body, random_body};

const PREFIX: &str = "rt_";

/// `rt_` and 256 random bits. Only its digest is stored; `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

impl RefreshToken {
    /// A new token.
    pub fn mint() -> Result<Self, NoEntropy> {
        Ok(Self(format!("{PREFIX}{}", random_body()?)))
    }

    /// Reads a token from a request; `None` when it cannot be one, so no query is spent on it.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix(PREFIX).filter(|body| is_body(body)).map(|_| Self(text.to_owned()))
    }

    /// What to store or look up by.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }

    /// The token itself, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

/// What is stored about a presented token, read under a lock on its row and its family's row.
#[derive(Clone, Copy, Debug)]
pub struct RefreshRecord {
    /// When it was exchanged, if it was.
    pub used_at: Option<DateTime<Utc>>,
    /// Its own end.
    pub expires_at: DateTime<Utc>,
    /// The absolute end of the family (the session).
    pub family_expires_at: DateTime<Utc>,
    /// Whether the family was ended before.
    pub family_revoked: bool,
}

/// What to do with a presented refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshVerdict {
    /// Mark it used and issue its successor, in the same transaction.
    Rotate,
    /// It was used before: revoke the family. Of two parallel uses exactly one rotates; there is no grace period.
    Reused,
    /// Too old, or its session is.
    Expired,
    /// The session was ended.
    Revoked,
}

impl RefreshRecord {
    /// Decides; pure. Reuse wins over expiry, because a stolen token is stolen however old it is.
    pub fn judge(&self, now: DateTime<Utc>) -> RefreshVerdict {
        if self.family_revoked {
            RefreshVerdict::Revoked
        } else if self.used_at.is_some() {
            RefreshVerdict::Reused
        } else if self.expires_at <= now || self.family_expires_at <= now {
            RefreshVerdict::Expired
        } else {
            RefreshVerdict::Rotate
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn a_token_survives_its_text_form_and_hides_in_debug() {
        let token = RefreshToken::mint().unwrap();
        assert_eq!(RefreshToken::parse(token.expose()), Some(token.clone()));
        assert!(!format!("{token:?}").contains(token.expose()));
        for bad in ["", "rt_", "rt_short", &token.expose()[1..], &format!("{}x", token.expose())] {
            assert_eq!(RefreshToken::parse(bad), None);
        }
    }

    #[test]
    fn one_use_then_the_family_ends() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let later = now + TimeDelta::hours(1);
        let fresh = RefreshRecord {
            used_at: None,
            expires_at: later,
            family_expires_at: later,
            family_revoked: false,
        };
        assert_eq!(fresh.judge(now), RefreshVerdict::Rotate);
        assert_eq!(fresh.judge(later), RefreshVerdict::Expired);
        assert_eq!(RefreshRecord { family_expires_at: now, ..fresh }.judge(now), RefreshVerdict::Expired);
        assert_eq!(RefreshRecord { used_at: Some(now), ..fresh }.judge(later), RefreshVerdict::Reused);
        assert_eq!(RefreshRecord { family_revoked: true, ..fresh }.judge(now), RefreshVerdict::Revoked);
    }
}
