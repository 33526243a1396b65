//! `Stripe-Signature`: `t=<seconds>,v1=<hex HMAC-SHA256 of "t.body">`, with several `v1` while a secret is being exchanged.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::super::provider::WebhookError;

/// A webhook older or newer than this is not believed: it may be a recording.
const TOLERANCE_SECONDS: i64 = 300;
/// More signatures than any exchange of secrets makes are not tried.
const MOST_SIGNATURES: usize = 8;

/// Holds that one of the signatures was made with one of the secrets, lately. Signatures of other schemes (`v0`) are passed over.
pub fn verify<'s>(
    header: Option<&str>,
    body: &[u8],
    secrets: impl Iterator<Item = &'s str>,
    now: DateTime<Utc>,
) -> Result<(), WebhookError> {
    let parts = || header.unwrap_or_default().split(',').filter_map(|part| part.trim().split_once('='));
    let time = parts().find(|(name, _)| *name == "t").map(|(_, value)| value).ok_or(WebhookError::Headers)?;
    let seconds: i64 = time.parse().map_err(|_| WebhookError::Headers)?;
    let sent = DateTime::from_timestamp(seconds, 0).ok_or(WebhookError::Headers)?;
    let tags: Vec<Vec<u8>> = parts()
        .filter(|(name, _)| *name == "v1")
        .take(MOST_SIGNATURES)
        .filter_map(|(_, value)| bytes_of(value))
        .collect();
    let mut right = false;
    for secret in secrets {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| WebhookError::Signature)?;
        let mac = mac.chain_update(time).chain_update(".").chain_update(body);
        right |= tags.iter().any(|tag| mac.clone().verify_slice(tag).is_ok());
    }
    if !right {
        return Err(WebhookError::Signature);
    }
    if (now - sent).num_seconds().abs() > TOLERANCE_SECONDS {
        return Err(WebhookError::Time);
    }
    Ok(())
}

/// Reads hexadecimal digits.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|letter| letter.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    let pairs = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit));
    pairs.map(|byte| u8::try_from(byte).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: i64 = 1_492_774_577;

    fn sign(secret: &str, time: i64, body: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        let tag = mac.chain_update(format!("{time}.{body}")).finalize().into_bytes();
        tag.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn check(header: &str, secrets: &[&str], now: i64) -> Result<(), WebhookError> {
        verify(Some(header), b"{}", secrets.iter().copied(), at(now))
    }

    #[test]
    fn one_right_signature_of_several_is_enough() {
        let (good, bad) = (sign("whsec_test", TIME, "{}"), sign("whsec_other", TIME, "{}"));
        let header = format!(
            "t={TIME},v1={bad},v1={good},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"
        );
        assert_eq!(check(&header, &["whsec_test"], TIME), Ok(()));
        assert_eq!(check(&header, &["whsec_new", "whsec_test"], TIME), Ok(()));
        assert_eq!(check(&header, &["whsec_new"], TIME), Err(WebhookError::Signature));
        assert_eq!(check(&header, &[], TIME), Err(WebhookError::Signature));
        let v0 = format!("t={TIME},v0={good}");
        assert_eq!(check(&v0, &["whsec_test"], TIME), Err(WebhookError::Signature));
    }

    #[test]
    fn what_is_old_early_or_altered_is_not_believed() {
        let header = format!("t={TIME},v1={}", sign("whsec_test", TIME, "{}"));
        for (now, said) in [
            (TIME + 300, Ok(())),
            (TIME - 300, Ok(())),
            (TIME + 301, Err(WebhookError::Time)),
            (TIME - 301, Err(WebhookError::Time)),
        ] {
            assert_eq!(check(&header, &["whsec_test"], now), said);
        }
        let later = header.replace(&TIME.to_string(), &(TIME + 1).to_string());
        assert_eq!(check(&later, &["whsec_test"], TIME), Err(WebhookError::Signature));
        let other = verify(Some(&header), b"{ }", ["whsec_test"].into_iter(), at(TIME));
        assert_eq!(other, Err(WebhookError::Signature));
        for broken in ["", "t=", "t=x,v1=00", "v1=00", "t=99999999999999999"] {
            assert_eq!(check(broken, &["whsec_test"], TIME), Err(WebhookError::Headers), "{broken}");
        }
        assert_eq!(check(&format!("t={TIME},v1=0"), &["whsec_test"], TIME), Err(WebhookError::Signature));
        assert_eq!(verify(None, b"{}", std::iter::empty(), at(TIME)), Err(WebhookError::Headers));
    }
}
