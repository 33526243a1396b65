-- Events are numbered per aggregate, readable in the order they became true, and each consumer has its own list of
-- what it has not managed to hear.

-- The last number given to an aggregate. Its row is locked until the emitting transaction ends, so numbers have no
-- gaps and both they and the positions follow the order of commits within an aggregate.
CREATE TABLE aggregates (
    store_id       uuid   NOT NULL,
    aggregate_type text   NOT NULL,
    aggregate_id   uuid   NOT NULL,
    last_sequence  bigint NOT NULL CHECK (last_sequence >= 1),
    PRIMARY KEY (store_id, aggregate_type, aggregate_id)
);

ALTER TABLE outbox
    ADD COLUMN sequence bigint,
    -- Whoever reads on from a cursor reads only what is older than every open transaction: positions are given before
    -- commit, so "position > last" would skip what commits late.
    ADD COLUMN transaction xid8 NOT NULL DEFAULT pg_current_xact_id();

UPDATE outbox o SET sequence = n.sequence
FROM (SELECT position, row_number() OVER (PARTITION BY store_id, aggregate_type, aggregate_id ORDER BY position) AS sequence
      FROM outbox) n
WHERE n.position = o.position;
INSERT INTO aggregates SELECT store_id, aggregate_type, aggregate_id, max(sequence) FROM outbox GROUP BY 1, 2, 3;

CREATE INDEX outbox_feed ON outbox (store_id, transaction, position);

-- What one consumer is to hear again later: it failed, or it waits behind an event of the same aggregate that failed,
-- or an operator asked for a replay. `dead_at`: a dead letter, given up until somebody revives it. The event is kept
-- whole, because it may come from Kafka and outlive its outbox row.
CREATE TABLE undelivered (
    id             bigserial   PRIMARY KEY,
    consumer       text        NOT NULL,
    -- Empty for the first hearing; a replay's name otherwise, under which it is heard once more.
    replay         text        NOT NULL DEFAULT '',
    event_id       uuid        NOT NULL,
    store_id       uuid        NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   uuid        NOT NULL,
    sequence       bigint      NOT NULL,
    type           text        NOT NULL,
    version        integer     NOT NULL,
    payload        jsonb       NOT NULL,
    traceparent    text        NULL,
    occurred_at    timestamptz NOT NULL,
    attempts       integer     NOT NULL DEFAULT 0,
    last_error     text        NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    available_at   timestamptz NOT NULL DEFAULT now(),
    dead_at        timestamptz NULL,
    UNIQUE (consumer, event_id, replay)
);
CREATE INDEX undelivered_due ON undelivered (available_at) WHERE dead_at IS NULL;
CREATE INDEX undelivered_aggregate ON undelivered (consumer, store_id, aggregate_id, sequence) WHERE dead_at IS NULL;
CREATE INDEX undelivered_dead ON undelivered (store_id, dead_at) WHERE dead_at IS NOT NULL;

-- Messages of a topic that are no events of ours: kept where somebody sees them, instead of blocking a partition.
CREATE TABLE unreadable_messages (
    topic        text        NOT NULL,
    partition    integer     NOT NULL,
    kafka_offset bigint      NOT NULL,
    key          bytea       NULL,
    -- The first 64 KiB.
    payload      bytea       NOT NULL,
    reason       text        NOT NULL,
    noticed_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, kafka_offset)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON undelivered, unreadable_messages TO relay;
GRANT USAGE ON SEQUENCE undelivered_id_seq TO relay;
