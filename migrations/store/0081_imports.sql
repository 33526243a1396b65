-- Files of products: kept in pieces while workers take them, with the mark of how far they are.

CREATE TABLE imports (
    id              uuid PRIMARY KEY,
    format          text NOT NULL CHECK (format IN ('csv', 'jsonl')),
    match_by        text NOT NULL CHECK (match_by IN ('handle', 'sku')),
    dry_run         boolean NOT NULL,
    -- Whether whoever sent it may change the stock of what is there.
    may_adjust      boolean NOT NULL,
    actor           text NOT NULL,
    state           text NOT NULL CHECK (state IN ('uploading', 'queued', 'running', 'done', 'failed', 'cancelled')),
    -- One of the few places that a store has for imports that are not over.
    slot            integer UNIQUE,
    -- Of a table: its separator and the names of its columns.
    delimiter       text NOT NULL DEFAULT ',',
    header          text[] NOT NULL DEFAULT '{}',
    ignored_columns text[] NOT NULL DEFAULT '{}',
    bytes           bigint NOT NULL DEFAULT 0,
    rows_total      bigint NOT NULL DEFAULT 0,
    rows_done       bigint NOT NULL DEFAULT 0,
    created         bigint NOT NULL DEFAULT 0,
    updated         bigint NOT NULL DEFAULT 0,
    unchanged       bigint NOT NULL DEFAULT 0,
    failed          bigint NOT NULL DEFAULT 0,
    errors          bigint NOT NULL DEFAULT 0,
    warnings        bigint NOT NULL DEFAULT 0,
    -- Where the next product begins, and the last row before it.
    at_byte         bigint NOT NULL DEFAULT 0,
    at_row          bigint NOT NULL DEFAULT 0,
    -- Visits in a row that came to nothing.
    attempts        integer NOT NULL DEFAULT 0,
    cause           text,
    next_attempt_at timestamptz,
    created_at      timestamptz NOT NULL,
    -- When something of the file came last.
    touched_at      timestamptz NOT NULL,
    started_at      timestamptz,
    finished_at     timestamptz,
    CHECK ((next_attempt_at IS NOT NULL) = (state IN ('queued', 'running'))),
    CHECK ((slot IS NOT NULL) = (state IN ('uploading', 'queued', 'running')))
);
CREATE INDEX imports_due ON imports (id) WHERE next_attempt_at IS NOT NULL;
CREATE TRIGGER imports_due AFTER UPDATE OF next_attempt_at ON imports
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND OLD.next_attempt_at IS NULL)
    EXECUTE FUNCTION platform.note_next_attempt('import');

-- The file. All pieces but the last have the same size; they go when the import is over.
CREATE TABLE import_pieces (
    import_id uuid NOT NULL REFERENCES imports ON DELETE CASCADE,
    number    integer NOT NULL,
    bytes     bytea NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- What is wrong with which row: the first of them.
CREATE TABLE import_entries (
    import_id  uuid NOT NULL REFERENCES imports ON DELETE CASCADE,
    number     bigint NOT NULL,
    level      text NOT NULL CHECK (level IN ('error', 'warning')),
    row_number bigint NOT NULL,
    field      text NOT NULL,
    product    text,
    code       text NOT NULL,
    message    text NOT NULL,
    PRIMARY KEY (import_id, number)
);
