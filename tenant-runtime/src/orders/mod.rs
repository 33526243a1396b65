//! What was agreed: an immutable copy of the sale and what became of it.
