//! Orders over HTTP.
