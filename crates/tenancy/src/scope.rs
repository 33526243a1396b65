//! Lanes, the right to open them, and the scope of one store.

use std::sync::Arc;
use std::time::Instant;

use souk_kernel::Clock;
use souk_kernel::id::StoreId;

use crate::config::TenancyConfig;
use crate::directory::Directory;
use crate::entry::StoreEntry;
use crate::error::{DbError, TenancyError};
use crate::lane::{Lane, lane_password, lane_role};
use crate::run::{Ground, Mode};
use crate::transaction::{ReadTx, WriteTx};
use crate::work::Work;

struct Shared {
    config: TenancyConfig,
    directory: Directory,
    lanes: Vec<Lane>,
}

/// Every lane of this process. Connections are opened when first needed, so this exists before the database does.
#[derive(Clone)]
pub struct Tenancy {
    shared: Arc<Shared>,
}

/// The right to make [`StoreScope`]s. There is one, made by [`Tenancy::start`]; `access::Gate` holds it.
pub struct Mint {
    shared: Arc<Shared>,
}

/// One store, and the right to open transactions in it. Only a [`Mint`] makes one. Cheap to clone.
#[derive(Clone)]
pub struct StoreScope {
    shared: Arc<Shared>,
    entry: Arc<StoreEntry>,
}

impl Tenancy {
    /// Lays out the lanes; opens no connection.
    ///
    /// # Errors
    /// Only if the pools cannot be built from this configuration.
    pub fn start(config: TenancyConfig, directory: Directory) -> Result<(Self, Mint), TenancyError> {
        let logins: Vec<_> = match &config.own_login {
            Some((role, password)) => vec![config.database.login(role, password)],
            None => (1..=config.lanes)
                .map(|lane| {
                    config.database.login(&lane_role(lane), &lane_password(&config.lane_secret, lane))
                })
                .collect(),
        };
        let lanes = logins
            .into_iter()
            .map(|login| Lane::new(login, config.connections_per_lane, config.max_age))
            .collect::<Result<_, _>>()?;
        let shared = Arc::new(Shared { config, directory, lanes });
        Ok((Self { shared: Arc::clone(&shared) }, Mint { shared }))
    }

    /// The directory the lanes serve.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.shared.directory
    }

    /// The clock transactions read.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.config.clock
    }
}

impl Mint {
    /// A scope of this store. Who may have it is the caller's question; that is what `access` is for.
    #[must_use]
    pub fn scope(&self, entry: Arc<StoreEntry>) -> StoreScope {
        StoreScope { shared: Arc::clone(&self.shared), entry }
    }

    /// A scope of the store with this id, if the directory knows it.
    #[must_use]
    pub fn scope_of(&self, store: StoreId) -> Option<StoreScope> {
        self.shared.directory.by_id(store).map(|entry| self.scope(entry))
    }

    /// The directory scopes are minted from.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.shared.directory
    }
}

impl StoreScope {
    /// The store.
    #[must_use]
    pub fn store(&self) -> StoreId {
        self.entry.id
    }

    /// The store's ledger row as it was when the scope was minted.
    #[must_use]
    pub fn entry(&self) -> &Arc<StoreEntry> {
        &self.entry
    }

    /// The clock transactions read.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.config.clock
    }

    /// Runs `work` in a READ ONLY transaction. `name` says what for, in spans and metrics.
    ///
    /// # Errors
    /// What `work` returned, or a [`TenancyError`] in its type.
    #[expect(
        clippy::manual_async_fn,
        reason = "that the future is Send is promised here, not guessed at each call"
    )]
    pub fn read<'s, T, E, F>(
        &'s self,
        name: &'static str,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send + use<'s, T, E, F>
    where
        for<'t, 'c> F: AsyncFnOnce(&'t mut ReadTx<'c>) -> Result<T, E>
            + Work<&'t mut ReadTx<'c>, Result<T, E>, Fut: Send>,
        F: Send,
        T: Send,
        E: From<TenancyError> + Send,
    {
        async move { self.ground(name, Mode::Read)?.read(work).await }
    }

    /// [`Self::read`] for work that finds its rows by keys: its statements are planned once for all values. Where filters may be missing,
    /// or a value decides which index serves, use `read`.
    ///
    /// # Errors
    /// As [`Self::read`].
    #[expect(
        clippy::manual_async_fn,
        reason = "that the future is Send is promised here, not guessed at each call"
    )]
    pub fn look_up<'s, T, E, F>(
        &'s self,
        name: &'static str,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send + use<'s, T, E, F>
    where
        for<'t, 'c> F: AsyncFnOnce(&'t mut ReadTx<'c>) -> Result<T, E>
            + Work<&'t mut ReadTx<'c>, Result<T, E>, Fut: Send>,
        F: Send,
        T: Send,
        E: From<TenancyError> + Send,
    {
        async move { self.ground(name, Mode::LookUp)?.read(work).await }
    }

    /// Runs `work` in a transaction: COMMIT when it returns `Ok`, ROLLBACK when it returns `Err` or is dropped.
    /// Row locks are held to the end; do nothing slow inside. Statements are planned once for all values, as in [`Self::look_up`]; so a
    /// condition that a partial index needs is written out, not bound.
    ///
    /// # Errors
    /// What `work` returned, or a [`TenancyError`] in its type. `Aborted` if a statement had failed and `work`
    /// returned `Ok` all the same.
    #[expect(
        clippy::manual_async_fn,
        reason = "that the future is Send is promised here, not guessed at each call"
    )]
    pub fn write<'s, T, E, F>(
        &'s self,
        name: &'static str,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send + use<'s, T, E, F>
    where
        for<'t, 'c> F: AsyncFnOnce(&'t mut WriteTx<'c>) -> Result<T, E>
            + Work<&'t mut WriteTx<'c>, Result<T, E>, Fut: Send>,
        F: Send,
        T: Send,
        E: From<TenancyError> + Send,
    {
        async move { self.ground(name, Mode::Write)?.write(work).await }
    }

    fn ground(&self, name: &'static str, mode: Mode) -> Result<Ground<'_>, TenancyError> {
        let Shared { config, directory, lanes } = &*self.shared;
        // The scope may be older than the store's end.
        if !directory.by_id(self.entry.id).is_some_and(|entry| entry.state.has_data()) {
            return Err(TenancyError::StoreGone);
        }
        // A login of its own is the only lane there is.
        let place = if config.own_login.is_some() { 1 } else { self.entry.lane };
        let Some(lane) = lanes.get(usize::from(place).wrapping_sub(1)) else {
            tracing::error!(store = %self.entry.id, lane = self.entry.lane, "no such lane is configured");
            return Err(DbError::Unavailable.into());
        };
        Ok(Ground {
            plane: "store",
            name,
            mode,
            lane,
            prologue: &self.entry.prologue,
            standing: Some(&self.entry.standing),
            store: self.entry.id,
            clock: &config.clock,
            deadline: Instant::now() + config.acquire_timeout,
        })
    }
}
