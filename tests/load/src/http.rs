//! A client that costs little: HTTP/1.1 over one connection that is kept, so that the driver does not eat the cores it measures.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// (statements, transactions) that the answer cost.
    pub fn statements(&self) -> (u32, u32) {
        let text = self.header("x-souk-statements").unwrap_or("0/0");
        let (statements, transactions) = text.split_once('/').unwrap_or(("0", "0"));
        (statements.parse().unwrap_or(0), transactions.parse().unwrap_or(0))
    }
}

/// A request, rendered once and sent often.
#[derive(Clone)]
pub struct Request(Vec<u8>);

impl Request {
    pub fn new(method: &str, host: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        Self::of((method, "application/json"), host, path, headers, body)
    }

    /// A method, and the media type of the body if there is one.
    fn of(
        (method, media_type): (&str, &str),
        host: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Self {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("content-type: {media_type}\r\ncontent-length: {}\r\n", body.len()));
        } else if method != "GET" {
            text.push_str("content-length: 0\r\n");
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(body);
        Self(bytes)
    }

    pub fn get(host: &str, path: &str) -> Self {
        Self::new("GET", host, path, &[], b"")
    }

    /// A table as a file.
    pub fn table(host: &str, path: &str, headers: &[(&str, &str)], table: &str) -> Self {
        Self::of(("POST", "text/csv"), host, path, headers, table.as_bytes())
    }

    pub fn post(host: &str, path: &str, headers: &[(&str, &str)], body: &serde_json::Value) -> Self {
        Self::new("POST", host, path, headers, body.to_string().as_bytes())
    }
}

/// A connection, opened when first needed and again when it was closed.
pub struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, buffer: Vec::with_capacity(64 * 1024) }
    }

    pub async fn send(&mut self, request: &Request) -> anyhow::Result<Answer> {
        let outcome = self.attempt(request).await;
        if outcome.is_err() {
            self.stream = None;
        }
        outcome
    }

    /// An answer that must be a success.
    pub async fn fine(&mut self, request: &Request) -> anyhow::Result<Answer> {
        let answer = self.send(request).await?;
        if !(200..300).contains(&answer.status) {
            bail!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        Ok(answer)
    }

    async fn attempt(&mut self, request: &Request) -> anyhow::Result<Answer> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
            self.buffer.clear();
        }
        let stream = self.stream.as_mut().context("a connection")?;
        stream.write_all(&request.0).await?;
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            read_more(stream, &mut self.buffer).await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end + 4);
        let status = head.get(9..12).and_then(|code| code.parse().ok()).context("a status line")?;
        let mut answer = Answer { status, head, body: Vec::new() };
        if answer.header("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
            answer.body = read_chunks(stream, &mut self.buffer).await?;
        } else {
            let length = answer.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
            while self.buffer.len() < length {
                read_more(stream, &mut self.buffer).await?;
            }
            answer.body = self.buffer.drain(..length).collect();
        }
        if answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            self.stream = None;
        }
        Ok(answer)
    }
}

async fn read_more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    if stream.read_buf(buffer).await? == 0 {
        bail!("the connection was closed");
    }
    Ok(())
}

async fn read_chunks(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(2).position(|window| window == b"\r\n") {
                break at;
            }
            read_more(stream, buffer).await?;
        };
        let size = usize::from_str_radix(std::str::from_utf8(&buffer[..end])?.trim(), 16)?;
        while buffer.len() < end + 4 + size {
            read_more(stream, buffer).await?;
        }
        body.extend_from_slice(&buffer[end + 2..end + 2 + size]);
        buffer.drain(..end + 4 + size);
        if size == 0 {
            return Ok(body);
        }
    }
}
