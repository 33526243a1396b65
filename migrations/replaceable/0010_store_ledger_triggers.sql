-- Runtimes follow the ledger by LISTEN store_ledger; hosts are kept unique across stores.

CREATE OR REPLACE FUNCTION platform.store_ledger_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM pg_catalog.pg_notify('store_ledger', NEW.store_id::text);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER store_ledger_born AFTER INSERT ON platform.store_ledger
FOR EACH ROW WHEN (NEW.state NOT IN ('spare', 'provisioning'))
EXECUTE FUNCTION platform.store_ledger_changed();

-- A sweep over thousands of schemas changes only schema_version and schema_digest: nobody needs to wake up for that.
CREATE OR REPLACE TRIGGER store_ledger_changed AFTER UPDATE ON platform.store_ledger
FOR EACH ROW WHEN (
    (OLD.state, OLD.lane, OLD.organization_id, OLD.handle, OLD.name, OLD.hosts, OLD.plan, OLD.fence, OLD.purge_after)
    IS DISTINCT FROM
    (NEW.state, NEW.lane, NEW.organization_id, NEW.handle, NEW.name, NEW.hosts, NEW.plan, NEW.fence, NEW.purge_after)
    AND NEW.state <> 'spare')
EXECUTE FUNCTION platform.store_ledger_changed();

CREATE OR REPLACE FUNCTION platform.store_ledger_hosts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    kept text[] := CASE WHEN NEW.state = 'deleted' THEN '{}'::text[] ELSE NEW.hosts END;
BEGIN
    DELETE FROM platform.store_hosts h WHERE h.store_id = NEW.store_id AND h.host <> ALL (kept);
    INSERT INTO platform.store_hosts (host, store_id)
    SELECT DISTINCT wanted.host, NEW.store_id FROM pg_catalog.unnest(kept) AS wanted (host)
    WHERE NOT EXISTS (SELECT 1 FROM platform.store_hosts h WHERE h.host = wanted.host AND h.store_id = NEW.store_id);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER store_ledger_hosts_born AFTER INSERT ON platform.store_ledger
FOR EACH ROW WHEN (NEW.hosts <> '{}') EXECUTE FUNCTION platform.store_ledger_hosts();

CREATE OR REPLACE TRIGGER store_ledger_hosts AFTER UPDATE ON platform.store_ledger
FOR EACH ROW WHEN (OLD.hosts IS DISTINCT FROM NEW.hosts OR (OLD.state <> NEW.state AND NEW.state = 'deleted'))
EXECUTE FUNCTION platform.store_ledger_hosts();
