//! Which stores there are, in memory: host → store, id → store.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use souk_kernel::id::StoreId;
use souk_kernel::plan;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::TenancyConfig;
use crate::entry::{Standing, StoreEntry, StoreState};
use crate::follow;
use crate::queue::Queue;

/// Milliseconds after which silence of the ledger's connection counts as news lost.
const HEARD_WITHIN: u64 = 1000;
/// Milliseconds between two notes that a store was asked for something.
const NOTED_EVERY: u64 = 30_000;

/// One state of the ledger. Replaced as a whole, so a reader never sees half a change.
#[derive(Default)]
pub(crate) struct Snapshot {
    by_id: HashMap<StoreId, Arc<StoreEntry>>,
    by_host: HashMap<String, Arc<StoreEntry>>,
}

impl Snapshot {
    pub(crate) fn new(by_id: HashMap<StoreId, Arc<StoreEntry>>) -> Self {
        let mut by_host = HashMap::with_capacity(by_id.len());
        for entry in by_id.values() {
            for host in &entry.hosts {
                by_host.insert(host.clone(), Arc::clone(entry));
            }
        }
        Self { by_id, by_host }
    }

    pub(crate) fn entries(&self) -> &HashMap<StoreId, Arc<StoreEntry>> {
        &self.by_id
    }
}

/// What the follower task and the handles share.
pub(crate) struct Shared {
    pub(crate) config: TenancyConfig,
    snapshot: ArcSwap<Snapshot>,
    loaded: AtomicBool,
    connected: AtomicBool,
    version: watch::Sender<u64>,
    read_at: watch::Sender<Option<Instant>>,
    began: Instant,
    /// Milliseconds after `began` when the ledger's connection last answered.
    heard_at: AtomicU64,
}

impl Shared {
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    pub(crate) fn replace(&self, snapshot: Snapshot) {
        metrics::gauge!("souk_directory_stores").set(snapshot.by_id.len() as f64);
        self.snapshot.store(Arc::new(snapshot));
        self.version.send_modify(|version| *version += 1);
    }

    pub(crate) fn read_completely(&self) {
        // Before the news of it: who waits for the first reading asks for readiness next.
        self.loaded.store(true, Ordering::Release);
        self.read_at.send_replace(Some(Instant::now()));
    }

    pub(crate) fn set_connected(&self, connected: bool) {
        self.connected.store(connected, Ordering::Release);
        metrics::gauge!("souk_directory_connected").set(f64::from(u8::from(connected)));
    }

    /// The connection that brings the news answered just now.
    pub(crate) fn heard(&self) {
        self.heard_at.store(self.now(), Ordering::Release);
    }

    /// Milliseconds since the beginning.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Stores that were asked for something since that was last written down, and whose turn it is.
    pub(crate) fn asked(&self) -> Vec<Arc<StoreEntry>> {
        let now = self.now();
        let snapshot = self.snapshot.load();
        let due = snapshot.by_id.values().filter(|entry| entry.standing.is_due(now, NOTED_EVERY));
        due.cloned().collect()
    }

    /// Written down. What is asked for from now on is news again.
    pub(crate) fn noted(&self, stores: &[Arc<StoreEntry>]) {
        // 0 says never.
        let now = self.now().max(1);
        stores.iter().for_each(|entry| entry.standing.noted_at.store(now, Ordering::Relaxed));
    }

    /// What shoppers see of this store has changed; of every store when it is not said which.
    pub(crate) fn catalogue_changed(&self, store: Option<StoreId>) {
        let snapshot = self.snapshot.load();
        let changed = |entry: &Arc<StoreEntry>| entry.standing.catalogue.fetch_add(1, Ordering::AcqRel);
        match store {
            Some(store) => {
                snapshot.by_id.get(&store).map(changed);
            }
            None => snapshot.by_id.values().for_each(|entry| {
                changed(entry);
            }),
        }
    }

