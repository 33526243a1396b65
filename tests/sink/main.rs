//! A mail server that keeps what it is given, one JSON line for each mail, and can be told to keep a client waiting: while `<file>.hold`
//! exists, a mail is kept but not acknowledged. Listens on loopback and prints its address. With a second file it speaks TLS only, asks for
//! a login, writes there whom its certificate comes from, and prints what `SMTP_URL` says to reach it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use souk_smtp::test_support::{Mail, Sink, SinkConfig, Tls};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let path =
        arguments.next().ok_or_else(|| anyhow::anyhow!("usage: souk-mail-sink FILE [AUTHORITY_FILE]"))?;
    let file = Mutex::new(OpenOptions::new().create(true).append(true).open(&path)?);
    let hold = path.with_extension("hold");
    let authority = arguments.next();
    let config = match authority {
        Some(_) => SinkConfig {
            tls: Tls::Implicit,
            login: Some(("PLAIN", "souk", "secret")),
            ..SinkConfig::default()
        },
        None => SinkConfig::default(),
    };
    let sink = Sink::keeping(config, move |mail| {
        keep(&file, mail)?;
        while hold.exists() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    });
    match authority {
        Some(authority) => {
            std::fs::write(authority, sink.authority())?;
            println!("{}", sink.url());
        }
        None => println!("{}", sink.address()),
    }
    loop {
        std::thread::park();
    }
}

fn keep(file: &Mutex<File>, mail: &Mail) -> std::io::Result<()> {
    let header = |name: &str| {
        let mut head = mail.text.lines().take_while(|line| !line.is_empty());
        head.find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    };
    let kept = serde_json::json!({
        "from": mail.from, "to": mail.to, "message_id": header("Message-ID:"), "subject": header("Subject:"), "mail": mail.text,
    });
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.write_all(format!("{kept}\n").as_bytes())
}
