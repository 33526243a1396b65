-- A part of held money may be taken, and the rest let go. What staff decided stands here before the provider is asked, so that a provider that
-- speaks of another amount than was asked for is told from one that did as it was told. Null is all of it, as ever.
ALTER TABLE payment_sessions ADD COLUMN capture_minor bigint;
ALTER TABLE payment_sessions
    ADD CONSTRAINT payment_sessions_capture CHECK (capture_minor > 0 AND capture_minor < amount_minor) NOT VALID;
