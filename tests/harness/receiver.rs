//! A program of a merchant's that webhooks are sent to: it keeps what it is told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It takes everything.
    Takes,
    /// It answers 500.
    Fails,
    /// It never answers.
    Hangs,
    /// It answers more than anybody wants to read.
    Floods,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Heard {
    /// `webhook-id`
    pub id: String,
    /// `webhook-signature`
    pub signature: String,
    pub event: Value,
}

/// Listens on loopback until the process ends. Cheap to clone.
#[derive(Clone)]
pub struct Receiver {
    manner: Manner,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Receiver {
    /// One that answers like this.
    pub fn new(manner: Manner) -> Self {
        Self { manner, heard: Arc::default() }
    }

    /// Begins to listen; its address.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let receiver = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let receiver = receiver.clone();
                // A caller that breaks off is its own business.
                std::thread::spawn(move || receiver.take(&stream));
            }
        });
        address
    }

    fn take(&self, mut stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let (mut id, mut signature, mut length) = (String::new(), String::new(), 0);
        for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
            let Some((name, value)) = line.split_once(": ") else { continue };
            match name.to_ascii_lowercase().as_str() {
                "webhook-id" => value.clone_into(&mut id),
                "webhook-signature" => value.clone_into(&mut signature),
                "content-length" => length = value.parse().ok()?,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let event = serde_json::from_slice(&body).ok()?;
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(Heard { id, signature, event });
        let (answer, more): (&[u8], usize) = match self.manner {
            Manner::Takes => (b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n", 0),
            Manner::Fails => (b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", 0),
            Manner::Floods => (b"HTTP/1.1 500 Oops\r\nconnection: close\r\n\r\n", 80),
            Manner::Hangs => {
                std::thread::sleep(Duration::from_secs(60));
                return None;
            }
        };
        stream.write_all(answer).ok()?;
        (0..more).try_for_each(|_| stream.write_all(&[b'x'; 64 * 1024])).ok()
    }

    /// Everything it was told.
    pub fn all(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many of this kind it was told.
    pub fn count(&self, kind: &str) -> usize {
        self.all().iter().filter(|heard| heard.event["type"] == kind).count()
    }

    /// How often it was told each event.
    pub fn times(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for heard in self.all() {
            *times.entry(heard.id).or_default() += 1;
        }
        times
    }
}