    /// A store keeps its queue through every change of its entry, or a change would double its share. Another plan changes how many
    /// may be at work in it.
    pub(crate) fn standing_of(&self, id: StoreId, limits: &plan::Limits) -> Arc<Standing> {
        let permits = self.config.permits_of(limits);
        match self.snapshot.load().by_id.get(&id) {
            Some(entry) => {
                entry.standing.queue.resize(permits);
                Arc::clone(&entry.standing)
            }
            None => Arc::new(Standing {
                queue: Queue::new(permits, self.config.waiting_per_store),
                catalogue: AtomicU64::new(0),
                asked: AtomicBool::new(false),
                noted_at: AtomicU64::new(0),
            }),
        }
    }
}

struct Follower(JoinHandle<()>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// `platform.store_ledger`, followed. Cheap to clone; the following ends with the last clone.
///
/// Serves from memory and never waits. While the database is away it keeps the last known state.
#[derive(Clone)]
pub struct Directory {
    shared: Arc<Shared>,
    _follower: Arc<Follower>,
}

/// How current the directory is.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryHealth {
    /// It has been read at least once: the process may serve.
    pub ready: bool,
    /// Changes arrive at once; otherwise the last known state is served.
    pub connected: bool,
    /// Time since the ledger was last read as a whole.
    pub age: Option<Duration>,
}

impl Directory {
    /// Starts following the ledger as login `runtime_directory`. Waits up to 2 s for the first reading; succeeds
    /// without it too, so that a process can start, and report that it is not ready, while PostgreSQL is down.
    pub async fn start(config: &TenancyConfig) -> Self {
        let shared = Arc::new(Shared {
            config: config.clone(),
            snapshot: ArcSwap::default(),
            loaded: AtomicBool::new(false),
            connected: AtomicBool::new(false),
            version: watch::Sender::new(0),
            read_at: watch::Sender::new(None),
            began: Instant::now(),
            heard_at: AtomicU64::new(0),
        });
        let follower = Follower(tokio::spawn(follow::follow(Arc::clone(&shared))));
        let directory = Self { shared, _follower: Arc::new(follower) };
        let mut first = directory.shared.read_at.subscribe();
        let _ = tokio::time::timeout(Duration::from_secs(2), first.wait_for(Option::is_some)).await;
        directory
    }

    /// The store that answers to this host name (any case; a port and a final dot are ignored), in any state.
    #[must_use]
    pub fn by_host(&self, host: &str) -> Option<Arc<StoreEntry>> {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        self.shared.snapshot.load().by_host.get(name.to_ascii_lowercase().as_str()).cloned()
    }

    /// The store with this id, in any state.
    #[must_use]
    pub fn by_id(&self, id: StoreId) -> Option<Arc<StoreEntry>> {
        self.shared.snapshot.load().by_id.get(&id).cloned()
    }

    /// Every live store, in order of id (so of age).
    #[must_use]
    pub fn all_live(&self) -> Vec<Arc<StoreEntry>> {
        let snapshot = self.shared.snapshot.load();
        let mut live: Vec<_> =
            snapshot.by_id.values().filter(|entry| entry.state == StoreState::Live).cloned().collect();
        live.sort_by_key(|entry| entry.id);
        live
    }

    /// Whether changes of catalogues are being heard: [`StoreEntry::catalogue_version`] is at most a second old. While the connection is
    /// away, or does not answer, it is not.
    #[must_use]
    pub fn follows_catalogues(&self) -> bool {
        let now = self.shared.now();
        self.shared.connected.load(Ordering::Acquire)
            && now.saturating_sub(self.shared.heard_at.load(Ordering::Acquire)) < HEARD_WITHIN
    }

    /// For the readiness probe.
    #[must_use]
    pub fn health(&self) -> DirectoryHealth {
        DirectoryHealth {
            ready: self.shared.loaded.load(Ordering::Acquire),
            connected: self.shared.connected.load(Ordering::Acquire),
            age: self.shared.read_at.borrow().map(|at| at.elapsed()),
        }
    }

    /// A number that grows with every change of any store: for caches, and for tests that wait.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }
}
