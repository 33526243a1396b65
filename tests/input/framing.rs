//! Requests that can be read in two ways: what a proxy in front takes for the body of one must never be the beginning of another.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::authority::scene::scene;

/// What is hidden in the body.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: {host}\r\n\r\n";

/// What must be refused, by name: the headers that frame it, and its body before what is hidden.
const TWO_WAYS: [(&str, &str, &str); 12] = [
    ("a length and chunks", "content-length: 6\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n"),
    ("chunks and a length", "transfer-encoding: chunked\r\ncontent-length: 6\r\n", "0\r\n\r\n"),
    ("two lengths", "content-length: 4\r\ncontent-length: 0\r\n", "abcd"),
    ("two lengths in one", "content-length: 4, 0\r\n", "abcd"),
    ("a length with a sign", "content-length: +4\r\n", "abcd"),
    ("a length below nothing", "content-length: -1\r\n", ""),
    ("a length that is no number", "content-length: 0x4\r\n", "abcd"),
    ("two codings", "transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n"),
    ("an unknown coding", "transfer-encoding: xchunked\r\n", "0\r\n\r\n"),
    ("a coding after chunks", "transfer-encoding: chunked, identity\r\n", "0\r\n\r\n"),
    ("a coding with a space before its colon", "transfer-encoding : chunked\r\n", "0\r\n\r\n"),
    ("a folded header", "x-a: b\r\n transfer-encoding: chunked\r\n", "0\r\n\r\n"),
];

/// Everything that comes back until the other side closes or is silent for two seconds, and whether it closed.
async fn ask(address: &str, request: &str) -> (String, bool) {
    let mut stream = TcpStream::connect(address).await.expect("the runtime listens");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let (mut said, mut some) = (Vec::new(), [0; 4096]);
    loop {
        match tokio::time::timeout(Duration::from_secs(2), stream.read(&mut some)).await {
            Ok(Ok(0) | Err(_)) => return (String::from_utf8_lossy(&said).into_owned(), true),
            Ok(Ok(read)) => said.extend_from_slice(&some[..read]),
            Err(_) => return (String::from_utf8_lossy(&said).into_owned(), false),
        }
    }
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_not_read() {
    let (scene, _turn) = scene().await;
    let address = scene.platform.runtime.trim_start_matches("http://").to_owned();
    let host = &scene.here.host;
    let hidden = HIDDEN.replace("{host}", host);
    let request = |version: &str, framing: &str, body: &str| {
        format!(
            "POST /store/v1/quotes {version}\r\nhost: {host}\r\ncontent-type: application/json\r\n{framing}\r\n{body}{hidden}"
        )
    };
    // As it is meant: two requests, one after the other, both answered.
    for (framing, body) in
        [("content-length: 2\r\n", "{}"), ("transfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")]
    {
        let (said, _) = ask(&address, &request("HTTP/1.1", framing, body)).await;
        assert_eq!(said.matches("HTTP/1.1 ").count(), 2, "{framing}{said}");
        assert!(said.contains("HTTP/1.1 404 "), "{said}");
    }
    let chunks_of_old = [("chunks in HTTP/1.0", "transfer-encoding: chunked\r\n", "0\r\n\r\n")];
    let cases = TWO_WAYS.iter().map(|case| ("HTTP/1.1", case));
    for (version, &(what, framing, body)) in cases.chain(chunks_of_old.iter().map(|case| ("HTTP/1.0", case)))
    {
        let (said, closed) = ask(&address, &request(version, framing, body)).await;
        let answers = said.matches("HTTP/1.").count();
        assert!(said.starts_with("HTTP/1.1 400 ") || said.starts_with("HTTP/1.0 400 "), "{what}: {said}");
        assert_eq!((answers, closed), (1, true), "{what}: {said}");
    }
}

/// What the router would take for the same path, and whoever reads it as it was sent (limits, logs, a proxy in front) for another.
#[tokio::test]
async fn a_path_is_read_in_one_way() {
    let (scene, _turn) = scene().await;
    let runtime = scene.platform.runtime.trim_start_matches("http://").to_owned();
    let control = scene.platform.control.trim_start_matches("http://").to_owned();
    let (host, plane) = (scene.here.host.as_str(), control.as_str());
    for (address, host, path, status) in [
        (&runtime, host, "/store/v1/orders%3Alook-up?number=1001&secret=x", 400),
        (&runtime, host, "/%61dmin/v1/orders", 400),
        (&runtime, host, "/admin/v1/%6frders", 400),
        (&runtime, host, "/%%361dmin/v1/orders", 400),
        (&runtime, host, "/admin/v1/orders", 401),
        // A slash that is encoded is part of a name.
        (&runtime, host, "/admin%2Fv1/orders", 404),
        (&runtime, host, "/store/v1/products/a%2Fb%40c%2525", 404),
        (&control, plane, "/v1/%61ccount", 400),
        (&control, plane, "/v1/account", 401),
        (&control, plane, "/v1%2Faccount", 404),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let (said, closed) = ask(address, &request).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")) && closed, "{path}: {said}");
    }
}
