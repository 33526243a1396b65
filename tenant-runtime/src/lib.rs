//! The commerce API that every store runs.
