-- A service that works out a store's taxes instead of its own rates.

-- `secret` signs what is asked there, sealed with a key that is not in the database; `secret_key` names that key.
CREATE TABLE tax_provider (
    only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    enabled       boolean NOT NULL,
    url           text NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
    secret        bytea NOT NULL,
    secret_key    text NOT NULL CHECK (length(secret_key) BETWEEN 1 AND 100),
    timeout_ms    integer NOT NULL CHECK (timeout_ms BETWEEN 100 AND 10000),
    cache_seconds integer NOT NULL CHECK (cache_seconds BETWEEN 60 AND 86400),
    on_failure    text NOT NULL CHECK (on_failure IN ('own_rates', 'refuse')),
    updated_at    timestamptz NOT NULL
);

-- What it answered, by a digest of all that it was asked with. Whoever keeps one takes away what nobody may use any more.
CREATE TABLE tax_estimates (
    fingerprint bytea PRIMARY KEY CHECK (length(fingerprint) = 32),
    answer      jsonb NOT NULL,
    kept_until  timestamptz NOT NULL
);
CREATE INDEX tax_estimates_kept_until ON tax_estimates (kept_until);

-- Who worked out what an order owes: the store's own rates, the provider, or the own rates because the provider did not answer.
ALTER TABLE orders
    ADD COLUMN tax_source text NOT NULL DEFAULT 'own',
    ADD CONSTRAINT orders_tax_source CHECK (tax_source IN ('own', 'provider', 'fallback')) NOT VALID;
