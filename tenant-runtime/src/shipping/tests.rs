//! Shipping zones over HTTP, in a real store.
