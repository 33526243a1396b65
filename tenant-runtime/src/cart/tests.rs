//! Carts over HTTP, in a real store.
