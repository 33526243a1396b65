//! A collector of traces for tests: OTLP over HTTP, as JSON, on a port of this machine. It keeps what it is given.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A span as it was exported; ids are hexadecimal.
#[derive(Clone, Debug)]
pub struct Exported {
    pub name: String,
    pub trace: String,
    pub id: String,
    /// Empty where the trace begins.
    pub parent: String,
    pub fields: BTreeMap<String, String>,
}

/// Head and body of a request.
type Given = (String, String);

pub struct Collector {
    address: SocketAddr,
    given: Arc<Mutex<Vec<Given>>>,
}

impl Collector {
    /// Listens until the process ends, on a thread of its own: whoever flushes blocks theirs.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let given = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&given);
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                // Whoever breaks off has given nothing.
                let _ = take(stream, &kept);
            }
        });
        Ok(Self { address, given })
    }

    /// Where to export to.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that came, as it came.
    #[must_use]
    pub fn text(&self) -> String {
        self.given().into_iter().map(|(head, body)| head + &body).collect()
    }

    /// Every span that came.
    #[must_use]
    pub fn spans(&self) -> Vec<Exported> {
        let mut spans = Vec::new();
        for (_, body) in self.given() {
            let document: Value = serde_json::from_str(&body).unwrap_or_default();
            let scopes = each(&document, "resourceSpans").flat_map(|resource| each(resource, "scopeSpans"));
            spans.extend(scopes.flat_map(|scope| each(scope, "spans")).map(read));
        }
        spans
    }

    fn given(&self) -> Vec<Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One request of one connection.
fn take(mut stream: TcpStream, given: &Mutex<Vec<Given>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    // Until the empty line.
    while reader.read_line(&mut head)? > 2 {}
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or_default()];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    given.lock().unwrap_or_else(PoisonError::into_inner).push((head, body));
    stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
    )
}

fn each<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value[name].as_array().into_iter().flatten()
}

fn read(span: &Value) -> Exported {
    let text = |name: &str| span[name].as_str().unwrap_or_default().to_owned();
    let fields = each(span, "attributes").filter_map(|field| {
        // `{"stringValue": "…"}`, or another type's.
        let value = field["value"].as_object()?.values().next()?;
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some((field["key"].as_str()?.to_owned(), value))
    });
    Exported {
        name: text("name"),
        trace: text("traceId"),
        id: text("spanId"),
        parent: text("parentSpanId"),
        fields: fields.collect(),
    }
}
