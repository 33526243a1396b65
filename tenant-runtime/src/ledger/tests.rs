//! The books over HTTP.
