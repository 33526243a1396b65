//! The sale over HTTP.
