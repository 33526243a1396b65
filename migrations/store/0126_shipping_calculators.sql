-- Programs of carriers that say what a parcel costs, and what they said.

CREATE TABLE shipping_calculators (
    id                uuid PRIMARY KEY,
    name              text NOT NULL UNIQUE,
    url               text NOT NULL,
    -- Sealed with the store's own key, which is not in the database; `secret_key` names that key.
    secret            bytea NOT NULL,
    secret_key        text NOT NULL,
    timeout_ms        integer NOT NULL CHECK (timeout_ms BETWEEN 100 AND 5000),
    cache_seconds     integer NOT NULL CHECK (cache_seconds BETWEEN 60 AND 86400),
    -- What is offered while it does not answer; without it, nothing.
    fallback_minor    bigint CHECK (fallback_minor >= 0),
    fallback_currency text,
    -- Why its last answer could not be used, until one can.
    last_error        text,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CHECK ((fallback_minor IS NULL) = (fallback_currency IS NULL))
);

-- A rate of a calculator: its own price is the mark-up.
ALTER TABLE shipping_rates
    ADD COLUMN calculator_id uuid,
    ADD CONSTRAINT shipping_rates_calculator_id_fkey FOREIGN KEY (calculator_id) REFERENCES shipping_calculators NOT VALID;
CREATE INDEX shipping_rates_calculator ON shipping_rates (calculator_id) WHERE calculator_id IS NOT NULL;

CREATE TABLE shipping_quotes (
    calculator_id uuid NOT NULL REFERENCES shipping_calculators ON DELETE CASCADE,
    -- SHA-256 of what it was asked.
    question      bytea NOT NULL,
    -- `[{"code", "title", "amount_minor", "min_days", "max_days"}]`; null where its answer could not be used.
    services      jsonb,
    good_until    timestamptz NOT NULL,
    PRIMARY KEY (calculator_id, question)
);
CREATE INDEX shipping_quotes_over ON shipping_quotes (good_until);
