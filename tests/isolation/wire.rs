//! A wire between a process and PostgreSQL: counts the connections, cuts some, and asks those at rest, between two transactions,
//! what they still know. Nothing else can: the process itself says nothing outside a transaction.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

const SSL: u32 = 80_877_103;
const GSS: u32 = 80_877_104;
const CANCEL: u32 = 80_877_102;

pub struct Wire {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    lines: Mutex<Vec<Line>>,
    cancels: AtomicUsize,
}

/// One connection.
struct Line {
    login: String,
    open: Arc<AtomicBool>,
    orders: mpsc::UnboundedSender<Order>,
}

enum Order {
    Ask(String, oneshot::Sender<Said>),
    Cut,
}

/// What a connection said between two transactions.
#[derive(Debug)]
pub struct Said {
    pub login: String,
    /// `I` outside a transaction, `T` inside, `E` inside a failed one.
    pub status: char,
    pub rows: Vec<String>,
}

impl Wire {
    /// A wire to this server.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let known = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, known) = (server.clone(), Arc::clone(&known));
                tokio::spawn(async move {
                    // A connection that ends badly is what these proofs are about.
                    let _ = carry(client, &server, &known).await;
                });
            }
        });
        Self { address, shared }
    }

    /// Connections of the runtime's lanes: ever opened, and open now.
    pub fn count(&self) -> (usize, usize) {
        let lines = self.shared.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let lanes = lines.iter().filter(|line| line.login.starts_with("runtime_") && !line.is_directory());
        lanes.fold((0, 0), |(ever, open), line| (ever + 1, open + usize::from(line.is_open())))
    }

    /// Statements that somebody has asked the server to stop.
    pub fn cancelled(&self) -> usize {
        self.shared.cancels.load(Ordering::Relaxed)
    }

    /// Cuts a connection of a lane, whatever it does; `pick` chooses among those that are open.
    pub fn cut(&self, pick: impl FnOnce(usize) -> usize) -> bool {
        let lines = self.shared.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let open: Vec<_> = lines.iter().filter(|line| line.is_open() && !line.is_directory()).collect();
        !open.is_empty() && open[pick(open.len())].orders.send(Order::Cut).is_ok()
    }

    /// What every open connection of a lane says now. They must be at rest.
    ///
    /// # Panics
    /// When one of them does not answer.
    pub async fn ask(&self, sql: &str) -> Vec<Said> {
        let asked: Vec<_> = {
            let lines = self.shared.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let open = lines.iter().filter(|line| line.is_open() && !line.is_directory());
            open.filter_map(|line| {
                let (tell, told) = oneshot::channel();
                line.orders.send(Order::Ask(sql.to_owned(), tell)).ok().map(|()| told)
            })
            .collect()
        };
        let mut said = Vec::new();
        for told in asked {
            let answer = tokio::time::timeout(Duration::from_secs(10), told).await;
            // One that closes meanwhile has nothing to say any more.
            said.extend(answer.expect("a connection at rest answers"));
        }
        said
    }
}

impl Line {
    fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    fn is_directory(&self) -> bool {
        self.login == "runtime_directory"
    }
}

async fn carry(mut client: TcpStream, server: &str, shared: &Shared) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let hello = loop {
        let mut head = [0_u8; 8];
        client.read_exact(&mut head).await?;
        let [length, code] =
            [0, 4].map(|at| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
        if code == SSL || code == GSS {
            client.write_all(b"N").await?;
            continue;
        }
        let mut hello = head.to_vec();
        hello.resize(length as usize, 0);
        client.read_exact(&mut hello[8..]).await?;
        let mut upstream = TcpStream::connect(server).await?;
        upstream.set_nodelay(true)?;
        upstream.write_all(&hello).await?;
        if code == CANCEL {
            shared.cancels.fetch_add(1, Ordering::Relaxed);
            tokio::io::copy(&mut upstream, &mut client).await?;
            return Ok(());
        }
        break (hello, upstream);
    };
    let (hello, mut upstream) = hello;
    let words: Vec<_> = hello[8..].split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let login =
        words.chunks(2).find(|pair| pair[0] == "user").map(|pair| pair[1].to_string()).unwrap_or_default();
    let (orders, mut ordered) = mpsc::unbounded_channel();
    let open = Arc::new(AtomicBool::new(true));
    let line = Line { login: login.clone(), open: Arc::clone(&open), orders };
    shared.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    let _closes = Closes(open);
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read? {
                0 => return Ok(()),
                read => upstream.write_all(&up[..read]).await?,
            },
            read = upstream.read(&mut down) => match read? {
                0 => return Ok(()),
                read => client.write_all(&down[..read]).await?,
            },
            order = ordered.recv() => match order {
                Some(Order::Ask(sql, tell)) => {
                    let (status, rows) = ask(&mut upstream, &sql).await?;
                    let _ = tell.send(Said { login: login.clone(), status, rows });
                }
                Some(Order::Cut) | None => return Ok(()),
            },
        }
    }
}

struct Closes(Arc<AtomicBool>);

impl Drop for Closes {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// A question by the simple protocol; rows of one column.
async fn ask(server: &mut TcpStream, sql: &str) -> std::io::Result<(char, Vec<String>)> {
    let length = u32::try_from(sql.len() + 5).unwrap_or_default();
    let question = [b"Q", length.to_be_bytes().as_slice(), sql.as_bytes(), b"\0"].concat();
    server.write_all(&question).await?;
    let mut rows = Vec::new();
    loop {
        let kind = server.read_u8().await?;
        let mut body = vec![0; server.read_u32().await?.saturating_sub(4) as usize];
        server.read_exact(&mut body).await?;
        match kind {
            // Two bytes of how many columns, four of how long the first is.
            b'D' => rows.push(String::from_utf8_lossy(body.get(6..).unwrap_or_default()).into_owned()),
            b'E' => rows.push(String::from_utf8_lossy(&body).replace('\0', " ")),
            b'Z' => return Ok((char::from(body.first().copied().unwrap_or(b'?')), rows)),
            _ => {}
        }
    }
}
