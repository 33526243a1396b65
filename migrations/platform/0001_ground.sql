-- What every store of this database shares: the ledger of stores, their hosts, the one outbox.
-- Owned by the login role `provisioner`; no store role may read a table here.

CREATE TABLE store_ledger (
    store_id        uuid        PRIMARY KEY,
    schema_name     text        NOT NULL UNIQUE CHECK (schema_name ~ '^s_[0-9a-hjkmnp-tv-z]{26}$'),
    role_name       text        NOT NULL UNIQUE CHECK (role_name ~ '^r_[0-9a-hjkmnp-tv-z]{26}$'),
    lane            integer     NOT NULL CHECK (lane >= 1),
    state           text        NOT NULL
        CHECK (state IN ('spare', 'provisioning', 'live', 'suspended', 'deleting', 'deleted', 'failed')),
    owner_kind      text        NULL,
    owner_ref       text        NULL,
    organization_id uuid        NULL,
    handle          text        NOT NULL DEFAULT '',
    name            text        NOT NULL DEFAULT '',
    hosts           text[]      NOT NULL DEFAULT '{}',
    plan            jsonb       NOT NULL DEFAULT '{}',
    -- The highest fence number an owner acted with; a smaller one comes from somebody who slept too long.
    fence           bigint      NOT NULL DEFAULT 0,
    schema_version  integer     NOT NULL DEFAULT 0,
    last_error      text        NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    purge_after     timestamptz NULL,
    UNIQUE (owner_kind, owner_ref),
    CHECK ((owner_kind IS NULL) = (owner_ref IS NULL)),
    CHECK (state IN ('spare', 'provisioning', 'failed') OR owner_ref IS NOT NULL),
    CHECK (state <> 'spare' OR owner_ref IS NULL)
);
CREATE INDEX store_ledger_spare ON store_ledger (created_at) WHERE state = 'spare';
CREATE INDEX store_ledger_lane ON store_ledger (lane) WHERE state <> 'deleted';

-- One row per host name, kept by a trigger: two stores can never answer at the same host.
CREATE TABLE store_hosts (
    host     text PRIMARY KEY CHECK (host = lower(host) AND host <> ''),
    store_id uuid NOT NULL REFERENCES store_ledger (store_id) ON DELETE CASCADE
);
CREATE INDEX store_hosts_store ON store_hosts (store_id);

CREATE TABLE outbox (
    position       bigserial   PRIMARY KEY,
    event_id       uuid        NOT NULL UNIQUE,
    store_id       uuid        NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   uuid        NOT NULL,
    type           text        NOT NULL,
    version        integer     NOT NULL,
    payload        jsonb       NOT NULL,
    traceparent    text        NULL,
    occurred_at    timestamptz NOT NULL DEFAULT now(),
    available_at   timestamptz NOT NULL DEFAULT now(),
    attempts       integer     NOT NULL DEFAULT 0,
    last_error     text        NULL,
    published_at   timestamptz NULL,
    dead_at        timestamptz NULL
);
CREATE INDEX outbox_waiting ON outbox (available_at, position) WHERE published_at IS NULL AND dead_at IS NULL;
CREATE INDEX outbox_aggregate ON outbox (store_id, aggregate_id, position)
    WHERE published_at IS NULL AND dead_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

-- Rights that the installing login was not entitled to take away (it was no superuser). Empty = every wall stands.
CREATE TABLE missing_walls (
    wall       text        PRIMARY KEY,
    noticed_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT ON store_ledger TO runtime_directory;
GRANT SELECT, UPDATE, DELETE ON outbox TO relay;
GRANT SELECT ON store_ledger TO relay;
