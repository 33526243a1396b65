-- Deferred trigger of every store's `postings`: an entry whose postings do not add up to zero per currency aborts its transaction.
-- Runs with the rights of the store; lives here so that store schemas need no function of their own.
CREATE OR REPLACE FUNCTION platform.check_journal_balanced() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    off_by bigint;
BEGIN
    EXECUTE format('SELECT sum(amount_minor) FROM %I.postings WHERE entry_id = $1 AND currency = $2', TG_TABLE_SCHEMA)
        INTO off_by USING NEW.entry_id, NEW.currency;
    IF off_by <> 0 THEN
        RAISE EXCEPTION 'journal entry % is off by % %', NEW.entry_id, off_by, NEW.currency
            USING ERRCODE = 'check_violation', CONSTRAINT = 'postings_balanced';
    END IF;
    RETURN NULL;
END
$$;
