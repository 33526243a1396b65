//! The catalogue over HTTP.
