-- The doors by which a store's transaction reaches beyond its schema. Each takes the store from the current role
-- (`SET LOCAL ROLE r_…`, which a store cannot change: set_config is revoked) and nothing about it from the caller.

CREATE OR REPLACE FUNCTION platform.current_store() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    store uuid;
BEGIN
    SELECT l.store_id INTO store FROM platform.store_ledger l
    WHERE l.role_name = pg_catalog.current_setting('role');
    IF store IS NULL THEN
        RAISE EXCEPTION 'no store transaction is open' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN store;
END $$;

-- A store's own row of the ledger, and no other.
CREATE OR REPLACE FUNCTION platform.own_store()
RETURNS TABLE (store_id uuid, state text, handle text, name text, hosts text[], plan jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT l.store_id, l.state, l.handle, l.name, l.hosts, l.plan
    FROM platform.store_ledger l WHERE l.role_name = pg_catalog.current_setting('role')
$$;

-- For a login of a store's own pods: the rows of the stores it may become, which is one. Nothing for anybody else's session.
CREATE OR REPLACE FUNCTION platform.own_ledger_rows() RETURNS SETOF platform.store_ledger
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT l.* FROM platform.store_ledger l
    JOIN pg_catalog.pg_roles store ON store.rolname = l.role_name
    JOIN pg_catalog.pg_auth_members m ON m.roleid = store.oid
    JOIN pg_catalog.pg_roles login ON login.oid = m.member
    WHERE login.rolname = session_user AND login.rolname LIKE 'l\_%'
$$;

CREATE OR REPLACE FUNCTION platform.emit(
    event_id uuid, aggregate_type text, aggregate_id uuid, type text, version integer, payload jsonb, traceparent text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    store  uuid := platform.current_store();
    number bigint;
BEGIN
    INSERT INTO platform.aggregates AS a (store_id, aggregate_type, aggregate_id, last_sequence)
    VALUES (store, $2, $3, 1)
    ON CONFLICT ON CONSTRAINT aggregates_pkey DO UPDATE SET last_sequence = a.last_sequence + 1
    RETURNING a.last_sequence INTO number;
    INSERT INTO platform.outbox
        (event_id, store_id, aggregate_type, aggregate_id, sequence, type, version, payload, traceparent)
    VALUES ($1, store, $2, $3, number, $4, $5, $6, $7);
    -- No notification: each would queue this commit behind every other that notifies; relays look often instead.
END $$;

-- A store's own events, in the order they became true, after a cursor (transaction, position). Events of transactions
-- that may still commit are not told yet, so that a reader who goes on from the last one misses none.
CREATE OR REPLACE FUNCTION platform.own_events(after_transaction bigint, after_position bigint, kinds text[], most integer)
RETURNS TABLE (transaction bigint, "position" bigint, event_id uuid, aggregate_type text, aggregate_id uuid,
    sequence bigint, type text, version integer, occurred_at timestamptz, payload jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT o.transaction::text::bigint, o.position, o.event_id, o.aggregate_type, o.aggregate_id,
        coalesce(o.sequence, 0), o.type, o.version, o.occurred_at, o.payload
    FROM platform.outbox o
    WHERE o.store_id = platform.current_store()
        AND (o.transaction, o.position) > (after_transaction::text::xid8, after_position)
        AND o.transaction < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())
        AND (kinds IS NULL OR o.type = ANY (kinds))
    ORDER BY o.transaction, o.position LIMIT most
$$;

-- A living grant of somebody of the platform to this store, and to no other.
CREATE OR REPLACE FUNCTION platform.own_grant(grant_id uuid)
RETURNS TABLE (account_id uuid, reason text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT g.account_id, g.reason, g.expires_at FROM platform.store_grants g
    WHERE g.id = grant_id AND g.store_id = platform.current_store() AND g.withdrawn_at IS NULL
$$;

REVOKE ALL ON FUNCTION platform.current_store() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.own_store() TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.own_grant(uuid) TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.own_ledger_rows() TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.emit(uuid, text, uuid, text, integer, jsonb, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.own_events(bigint, bigint, text[], integer) TO PUBLIC;
