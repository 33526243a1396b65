//! What a person can ask for.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Souk on one machine: start everything, look at it, stop it.
#[derive(Debug, Parser)]
#[command(name = "souk", version)]
pub struct Options {
    /// The folder that holds everything this command keeps: database, logs, secrets.
    #[arg(long, global = true, env = "SOUK_HOME", default_value = ".souk")]
    pub home: PathBuf,
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start everything, fill a demo store, print where it is. Says so when it already runs.
    Up(Up),
    /// Stop what `souk up` started, and nothing else.
    Down,
    /// Check that this machine has what `souk up` needs.
    Doctor(Network),
    /// Say what runs.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show what the children wrote.
    Logs {
        /// One child only: postgres, payment-provider, control-plane, tenant-runtime, migrate or supervisor.
        name: Option<String>,
        /// Go on with what they write from now on.
        #[arg(short, long)]
        follow: bool,
        /// How many lines of the past.
        #[arg(short = 'n', long, default_value_t = 100)]
        lines: usize,
    },
    /// Print where things are, for a shell: `eval "$(souk env)"` sets SOUK_CONTROL, SOUK_STORE, … and finds `souk`.
    Env,
    /// Print fields of the JSON on standard input, one a line; a problem is shown as words, and fails.
    Pick {
        /// Names joined by slashes: `id`, `variants/0/price`.
        #[arg(required = true)]
        fields: Vec<String>,
    },
    /// A database server of its own, apart from `souk up`: for tests.
    #[command(subcommand)]
    Db(Db),
    /// A Kafka broker of its own, apart from `souk up`: for tests.
    #[command(subcommand)]
    Kafka(Kafka),
    /// How far events are, what is a dead letter, hear events again.
    Events(Events),
    /// Send a store's events to a program on this machine, signed as webhooks are.
    Listen(Listen),
    /// Whether a log of privileged acts is whole.
    #[command(subcommand)]
    Audit(Audit),
    /// Which rule of a store decides whether somebody may do something.
    #[command(subcommand)]
    Authz(Authz),
    /// Make a sale, and show that the platform works: sign up, open a store, fill it, buy, look at what it did, delete the store.
    Rehearse(Rehearse),
    /// Print the version.
    Version,
}

/// Options of `up`.
#[derive(Debug, Args)]
pub struct Up {
    /// Return when everything is ready, and leave it running.
    #[arg(long)]
    pub detach: bool,
    /// Do not create the demo store.
    #[arg(long)]
    pub no_demo: bool,
    /// Leave a child out, because you run it yourself (repeatable).
    #[arg(long, value_name = "CHILD")]
    pub except: Vec<String>,
    #[command(flatten)]
    pub network: Network,
    /// This process is the one that was left running.
    #[arg(long, hide = true)]
    pub detached: bool,
}

/// Where things listen, and which database.
#[derive(Clone, Debug, Args)]
pub struct Network {
    /// Port of the control plane's API.
    #[arg(long, env = "SOUK_CONTROL_PORT", default_value_t = 8080)]
    pub control_port: u16,
    /// Port of the stores' API.
    #[arg(long, env = "SOUK_RUNTIME_PORT", default_value_t = 8081)]
    pub runtime_port: u16,
    /// Port of the test payment provider.
    #[arg(long, env = "SOUK_PROVIDER_PORT", default_value_t = 8082)]
    pub provider_port: u16,
    /// Port of the private PostgreSQL.
    #[arg(long, env = "SOUK_POSTGRES_PORT", default_value_t = 8083)]
    pub postgres_port: u16,
    /// Use this PostgreSQL (15 or newer) instead of a private one: a URL of a login that may create roles.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Start a private Kafka broker too, and let events go through it (needs Java 17; fetched once from Maven Central).
    #[arg(long, env = "SOUK_KAFKA", value_parser = clap::builder::BoolishValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub kafka: bool,
    /// Port of the private Kafka.
    #[arg(long, env = "SOUK_KAFKA_PORT", default_value_t = 8084)]
    pub kafka_port: u16,
    /// Use these Kafka brokers (`host:port,…`) instead of a private one.
    #[arg(long, env = "KAFKA_BROKERS")]
    pub kafka_brokers: Option<String>,
    /// Where Stripe's API is; without it the test payment provider plays Stripe too. `https://api.stripe.com` is the real one.
    #[arg(long, env = "SOUK_STRIPE_URL")]
    pub stripe_url: Option<String>,
    /// PostgreSQL version of the private server: a major (`18`) or an exact version (`18.6.0`).
    #[arg(long, env = "SOUK_POSTGRES_VERSION", default_value = crate::postgres::DEFAULT_VERSION)]
    pub postgres_version: String,
    /// Longest pause, in seconds, before a program that keeps dying is started again; the pauses double up to it.
    #[arg(long, env = "SOUK_LONGEST_PAUSE", default_value_t = 30)]
    pub longest_pause: u64,
}

