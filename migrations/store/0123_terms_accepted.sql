-- What a shopper agreed to when they bought, and whether they must.

ALTER TABLE store_settings ADD COLUMN terms_required boolean NOT NULL DEFAULT false;

-- The version of the policy `terms`, when, and from where: a digest of the network with the order's secret, which the database does not have, so
-- that nobody finds the network by trying all there are.
ALTER TABLE orders ADD COLUMN terms_version integer;
ALTER TABLE orders ADD COLUMN terms_accepted_at timestamptz;
ALTER TABLE orders ADD COLUMN terms_network bytea;
ALTER TABLE orders ADD CONSTRAINT orders_terms CHECK ((terms_version IS NULL) = (terms_accepted_at IS NULL)) NOT VALID;
