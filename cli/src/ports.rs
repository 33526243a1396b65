//! Ports: free, or taken with a message that says what to do.

use anyhow::bail;
use std::net::{Ipv4Addr, TcpListener};

/// Fails when somebody else listens on the port.
///
/// # Errors
/// A message with the option that chooses another one.
pub fn expect_free(port: u16, who: &str, option: &str) -> anyhow::Result<()> {
    if !is_free(port) {
        bail!(
            "port {port}, meant for the {who}, is taken by another program: stop it, or choose another port with {option}"
        );
    }
    Ok(())
}

/// Whether nobody listens on the port right now.
#[must_use]
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port that is free right now.
///
/// # Errors
/// When there is none.
pub fn any_free() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