/// `souk kafka …`
#[derive(Debug, Subcommand)]
pub enum Kafka {
    /// Start a broker in the background and print its address. Does nothing but print when it already runs.
    Start {
        /// Its folder.
        #[arg(long)]
        dir: PathBuf,
        /// Its port; the one it had before, or a free one, when 0.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Stop it.
    Stop {
        /// Its folder.
        #[arg(long)]
        dir: PathBuf,
    },
    /// Print its address.
    Address {
        /// Its folder.
        #[arg(long)]
        dir: PathBuf,
    },
}

/// Options of `events`.
#[derive(Debug, Args)]
pub struct Events {
    #[command(subcommand)]
    pub bus: Bus,
    /// As JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// The database of the stores, without a login: `postgres://host:port/database`. The private one of `souk up` if absent.
    #[arg(long = "database-url", env = "SOUK_DATABASE_URL", global = true)]
    pub database: Option<String>,
    /// Password of the login `relay`.
    #[arg(long = "relay-password", env = "SOUK_RELAY_PASSWORD", hide_env_values = true, global = true)]
    pub password: Option<String>,
    /// Port of the private PostgreSQL.
    #[arg(long, env = "SOUK_POSTGRES_PORT", default_value_t = 8083, global = true)]
    pub postgres_port: u16,
}

/// `souk events …`
#[derive(Debug, Subcommand)]
pub enum Bus {
    /// What waits in the outbox and at each consumer.
    Status,
    /// Events that a consumer was given up on, newest first.
    Dead {
        /// Of one consumer.
        #[arg(long)]
        consumer: Option<String>,
        /// Those that no broker would take, instead: no consumer has heard them.
        #[arg(long, conflicts_with = "consumer")]
        outbox: bool,
        /// At most so many.
        #[arg(short = 'n', long, default_value_t = 50)]
        limit: u32,
    },
    /// Messages of the topic that are no events, newest first: topic/partition/offset, when, and why.
    Unreadable {
        /// At most so many.
        #[arg(short = 'n', long, default_value_t = 50)]
        limit: u32,
    },
    /// Forget messages that are no events; they stay in the topic.
    Forget {
        /// Their places, as `souk events unreadable` shows them.
        places: Vec<String>,
        /// All there are.
        #[arg(long, conflicts_with = "places")]
        all: bool,
    },
    /// Give dead letters another life.
    Revive {
        /// Their numbers, as `souk events dead` shows them.
        ids: Vec<i64>,
        /// Those that no broker would take: they are carried on once more.
        #[arg(long, conflicts_with = "consumer")]
        outbox: bool,
        /// All of one consumer.
        #[arg(long)]
        consumer: Option<String>,
        /// All there are.
        #[arg(long, conflicts_with_all = ["ids", "consumer"])]
        all: bool,
    },
    /// Have a consumer hear events once more, in order.
    Replay {
        /// Which consumer.
        consumer: String,
        /// A name for the replay: the same event is heard once under one name.
        #[arg(long)]
        name: String,
        /// One event (`evt_…`).
        #[arg(long)]
        event: Option<souk_kernel::EventId>,
        /// Of one store (`sto_…`).
        #[arg(long)]
        store: Option<souk_kernel::StoreId>,
        /// That happened at this time or later (RFC 3339).
        #[arg(long)]
        from: Option<chrono::DateTime<chrono::Utc>>,
        /// That happened before this time.
        #[arg(long)]
        until: Option<chrono::DateTime<chrono::Utc>>,
        /// Of these kinds (repeatable).
        #[arg(long = "type")]
        kinds: Vec<String>,
    },
}

/// Options of `listen`.
#[derive(Debug, Args)]
pub struct Listen {
    /// Where events go, such as `http://localhost:3000/webhooks`.
    #[arg(long)]
    pub forward_to: String,
    /// The store's address, such as `http://demo.localhost:8081`; the demo store of `souk up` if absent.
    #[arg(long, env = "SOUK_STORE_URL", requires = "key")]
    pub store: Option<String>,
    /// A secret key of the store (`sk_…`) that may see events.
    #[arg(long, env = "SOUK_SECRET_KEY", hide_env_values = true, requires = "store")]
    pub key: Option<String>,
    /// Of these kinds (repeatable); all if absent.
    #[arg(long = "type")]
    pub types: Vec<String>,
}

/// `souk audit …`
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Have a log's chain walked from end to end; exit status 1 when it is broken, and where.
    Verify(Verify),
}

