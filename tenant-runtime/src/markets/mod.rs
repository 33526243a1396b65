//! Where a store sells: countries with their currency and language.
