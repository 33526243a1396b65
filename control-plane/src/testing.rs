//! The plane in a test: built with what production is built with.
