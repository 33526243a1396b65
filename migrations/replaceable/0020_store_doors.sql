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

CREATE OR REPLACE FUNCTION platform.emit(
    event_id uuid, aggregate_type text, aggregate_id uuid, type text, version integer, payload jsonb, traceparent text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO platform.outbox (event_id, store_id, aggregate_type, aggregate_id, type, version, payload, traceparent)
    VALUES ($1, platform.current_store(), $2, $3, $4, $5, $6, $7);
    PERFORM pg_catalog.pg_notify('outbox', '');
END $$;

CREATE OR REPLACE FUNCTION platform.bump_catalogue() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM pg_catalog.pg_notify('catalogue', platform.current_store()::text);
END $$;

REVOKE ALL ON FUNCTION platform.current_store() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.own_store() TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.emit(uuid, text, uuid, text, integer, jsonb, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.bump_catalogue() TO PUBLIC;
