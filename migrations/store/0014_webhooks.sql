-- Where a merchant wants to hear what happens, and what became of telling.

CREATE TABLE webhook_endpoints (
    id               uuid PRIMARY KEY,
    url              text NOT NULL,
    description      text NOT NULL DEFAULT '',
    -- Kinds of events; empty = all.
    kinds            text[] NOT NULL DEFAULT '{}',
    -- 'aggregate': an event waits for those before it of the same aggregate; 'none': nothing waits.
    ordering         text NOT NULL DEFAULT 'none' CHECK (ordering IN ('none', 'aggregate')),
    state            text NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled')),
    disabled_reason  text,
    secret           bytea NOT NULL,
    -- Signs too until then, so that receivers can change over.
    old_secret       bytea,
    old_secret_until timestamptz,
    -- Since when nothing has been delivered; null while it works.
    failing_since    timestamptz,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);

CREATE TABLE webhook_deliveries (
    id              uuid PRIMARY KEY,
    endpoint_id     uuid NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    event_id        uuid NOT NULL,
    -- 0 the first telling; each resend counts one more. The event's id, and so `webhook-id`, stays.
    round           integer NOT NULL DEFAULT 0,
    kind            text NOT NULL,
    aggregate_id    uuid NOT NULL,
    sequence        bigint NOT NULL,
    body            text NOT NULL,
    state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    last_status     integer,
    last_error      text,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    UNIQUE (endpoint_id, event_id, round),
    CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL))
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_aggregate ON webhook_deliveries (endpoint_id, aggregate_id, sequence) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_list ON webhook_deliveries (endpoint_id, id);

-- Every attempt, with what was sent and what came back (its first 4 KiB).
CREATE TABLE webhook_attempts (
    delivery_id     uuid NOT NULL REFERENCES webhook_deliveries ON DELETE CASCADE,
    number          integer NOT NULL,
    at              timestamptz NOT NULL,
    took_ms         integer NOT NULL,
    request_headers jsonb NOT NULL,
    status          integer,
    response_body   text,
    error           text,
    PRIMARY KEY (delivery_id, number)
);

-- Due work is noted where it becomes due.
CREATE TRIGGER webhook_deliveries_due_born AFTER INSERT ON webhook_deliveries
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL) EXECUTE FUNCTION platform.note_next_attempt('webhook');
CREATE TRIGGER webhook_deliveries_due AFTER UPDATE OF next_attempt_at ON webhook_deliveries
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND NEW.next_attempt_at IS DISTINCT FROM OLD.next_attempt_at)
    EXECUTE FUNCTION platform.note_next_attempt('webhook');
