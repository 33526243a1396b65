//! Money in and out: sessions, payments, transactions, refunds, and the providers behind a trait.
