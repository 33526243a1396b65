-- A time-ordered id (RFC 9562, version 7) on PostgreSQL before 18. From 18 on pg_catalog has one of the same name, which is found first.
-- 48 bits of milliseconds over a random version 4 id, then the version's two differing bits: 4 (0100) becomes 7 (0111).
CREATE OR REPLACE FUNCTION extensions.uuidv7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(
        set_bit(set_bit(
            overlay(uuid_send(gen_random_uuid()) PLACING
                    substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
            52, 1), 53, 1), 'hex')::uuid
$$;
GRANT EXECUTE ON FUNCTION extensions.uuidv7() TO PUBLIC;
