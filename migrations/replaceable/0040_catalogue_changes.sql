-- Tells the runtimes that what shoppers see of a store has changed; the store is the one whose table it is. PostgreSQL sends one of several
-- equal notifications of a transaction.
CREATE OR REPLACE FUNCTION platform.catalogue_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    store uuid;
BEGIN
    SELECT l.store_id INTO store FROM platform.store_ledger l WHERE l.schema_name = TG_TABLE_SCHEMA::text;
    IF store IS NOT NULL THEN
        PERFORM pg_catalog.pg_notify('catalogue', store::text);
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION platform.catalogue_changed() FROM PUBLIC;

-- The triggers tell it now; a door that nobody uses stays no door.
DROP FUNCTION IF EXISTS platform.bump_catalogue();
