//! Unpredictable bytes.

use anyhow::anyhow;

/// `N` bytes from the operating system.
///
/// # Errors
/// When the operating system has none.
pub fn bytes<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("the operating system gives no random bytes: {error}"))?;
    Ok(bytes)
}

/// A password of 48 characters that needs no quoting anywhere.
///
/// # Errors
/// As [`bytes`].
pub fn password() -> anyhow::Result<String> {
    Ok(bytes::<24>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}
