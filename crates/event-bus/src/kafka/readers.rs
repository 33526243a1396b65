//! The readers of a process, for whoever asks about their groups.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rdkafka::consumer::StreamConsumer;

use super::context::Hearing;

pub(crate) type Reader = StreamConsumer<Hearing>;

/// Each consumer's reader while it is open. Nothing is kept open from here.
#[derive(Default)]
pub(crate) struct Readers(Mutex<HashMap<&'static str, Weak<Reader>>>);

impl Readers {
    /// In place of the one before it, if there was one.
    pub(crate) fn put(&self, consumer: &'static str, reader: &Arc<Reader>) {
        let mut readers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        readers.insert(consumer, Arc::downgrade(reader));
    }

    /// Closes when the last who has it lets go, which blocks.
    pub(crate) fn get(&self, consumer: &str) -> Option<Arc<Reader>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(consumer)?.upgrade()
    }
}
