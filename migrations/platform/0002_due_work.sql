-- What stores have to do at a time: reservations that run out, mails to send, payments to ask about, tables to sweep. One row per wish,
-- written in the transaction that makes it due and deleted when it is done; so an idle platform asks one index one question.
CREATE TABLE due_work (
    position bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store_id uuid        NOT NULL,
    kind     text        NOT NULL,
    -- Claiming moves it forward by a lease: what a dead worker held comes back by itself.
    due_at   timestamptz NOT NULL,
    attempts integer     NOT NULL DEFAULT 0
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX due_work_next ON due_work (due_at);
CREATE INDEX due_work_store ON due_work (store_id);

GRANT SELECT, UPDATE, DELETE ON due_work TO relay;
