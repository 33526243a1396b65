-- The door by which a runtime says which stores were asked for something. The shared runtime may say it of every store; a login of a
-- store's own pods of its own store only; anybody else's session says nothing. In order of id: two runtimes at once do not lock each other out.
CREATE OR REPLACE FUNCTION platform.note_activity(stores uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO platform.store_activity AS a (store_id, last_request_at)
    SELECT l.store_id, pg_catalog.now() FROM platform.store_ledger l
    WHERE l.store_id = ANY (stores)
        AND (session_user = 'runtime_directory' OR l.store_id IN (SELECT o.store_id FROM platform.own_ledger_rows() o))
    ORDER BY l.store_id
    ON CONFLICT (store_id) DO UPDATE SET last_request_at = greatest(a.last_request_at, excluded.last_request_at)
$$;

GRANT EXECUTE ON FUNCTION platform.note_activity(uuid[]) TO PUBLIC;
