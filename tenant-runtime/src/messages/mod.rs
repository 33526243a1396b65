//! Mail a store sends when something happened.
