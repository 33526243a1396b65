//! Settings over HTTP, in a real store.
