-- Who has used a discount is known by a digest of the mailbox under a secret of this store's, so that the address itself can be forgotten and
-- "once per customer" holds for whoever comes back with it. While programs of before still run, they fill the old column, which a trigger
-- empties; until they are gone they count no uses per customer.

CREATE TABLE discount_secret (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    secret   bytea   NOT NULL CHECK (length(secret) = 32)
);
INSERT INTO discount_secret (secret) VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON discount_secret FROM :role;

CREATE FUNCTION customer_digest(mailbox text) RETURNS bytea LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT sha256(s.secret || convert_to(mailbox, 'UTF8')) FROM :schema.discount_secret s
$$;

ALTER TABLE discount_uses
    ADD COLUMN customer_digest bytea CHECK (length(customer_digest) = 32),
    ALTER COLUMN email_key SET DEFAULT '';
UPDATE discount_uses SET customer_digest = customer_digest(email_key), email_key = '';
CREATE INDEX discount_uses_digest ON discount_uses (discount_id, customer_digest);
DROP INDEX discount_uses_customer;

CREATE FUNCTION digest_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.customer_digest := :schema.customer_digest(NEW.email_key);
    NEW.email_key := '';
    RETURN NEW;
END $$;
CREATE TRIGGER discount_uses_digested BEFORE INSERT ON discount_uses
    FOR EACH ROW WHEN (NEW.email_key <> '') EXECUTE FUNCTION digest_customer();
