//! Tax rates over HTTP, in a real store.
