-- Who takes marketing, how that is known, and whether a mailbox has to agree first.

ALTER TABLE store_settings
    ADD COLUMN marketing_opt_in text NOT NULL DEFAULT 'single',
    ADD CONSTRAINT store_settings_marketing_opt_in CHECK (marketing_opt_in IN ('single', 'double')) NOT VALID;

-- Since when the mailbox has been asked whether it agrees; null unless it is being asked.
ALTER TABLE customers ADD COLUMN marketing_asked_at timestamptz;

ALTER TABLE customer_secrets DROP CONSTRAINT customer_secrets_purpose_check;
ALTER TABLE customer_secrets ADD CONSTRAINT customer_secrets_purpose_check
    CHECK (purpose IN ('verify_email', 'reset_password', 'email_old', 'email_new', 'marketing')) NOT VALID;

-- What a customer said of marketing, when and where: what a store shows whoever asks by what right it writes. Goes with the person.
CREATE TABLE marketing_consents (
    id          uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers ON DELETE CASCADE,
    state       text NOT NULL CHECK (state IN ('pending', 'given', 'withdrawn')),
    -- `unknown`: from before this was kept.
    source      text NOT NULL CHECK (source IN ('registration', 'account', 'mailed_link', 'unsubscribe_link', 'unknown')),
    at          timestamptz NOT NULL
);
CREATE INDEX marketing_consents_customer ON marketing_consents (customer_id, at, id);
REVOKE UPDATE, TRUNCATE ON marketing_consents FROM :role;
INSERT INTO marketing_consents (id, customer_id, state, source, at)
SELECT gen_random_uuid(), id, 'given', 'unknown', updated_at FROM customers WHERE accepts_marketing;
