//! A mail server for tests: keeps what it is given, over TLS and with a login if it is told so, and refuses what it is told to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How the server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// Not at all.
    #[default]
    None,
    /// From the first byte.
    Implicit,
    /// After STARTTLS; without it nothing is taken.
    StartTls,
}

/// What kind of server it is.
#[derive(Clone, Debug, Default)]
pub struct SinkConfig {
    pub tls: Tls,
    /// The name its certificate is for; `localhost` unless set.
    pub name: Option<&'static str>,
    /// Mechanism (`PLAIN` or `LOGIN`), user and password, without which nothing is taken.
    pub login: Option<(&'static str, &'static str, &'static str)>,
}

/// A mail as it came.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    /// The commands that named sender and recipients.
    pub from: String,
    pub to: Vec<String>,
    /// Head and body; its lines end with `\n`.
    pub text: String,
    /// Whether it came over TLS.
    pub encrypted: bool,
    /// Who had signed in.
    pub user: Option<String>,
}

/// A line that is not granted.
struct Refusal {
    line: &'static str,
    reply: &'static str,
    left: u32,
}

/// What is done with a mail before it is acknowledged.
type Keep = Box<dyn Fn(&Mail) -> io::Result<()> + Send + Sync>;

struct Shared {
    config: SinkConfig,
    secure: Arc<ServerConfig>,
    refusals: Mutex<Vec<Refusal>>,
    mails: Mutex<Vec<Mail>>,
    keep: Keep,
}

/// Runs on threads of its own until the process ends.
pub struct Sink {
    address: SocketAddr,
    authority: String,
    shared: Arc<Shared>,
}

impl Sink {
    /// Starts it on a port of this machine that is free. Its certificate, and the authority's that it comes from, are made now.
    ///
    /// # Panics
    /// When there is no port, or no certificate.
    pub fn start(config: SinkConfig) -> Self {
        Self::keeping(config, |_| Ok(()))
    }

    /// The same; every mail is given to `keep` before it is acknowledged, and is not acknowledged when that fails.
    ///
    /// # Panics
    /// As for [`Sink::start`].
    pub fn keeping(
        config: SinkConfig,
        keep: impl Fn(&Mail) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let (secure, authority) = certified(config.name.unwrap_or("localhost")).expect("a certificate");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        let shared = Shared {
            config,
            secure: Arc::new(secure),
            refusals: Mutex::default(),
            mails: Mutex::default(),
            keep: Box::new(keep),
        };
        let shared = Arc::new(shared);
        let serves = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serves);
                // A client that breaks off, or does not trust us, is its own business.
                std::thread::spawn(move || drop(converse(stream, &shared)));
            }
        });
        Self { address, authority, shared }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `SMTP_URL` says to reach it, with the login it asks for.
    pub fn url(&self) -> String {
        let login = self.shared.config.login.map(|(_, user, password)| format!("{user}:{password}@"));
        self.url_with(&login.unwrap_or_default())
    }

    /// The same with another login (`user:password@`), or none.
    pub fn url_with(&self, login: &str) -> String {
        let port = self.address.port();
        match self.shared.config.tls {
            Tls::None => format!("smtp://{login}127.0.0.1:{port}"),
            Tls::Implicit => format!("smtps://{login}localhost:{port}"),
            Tls::StartTls => format!("smtp://{login}localhost:{port}?tls=required"),
        }
    }

    /// The certificate (PEM) of the authority that its own comes from.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Answers the next `times` commands in which `line` is with `reply`: `("RCPT TO:<ada@", "550 5.1.1 no such user", 1)`.
    pub fn refuse(&self, line: &'static str, reply: &'static str, times: u32) {
        locked(&self.shared.refusals).push(Refusal { line, reply, left: times });
    }

    /// What it has taken, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        locked(&self.shared.mails).clone()
    }
}

fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server's certificate for a name, and the authority's that it comes from (PEM).
fn certified(name: &str) -> Result<(ServerConfig, String), Box<dyn std::error::Error>> {
    let authority_key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    // A name of its own: two authorities of one name would be told apart by their signatures only.
    let mark = STANDARD.encode(authority_key.public_key_raw());
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("tests {}", &mark[..16]));
    let authority = params.self_signed(&authority_key)?;
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.signed_by(&key, &issuer)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::from(key))?;
    Ok((config, authority.pem()))
}

