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

-- A store's own events of a time, or one of them, whole: for whoever is told what they missed.
CREATE OR REPLACE FUNCTION platform.own_events_of(only_event uuid, from_time timestamptz, until_time timestamptz, kinds text[])
RETURNS TABLE (event_id uuid, aggregate_type text, aggregate_id uuid, sequence bigint, type text, version integer, occurred_at timestamptz,
    payload jsonb, traceparent text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT o.event_id, o.aggregate_type, o.aggregate_id, coalesce(o.sequence, 0), o.type, o.version, o.occurred_at, o.payload, o.traceparent
    FROM platform.outbox o
    WHERE o.store_id = platform.current_store() AND ($1 IS NULL OR o.event_id = $1)
        AND ($2 IS NULL OR o.occurred_at >= $2) AND ($3 IS NULL OR o.occurred_at < $3) AND ($4 IS NULL OR o.type = ANY ($4))
$$;

-- A living grant of somebody of the platform to this store, and to no other.
CREATE OR REPLACE FUNCTION platform.own_grant(grant_id uuid)
RETURNS TABLE (account_id uuid, reason text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT g.account_id, g.reason, g.expires_at FROM platform.store_grants g
    WHERE g.id = grant_id AND g.store_id = platform.current_store() AND g.withdrawn_at IS NULL
$$;

-- Whether a session at the control plane ended lately. NULL is the session of a token that names none. It tells nothing of any store.
CREATE OR REPLACE FUNCTION platform.session_ended(which uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT EXISTS (SELECT FROM platform.ended_sessions e WHERE e.session_id = which)
$$;

-- A store's own dead letters, newest first: all, those of a consumer, or one.
CREATE OR REPLACE FUNCTION platform.own_dead_letters(only_id bigint, only_consumer text, before_id bigint, most integer)
RETURNS TABLE (id bigint, consumer text, event_id uuid, aggregate_type text, aggregate_id uuid, sequence bigint, type text, version integer,
    payload jsonb, attempts integer, last_error text, occurred_at timestamptz, dead_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT u.id, u.consumer, u.event_id, u.aggregate_type, u.aggregate_id, u.sequence, u.type, u.version, u.payload, u.attempts,
        u.last_error, u.occurred_at, u.dead_at
    FROM platform.undelivered u
    WHERE u.store_id = platform.current_store() AND u.dead_at IS NOT NULL AND ($1 IS NULL OR u.id = $1)
        AND ($2 IS NULL OR u.consumer = $2) AND ($3 IS NULL OR u.id < $3)
    ORDER BY u.id DESC LIMIT $4
$$;

-- Gives a store's own dead letters another life: one, or all of a consumer.
CREATE OR REPLACE FUNCTION platform.revive_own(only_id bigint, only_consumer text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    WITH revived AS (
        UPDATE platform.undelivered u SET dead_at = NULL, attempts = 0, available_at = pg_catalog.now()
        WHERE u.store_id = platform.current_store() AND u.dead_at IS NOT NULL AND ($1 IS NULL OR u.id = $1)
            AND ($2 IS NULL OR u.consumer = $2) AND ($1 IS NOT NULL OR $2 IS NOT NULL) RETURNING 1)
    SELECT pg_catalog.count(*) FROM revived
$$;

-- Forgets one of a store's own dead letters; the event stays where events are.
CREATE OR REPLACE FUNCTION platform.discard_own(only_id bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    WITH gone AS (
        DELETE FROM platform.undelivered u
        WHERE u.store_id = platform.current_store() AND u.dead_at IS NOT NULL AND u.id = $1 RETURNING 1)
    SELECT pg_catalog.count(*) FROM gone
$$;

-- Has a consumer hear a store's own published events once more, in order per aggregate. The same name and range add nothing. NULL when the
-- one event that is named is none of the store's.
CREATE OR REPLACE FUNCTION platform.replay_own(
    for_consumer text, replay_name text, only_event uuid, from_time timestamptz, until_time timestamptz, kinds text[]
) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    WITH planned AS (
        INSERT INTO platform.undelivered (consumer, replay, event_id, store_id, aggregate_type, aggregate_id, sequence, type, version,
            payload, traceparent, occurred_at)
        SELECT $1, $2, o.event_id, o.store_id, o.aggregate_type, o.aggregate_id, coalesce(o.sequence, 0), o.type, o.version, o.payload,
            o.traceparent, o.occurred_at
        FROM platform.outbox o
        WHERE o.store_id = platform.current_store() AND o.published_at IS NOT NULL AND ($3 IS NULL OR o.event_id = $3)
            AND ($4 IS NULL OR o.occurred_at >= $4) AND ($5 IS NULL OR o.occurred_at < $5) AND ($6 IS NULL OR o.type = ANY ($6))
        ORDER BY o.position
        ON CONFLICT (consumer, event_id, replay) DO NOTHING RETURNING 1)
    SELECT CASE WHEN $3 IS NULL OR EXISTS (
            SELECT FROM platform.outbox o WHERE o.event_id = $3 AND o.store_id = platform.current_store())
        THEN pg_catalog.count(*) END FROM planned
$$;

-- How far the consumers are with a store's own events; those that have heard everything are missing.
CREATE OR REPLACE FUNCTION platform.own_standings()
RETURNS TABLE (consumer text, waiting bigint, dead bigint, oldest_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT u.consumer, pg_catalog.count(*) FILTER (WHERE u.dead_at IS NULL), pg_catalog.count(*) FILTER (WHERE u.dead_at IS NOT NULL),
        pg_catalog.min(u.occurred_at) FILTER (WHERE u.dead_at IS NULL)
    FROM platform.undelivered u WHERE u.store_id = platform.current_store() GROUP BY u.consumer
$$;

-- Since when consumers have not read the topic to its end. The topic is everybody's, so nothing else is said of it to a store.
CREATE OR REPLACE FUNCTION platform.unread_since() RETURNS TABLE (consumer text, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT r.consumer, coalesce(r.oldest_at, r.measured_at) FROM platform.consumer_readings r WHERE r.unread > 0
$$;

REVOKE ALL ON FUNCTION platform.current_store() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.own_store() TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.own_grant(uuid) TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.session_ended(uuid) TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.own_ledger_rows() TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.emit(uuid, text, uuid, text, integer, jsonb, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.own_events(bigint, bigint, text[], integer) TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.own_events_of(uuid, timestamptz, timestamptz, text[]) TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.own_dead_letters(bigint, text, bigint, integer) TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.revive_own(bigint, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.discard_own(bigint) TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.replay_own(text, text, uuid, timestamptz, timestamptz, text[]) TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.own_standings() TO PUBLIC;
GRANT EXECUTE ON FUNCTION platform.unread_since() TO PUBLIC;
