//! Work in a store that no person asked for just now: relays, sweepers, pollers.

use std::fmt;
use std::sync::Arc;

use souk_kernel::{Clock, StoreId};
use souk_tenancy::{ControlScope, ReadTx, StoreEntry, StoreScope, TenancyError, Work, WriteTx};

use crate::actor::{Actor, Reach};
use crate::control::ControlActor;

/// The right of a worker to a store; only [`crate::Gate::worker`] makes one. It reaches every row.
#[derive(Clone)]
pub struct WorkerPermit {
    scope: StoreScope,
    actor: Actor,
}

impl fmt::Debug for WorkerPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerPermit").field("store", &self.store()).field("actor", &self.actor).finish()
    }
}

impl WorkerPermit {
    pub(crate) fn new(scope: StoreScope, actor: Actor) -> Self {
        Self { scope, actor }
    }

    /// The worker, for audit entries.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Always [`Reach::Any`].
    pub fn reach(&self) -> Reach {
        self.actor.reach()
    }

    /// Which store.
    pub fn store(&self) -> StoreId {
        self.scope.store()
    }

    /// The store's ledger row as it was when the worker entered.
    pub fn entry(&self) -> &Arc<StoreEntry> {
        self.scope.entry()
    }

    /// The clock transactions read.
    pub fn clock(&self) -> &Clock {
        self.scope.clock()
    }

    /// The scope itself, for crates that work on stores and know no permits (the event relay).
    pub fn scope(&self) -> &StoreScope {
        &self.scope
    }

    /// Runs `work` in a READ ONLY transaction; see [`StoreScope::read`].
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
        self.scope.read(name, work)
    }

    /// Runs `work` in a transaction; see [`StoreScope::write`].
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
        self.scope.write(name, work)
    }
}

/// The right of a worker to the control plane; only [`ControlGate::worker`] makes one.
#[derive(Clone)]
pub struct ControlWorker {
    scope: ControlScope,
    actor: ControlActor,
}

impl ControlWorker {
    pub(crate) fn new(scope: ControlScope, actor: ControlActor) -> Self {
        Self { scope, actor }
    }

    /// The worker, for audit entries.
    pub fn actor(&self) -> &ControlActor {
        &self.actor
    }

    /// The scope: both transactions.
    pub fn scope(&self) -> &ControlScope {
        &self.scope
    }
}
