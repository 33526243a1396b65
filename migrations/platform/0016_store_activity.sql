-- When each store was last asked for something, as the runtimes note it: at most twice a minute for each of them and each store. The
-- operator lets the pods of stores sleep by it, and starts them again.
CREATE TABLE store_activity (
    store_id        uuid        PRIMARY KEY REFERENCES store_ledger (store_id) ON DELETE CASCADE,
    last_request_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 60);
-- No index on the time: it would make of every note a new row in two places, and whoever looks reads a page or two.
