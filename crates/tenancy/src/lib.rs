//! The only way to a database: lanes of connections, store scopes, read and write transactions.
