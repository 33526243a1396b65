//! What happened, told once it is true: outbox, relay, consumers.
