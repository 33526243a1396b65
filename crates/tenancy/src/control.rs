//! The control plane's own schema, through the same two transactions.

use std::sync::Arc;
use std::time::Instant;

use souk_kernel::Clock;
use souk_kernel::id::StoreId;
use uuid::Uuid;

use crate::config::ControlConfig;
use crate::error::TenancyError;
use crate::lane::Lane;
use crate::prologue::Prologue;
use crate::run::{Ground, Mode};
use crate::transaction::{ReadTx, WriteTx};
use crate::work::Work;

const LOGIN: &str = "control_plane";

struct Shared {
    config: ControlConfig,
    lane: Lane,
    prologue: Prologue,
}

/// The control plane's connections (login `control_plane`), opened when first needed.
#[derive(Clone)]
pub struct ControlPool {
    shared: Arc<Shared>,
}

/// The right to make [`ControlScope`]s. There is one, made by [`ControlPool::start`].
pub struct ControlMint {
    shared: Arc<Shared>,
}

/// The right to open transactions in the schema `control`. Only a [`ControlMint`] makes one. Cheap to clone.
#[derive(Clone)]
pub struct ControlScope {
    shared: Arc<Shared>,
}

impl ControlPool {
    /// Lays out the pool; opens no connection.
    ///
    /// # Errors
    /// Only if the pool cannot be built from this configuration.
    pub fn start(config: ControlConfig) -> Result<(Self, ControlMint), TenancyError> {
        let login = config.database.login(LOGIN, &config.password);
        let lane = Lane::new(login, config.connections, config.max_age)?;
        let prologue = Prologue::of_control(config.limits());
        let shared = Arc::new(Shared { config, lane, prologue });
        Ok((Self { shared: Arc::clone(&shared) }, ControlMint { shared }))
    }

    /// The clock transactions read.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.config.clock
    }
}

impl ControlMint {
    /// A scope. Who may have it is the caller's question; that is what `access` is for.
    #[must_use]
    pub fn scope(&self) -> ControlScope {
        ControlScope { shared: Arc::clone(&self.shared) }
    }
}

impl ControlScope {
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
        async move { self.ground(name, Mode::Read).read(work).await }
    }

    /// Runs `work` in a transaction: COMMIT when it returns `Ok`, ROLLBACK when it returns `Err` or is dropped.
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
        async move { self.ground(name, Mode::Write).write(work).await }
    }

    fn ground(&self, name: &'static str, mode: Mode) -> Ground<'_> {
        let Shared { config, lane, prologue } = &*self.shared;
        Ground {
            plane: "control",
            name,
            mode,
            lane,
            prologue,
            standing: None,
            store: StoreId::from_uuid(Uuid::nil()),
            clock: &config.clock,
            deadline: Instant::now() + config.acquire_timeout,
        }
    }
}
