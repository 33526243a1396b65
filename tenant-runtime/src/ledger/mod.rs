//! The books: double-entry journal posted in the transaction of the fact.
