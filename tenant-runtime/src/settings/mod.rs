//! What a store is called, where it sits and how it counts: its one row of settings.
