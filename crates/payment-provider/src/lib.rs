//! A payment provider of our own for development and tests: a separate process that speaks HTTP and misbehaves on request.
