//! Asks a broker whether it answers.

use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Length, then `ApiVersions` 0, correlation 1, no client id: the smallest request there is.
const ARE_YOU_THERE: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];

/// Whether the broker on this port answers requests.
pub async fn is_ready(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        stream.write_all(&ARE_YOU_THERE).await.ok()?;
        let mut head = [0; 8];
        stream.read_exact(&mut head).await.ok()?;
        Some(head[4..] == ARE_YOU_THERE[8..12])
    };
    tokio::time::timeout(Duration::from_secs(2), ask).await.ok().flatten().unwrap_or(false)
}
