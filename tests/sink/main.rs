//! A mail server that keeps what it is given, one JSON line for each mail, and can be told to keep a client waiting: while `<file>.hold`
//! exists, a mail is kept but not acknowledged. Listens on loopback and prints its address.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

fn main() -> anyhow::Result<()> {
    let path: PathBuf =
        std::env::args_os().nth(1).ok_or_else(|| anyhow::anyhow!("usage: souk-mail-sink FILE"))?.into();
    let file = Arc::new(Mutex::new(OpenOptions::new().create(true).append(true).open(&path)?));
    let hold = path.with_extension("hold");
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (file, hold, stream) = (Arc::clone(&file), hold.clone(), stream?);
        // A client that breaks off is its own business.
        std::thread::spawn(move || drop(serve(&stream, &file, &hold)));
    }
    Ok(())
}

/// One conversation (RFC 5321, as much of it as a client needs).
fn serve(stream: &TcpStream, file: &Mutex<File>, hold: &Path) -> anyhow::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let say = |text: &str| (&*stream).write_all(format!("{text}\r\n").as_bytes());
    say("220 sink")?;
    let (mut from, mut to) = (String::new(), Vec::new());
    while let Some(line) = lines.next() {
        let line = line?;
        let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" | "HELO" => say("250 sink")?,
            "MAIL" => {
                from = line;
                to.clear();
                say("250 OK")?;
            }
            "RCPT" => {
                to.push(line);
                say("250 OK")?;
            }
            "DATA" => {
                say("354 go on")?;
                let mut mail = String::new();
                for line in lines.by_ref() {
                    let line = line?;
                    if line == "." {
                        break;
                    }
                    // A leading dot was doubled on the way.
                    mail.push_str(line.strip_prefix('.').unwrap_or(&line));
                    mail.push('\n');
                }
                keep(file, &from, &to, &mail)?;
                while hold.exists() {
                    std::thread::sleep(Duration::from_millis(20));
                }
                say("250 kept")?;
            }
            "RSET" | "NOOP" => say("250 OK")?,
            "QUIT" => return Ok(say("221 bye")?),
            _ => say("502 no such command")?,
        }
    }
    Ok(())
}

fn keep(file: &Mutex<File>, from: &str, to: &[String], mail: &str) -> std::io::Result<()> {
    let header = |name: &str| {
        let value = mail.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(name));
        value.unwrap_or_default().trim().to_owned()
    };
    let kept = serde_json::json!({
        "from": from, "to": to, "message_id": header("Message-ID:"), "subject": header("Subject:"), "mail": mail,
    });
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.write_all(format!("{kept}\n").as_bytes())
}
