//! Fetching pictures from addresses that others gave us: the open internet and nothing else.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::StatusCode;
use reqwest::header::LOCATION;

use super::super::model::MOST_BYTES;

/// From the first byte sent to the last one read, of each address on the way.
const WHOLE: Duration = Duration::from_secs(20);
/// Addresses that lead to others, one after the other.
const HOPS: usize = 3;

/// Why a picture was not fetched, in words for the merchant, and whether another attempt may go better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    pub cause: String,
    pub passing: bool,
}

/// Fetches pictures. Cheap to clone.
#[derive(Clone)]
pub struct Fetcher {
    client: reqwest::Client,
    private: bool,
}

impl Fetcher {
    /// `private` allows addresses of this machine and plain HTTP: for development.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn new(private: bool) -> Result<Self, reqwest::Error> {
        Ok(Self { client: souk_outbound::client(private, WHOLE)?, private })
    }

    /// The bytes at an address, at most [`MOST_BYTES`]. Every address on the way is judged like the first; nothing but that it failed is told of
    /// one that is not of the open internet.
    ///
    /// # Errors
    /// Why not.
    pub async fn fetch(&self, address: &str) -> Result<Bytes, Missed> {
        let mut url = self.judged(address)?;
        for _ in 0..=HOPS {
            let answer = self.client.get(url.clone()).send().await.map_err(|error| passing(told(&error)))?;
            let status = answer.status();
            if status.is_redirection() {
                let next = answer.headers().get(LOCATION).and_then(|place| place.to_str().ok());
                let next = next.and_then(|next| url.join(next).ok());
                let next = next.ok_or_else(|| lasting("the address leads nowhere".to_owned()))?;
                url = self.judged(next.as_str())?;
                continue;
            }
            if status != StatusCode::OK {
                let cause = format!("the server answered {}", status.as_u16());
                let may_pass = status.is_server_error()
                    || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
                return Err(Missed { cause, passing: may_pass });
            }
            return read(answer).await;
        }
        Err(lasting(format!("the address leads on more than {HOPS} times")))
    }

    fn judged(&self, address: &str) -> Result<url::Url, Missed> {
        let refused = |cause| lasting(format!("the address {cause}"));
        souk_outbound::readable(address, self.private).map_err(refused)
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Bytes, Missed> {
    let too_large = || lasting(format!("the file has more than {MOST_BYTES} bytes"));
    if answer.content_length().is_some_and(|length| length > MOST_BYTES as u64) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| passing(told(&error)))? {
        if bytes.len() + chunk.len() > MOST_BYTES {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// What somebody who probes a network would like to know, is not said.
fn told(error: &reqwest::Error) -> String {
    let text =
        if error.is_timeout() { "the server took too long" } else { "the server could not be reached" };
    text.to_owned()
}

const fn lasting(cause: String) -> Missed {
    Missed { cause, passing: false }
}

const fn passing(cause: String) -> Missed {
    Missed { cause, passing: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn inner_addresses_are_not_asked() {
        let fetcher = Fetcher::new(false).unwrap();
        for address in [
            "https://127.0.0.1/a.png",
            "https://[::1]/a.png",
            "https://169.254.169.254/latest/meta-data/",
            "https://10.0.0.1/",
            "https://2130706433/",
            "https://localhost/a.png",
            "http://example.com/a.png",
            "file:///etc/passwd",
            "gopher://127.0.0.1:6379/_INFO",
            "https://user:word@example.com/a.png",
        ] {
            let missed = fetcher.fetch(address).await.unwrap_err();
            assert!(!missed.passing && missed.cause.starts_with("the address must"), "{address}: {missed:?}");
        }
        // A name that leads here is no better, and what it leads to is not told.
        let missed = fetcher.fetch("https://localhost.localdomain/a.png").await.unwrap_err();
        assert_eq!(missed, passing("the server could not be reached".to_owned()));
    }
}