/// The client's end.
enum Wire {
    Plain(TcpStream),
    Secure(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Wire {
    fn secured(self, config: &Arc<ServerConfig>) -> io::Result<Self> {
        match self {
            Self::Plain(stream) => {
                let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                Ok(Self::Secure(Box::new(StreamOwned::new(connection, stream))))
            }
            Self::Secure(_) => Err(io::Error::other("twice")),
        }
    }

    fn is_secure(&self) -> bool {
        matches!(self, Self::Secure(_))
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Secure(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Secure(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Secure(stream) => stream.flush(),
        }
    }
}

fn say(wire: &mut BufReader<Wire>, text: &str) -> io::Result<()> {
    wire.get_mut().write_all(format!("{text}\r\n").as_bytes())?;
    wire.get_mut().flush()
}

/// A line without its end; none when the client is gone.
fn hear(wire: &mut BufReader<Wire>) -> io::Result<Option<String>> {
    let mut line = String::new();
    if wire.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// One conversation (RFC 5321, as much of it as a client needs).
fn converse(stream: TcpStream, sink: &Shared) -> io::Result<()> {
    let mut wire = Wire::Plain(stream);
    if sink.config.tls == Tls::Implicit {
        wire = wire.secured(&sink.secure)?;
    }
    let mut wire = BufReader::new(wire);
    say(&mut wire, "220 sink")?;
    let mut mail = Mail::default();
    while let Some(line) = hear(&mut wire)? {
        let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let encrypted = wire.get_ref().is_secure();
        if let Some(reply) = sink.refusal(&line) {
            say(&mut wire, reply)?;
            continue;
        }
        match verb.as_str() {
            "EHLO" | "HELO" => say(&mut wire, &sink.greeting(encrypted))?,
            "STARTTLS" if sink.config.tls == Tls::StartTls && !encrypted => {
                say(&mut wire, "220 go on")?;
                wire = BufReader::new(wire.into_inner().secured(&sink.secure)?);
                mail = Mail::default();
            }
            "AUTH" => mail.user = sink.sign_in(&mut wire, &line)?,
            "MAIL" if sink.config.tls == Tls::StartTls && !encrypted => {
                say(&mut wire, "530 5.7.0 Must issue a STARTTLS command first")?;
            }
            "MAIL" if sink.config.login.is_some() && mail.user.is_none() => {
                say(&mut wire, "530 5.7.0 Authentication required")?;
            }
            "MAIL" => {
                mail = Mail { from: line, encrypted, user: mail.user, ..Mail::default() };
                say(&mut wire, "250 OK")?;
            }
            "RCPT" => {
                mail.to.push(line);
                say(&mut wire, "250 OK")?;
            }
            "DATA" => {
                say(&mut wire, "354 go on")?;
                mail.text = content(&mut wire)?;
                (sink.keep)(&mail)?;
                locked(&sink.mails).push(mail.clone());
                say(&mut wire, "250 kept")?;
            }
            "RSET" | "NOOP" => say(&mut wire, "250 OK")?,
            "QUIT" => return say(&mut wire, "221 bye"),
            _ => say(&mut wire, "502 no such command")?,
        }
    }
    Ok(())
}

/// What follows DATA, to the line that is a dot. A leading dot was doubled on the way.
fn content(wire: &mut BufReader<Wire>) -> io::Result<String> {
    let mut text = String::new();
    loop {
        let line = hear(wire)?.ok_or_else(|| io::Error::other("the client is gone"))?;
        if line == "." {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push('\n');
    }
}

impl Shared {
    fn greeting(&self, encrypted: bool) -> String {
        let mut lines = vec!["sink".to_owned()];
        if self.config.tls == Tls::StartTls && !encrypted {
            lines.push("STARTTLS".to_owned());
        } else if let Some((mechanism, ..)) = self.config.login {
            lines.push(format!("AUTH {mechanism}"));
        }
        lines.push("8BITMIME".to_owned());
        let last = lines.len() - 1;
        let line = |(at, line): (usize, String)| format!("250{}{line}", if at == last { " " } else { "-" });
        lines.into_iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n")
    }

    fn refusal(&self, line: &str) -> Option<&'static str> {
        let mut refusals = locked(&self.refusals);
        let found = refusals.iter_mut().find(|refusal| refusal.left > 0 && line.contains(refusal.line))?;
        found.left -= 1;
        Some(found.reply)
    }

    /// AUTH PLAIN with what follows it, or AUTH LOGIN with two questions (RFC 4954). Who signed in.
    fn sign_in(&self, wire: &mut BufReader<Wire>, line: &str) -> io::Result<Option<String>> {
        let decoded =
            |text: &str| String::from_utf8(STANDARD.decode(text).unwrap_or_default()).unwrap_or_default();
        let mut words = line.split_whitespace().skip(1);
        let (mechanism, first) = (words.next().unwrap_or_default(), words.next());
        let (user, password) = match (mechanism, first) {
            ("PLAIN", Some(first)) => {
                let parts = decoded(first);
                let mut parts = parts.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            ("LOGIN", None) => {
                let mut answers = ["Username:", "Password:"].into_iter().map(|question| {
                    say(wire, &format!("334 {}", STANDARD.encode(question)))?;
                    Ok::<_, io::Error>(decoded(&hear(wire)?.unwrap_or_default()))
                });
                let user = answers.next().transpose()?.unwrap_or_default();
                (user, answers.next().transpose()?.unwrap_or_default())
            }
            _ => (String::new(), String::new()),
        };
        if self.config.login == Some((mechanism, user.as_str(), password.as_str())) {
            say(wire, "235 2.7.0 welcome")?;
            return Ok(Some(user));
        }
        say(wire, "535 5.7.8 Authentication credentials invalid")?;
        Ok(None)
    }
}
