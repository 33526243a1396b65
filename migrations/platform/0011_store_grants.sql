-- People of the platform in a store: for a time, with a reason, seen by its owner and taken back by them. The control plane writes, stores
-- read their own through `platform.own_grant`.

CREATE TABLE store_grants (
    id           uuid        PRIMARY KEY,
    store_id     uuid        NOT NULL REFERENCES store_ledger (store_id) ON DELETE CASCADE,
    account_id   uuid        NOT NULL,
    -- As the owner sees them.
    holder       text        NOT NULL CHECK (length(holder) BETWEEN 1 AND 320),
    reason       text        NOT NULL CHECK (length(reason) BETWEEN 10 AND 300),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    withdrawn_at timestamptz,
    CHECK (expires_at > created_at AND expires_at <= created_at + interval '60 minutes')
);
CREATE INDEX store_grants_store ON store_grants (store_id, id DESC);

GRANT SELECT, INSERT ON store_grants TO control_plane;
GRANT UPDATE (withdrawn_at) ON store_grants TO control_plane;
