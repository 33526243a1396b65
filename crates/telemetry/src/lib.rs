//! Logs, spans, metrics, health and shutdown: the same in every plane.
