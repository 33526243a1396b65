//! The same provider on Stripe's wire: the parts of the v1 API that stores use, with forms, idempotency keys, expansion and signed events.
//!
//! An account is whoever shows its secret key. What it has lives in memory.

mod account;
mod control;
mod form;
mod refusal;
pub mod routes;
pub mod sender;

use self::account::Account;
use self::sender::Sender;
use souk_kernel::Clock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all workers of the server share.
#[derive(Clone)]
pub struct Stripe {
    accounts: Arc<Mutex<HashMap<String, Account>>>,
    sender: Sender,
    clock: Clock,
    public_url: String,
}

impl Stripe {
    /// Nobody's accounts yet; pages are below `public_url`.
    pub(crate) fn new(client: reqwest::Client, clock: Clock, public_url: String) -> Self {
        Self { accounts: Arc::default(), sender: Sender::new(client), clock, public_url }
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<String, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something in an account as one step, then sends the events that arose.
    fn within<T>(&self, key: &str, work: impl FnOnce(&mut Account) -> T) -> T {
        let mut accounts = self.accounts();
        let account = accounts.entry(key.to_owned()).or_insert_with(|| Account::new(self.public_url.clone()));
        account.now = self.clock.now().timestamp();
        let done = work(account);
        self.sender.send(account.unsent(), &self.clock);
        done
    }

    /// Does something where a thing with this name is.
    fn beside<T>(&self, id: &str, work: impl FnOnce(&mut Account) -> T) -> Option<T> {
        let key = self.accounts().iter().find(|(_, account)| account.has(id)).map(|(key, _)| key.clone())?;
        Some(self.within(&key, work))
    }
}
