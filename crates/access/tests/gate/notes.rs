//! A log of privileged acts that is kept in memory.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use souk_access::{Chronicle, Deed};
use souk_tenancy::{DbError, ReadTx, WriteTx};

/// What was written down: the act, and who did it.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Chronicle for Notes {
    fn look<'t, 'c: 't>(
        &'t self,
        _: &'t mut ReadTx<'c>,
        deed: &'t Deed,
    ) -> BoxFuture<'t, Result<Option<String>, DbError>> {
        async { Ok(Some(format!("before {}", deed.path))) }.boxed()
    }

    fn state<'t, 'c: 't>(
        &'t self,
        _: &'t mut WriteTx<'c>,
        deed: &'t Deed,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        let kind = deed.actor.split(':').next().unwrap_or_default();
        let before = deed.before.as_deref().unwrap_or_default();
        self.0.lock().unwrap().push(format!(
            "{kind} {} {} because {:?}; {before}",
            deed.name, deed.permission, deed.cause.reason
        ));
        async { Ok(()) }.boxed()
    }
}