/// Options of `audit verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// Of the store at this address, such as `http://demo.localhost:8081`.
    #[arg(long, env = "SOUK_STORE_URL")]
    pub store: Option<String>,
    /// Of this organization (`org_…`), instead of a store.
    #[arg(long)]
    pub organization: Option<String>,
    /// A secret key of the store (`sk_…`) that may see the log.
    #[arg(long, env = "SOUK_SECRET_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// An access token of a member of the organization who may see the log.
    #[arg(long, env = "SOUK_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// The control plane's address.
    #[arg(long, env = "SOUK_CONTROL", default_value = "http://localhost:8080")]
    pub control: String,
    /// The last hash as it was said before and kept elsewhere: fails when the log ends with another.
    #[arg(long, value_name = "HASH")]
    pub ends_with: Option<String>,
}

/// `souk authz …`
#[derive(Debug, Subcommand)]
pub enum Authz {
    /// Say yes or no, and the rule that decides; exit status 1 for no.
    Explain(Explain),
}

/// Options of `authz explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// Who: `anyone`, or the id of staff, of an API key or of a customer (`stf_…`, `key_…`, `cus_…`).
    pub actor: String,
    /// What: `object:action`, such as `order:cancel`.
    pub action: String,
    /// The store's address, such as `http://demo.localhost:8081`.
    #[arg(long, env = "SOUK_STORE_URL")]
    pub store: String,
    /// A secret key of the store (`sk_…`) that may see staff.
    #[arg(long, env = "SOUK_SECRET_KEY", hide_env_values = true)]
    pub key: String,
}

/// Options of `rehearse`.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// The control plane's address.
    #[arg(long, env = "SOUK_CONTROL", default_value = "http://localhost:8080")]
    pub control: String,
    /// Where stores are reached, if not at the addresses they have: requests go here and name the store as their host.
    #[arg(long, env = "SOUK_STORES")]
    pub stores: Option<String>,
    /// Domain of the addresses it invents; the platform sends mail there.
    #[arg(long, env = "SOUK_REHEARSAL_DOMAIN", default_value = "example.com")]
    pub mail_domain: String,
    /// Seconds the store may take to be opened, and to be deleted.
    #[arg(long, default_value_t = 120)]
    pub patience: u64,
    /// Do not delete the store.
    #[arg(long)]
    pub keep: bool,
}

/// The port for health and metrics of a child that listens for customers on `port`.
#[must_use]
pub const fn internal_port(port: u16) -> u16 {
    port.wrapping_add(1000)
}

/// `souk db …`
#[derive(Debug, Subcommand)]
pub enum Db {
    /// Start a server in the background and print its URL. Does nothing but print when it already runs.
    Start {
        /// A major (`15`) or an exact version (`18.6.0`).
        #[arg(long, default_value = crate::postgres::DEFAULT_VERSION)]
        version: String,
        /// Its folder.
        #[arg(long)]
        dir: PathBuf,
        /// Its port; the one it had, or a free one, when 0.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Do not wait for the disk: quicker, and lost with the machine's power; drop the databases that tests left. For tests.
        #[arg(long)]
        careless: bool,
    },
    /// Stop it.
    Stop {
        /// Its folder.
        #[arg(long)]
        dir: PathBuf,
        /// As a crash would: sessions are cut, and the next start recovers.
        #[arg(long)]
        immediate: bool,
    },
    /// Stop it and remove its folder with all data.
    Remove {
        /// Its folder.
        #[arg(long)]
        dir: PathBuf,
    },
    /// Print its URL.
    Url {
        /// Its folder.
        #[arg(long)]
        dir: PathBuf,
    },
}
