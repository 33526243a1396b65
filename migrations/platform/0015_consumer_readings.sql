-- How far each consumer has read the topic of events, as the broker was asked last. The relays write it; without a broker it is empty.
CREATE TABLE consumer_readings (
    consumer    text        PRIMARY KEY,
    -- Events of the topic that it has neither heard nor kept in `undelivered`.
    unread      bigint      NOT NULL CHECK (unread >= 0),
    -- When the oldest of them happened; NULL when there is none, or when it could not be looked at in time.
    oldest_at   timestamptz NULL,
    -- Before the broker was asked: what was published by then is counted.
    measured_at timestamptz NOT NULL
);

-- Old ones are forgotten, as published events are.
CREATE INDEX unreadable_messages_age ON unreadable_messages (noticed_at);
-- What no broker would take is found without reading what waits.
CREATE INDEX outbox_dead ON outbox (position) WHERE published_at IS NULL AND dead_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON consumer_readings TO relay;
