//! How Souk speaks HTTP: problems, bodies, pages, preconditions, health.
