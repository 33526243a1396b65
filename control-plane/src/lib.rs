//! The people who own businesses, and the businesses they own.
