//! Export and erasure over HTTP.
