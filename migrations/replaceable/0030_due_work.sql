-- Triggers of stores' tables that note when there is work. They take the store from the table's schema, which only its owner, the
-- provisioner, can hang a trigger into; the argument is the kind of work.

CREATE OR REPLACE FUNCTION platform.note_due(schema_name name, kind text, due_at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO platform.due_work (store_id, kind, due_at)
    SELECT l.store_id, $2, $3 FROM platform.store_ledger l WHERE l.schema_name = $1::text
$$;
REVOKE ALL ON FUNCTION platform.note_due(name, text, timestamptz) FROM PUBLIC;

-- For rows with `next_attempt_at`.
CREATE OR REPLACE FUNCTION platform.note_next_attempt() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO platform.due_work (store_id, kind, due_at)
    SELECT l.store_id, TG_ARGV[0], NEW.next_attempt_at FROM platform.store_ledger l WHERE l.schema_name = TG_TABLE_SCHEMA::text;
    RETURN NULL;
END $$;

-- For rows with `next_poll_at`.
CREATE OR REPLACE FUNCTION platform.note_next_poll() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO platform.due_work (store_id, kind, due_at)
    SELECT l.store_id, TG_ARGV[0], NEW.next_poll_at FROM platform.store_ledger l WHERE l.schema_name = TG_TABLE_SCHEMA::text;
    RETURN NULL;
END $$;

-- For statements that add rows with `expires_at`: one wish for all of them. What one statement adds, expires together.
CREATE OR REPLACE FUNCTION platform.note_expiry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO platform.due_work (store_id, kind, due_at)
    SELECT l.store_id, TG_ARGV[0], added.due_at
    FROM platform.store_ledger l, (SELECT DISTINCT a.expires_at AS due_at FROM added a) added
    WHERE l.schema_name = TG_TABLE_SCHEMA::text;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION platform.note_next_attempt(), platform.note_next_poll(), platform.note_expiry() FROM PUBLIC;

-- A store that is gone has nothing to do.
CREATE OR REPLACE FUNCTION platform.forget_due_work() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    DELETE FROM platform.due_work d WHERE d.store_id = NEW.store_id;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION platform.forget_due_work() FROM PUBLIC;

CREATE OR REPLACE TRIGGER store_ledger_due_work AFTER UPDATE ON platform.store_ledger
FOR EACH ROW WHEN (NEW.state = 'deleted' AND OLD.state <> 'deleted') EXECUTE FUNCTION platform.forget_due_work();
