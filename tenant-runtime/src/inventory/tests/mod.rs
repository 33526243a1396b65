//! Stock over HTTP, and against a model of it.

mod adjusting;
mod model_based;
