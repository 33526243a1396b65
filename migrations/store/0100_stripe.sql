-- Stripe beside `manual` and `test`: the keys of a store's account there, and what became of money that a bank takes back.

-- Off until its keys are given. A store that somehow has the row keeps it.
INSERT INTO payment_providers (code, title, enabled) VALUES ('stripe', 'Card', false) ON CONFLICT (code) DO NOTHING;

-- The keys of the store's account at a provider, sealed together with the store's own key, which is not in the database; `secret_key` names that key.
CREATE TABLE payment_credentials (
    provider     text PRIMARY KEY REFERENCES payment_providers,
    secret       bytea NOT NULL,
    secret_key   text NOT NULL CHECK (length(secret_key) BETWEEN 1 AND 100),
    -- Whether they move money.
    mode         text NOT NULL CHECK (mode IN ('test', 'live')),
    -- Enough of the key to tell it from others: `sk_test_…4242`.
    hint         text NOT NULL CHECK (length(hint) BETWEEN 1 AND 40),
    -- Whether events are believed: there is a secret of the endpoint that sends them.
    has_webhook  boolean NOT NULL,
    -- Until when the endpoint's former secret is believed as well.
    former_until timestamptz,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);

-- Money that a shopper's bank takes back, or asks about.
CREATE TABLE disputes (
    id              uuid PRIMARY KEY,
    order_id        uuid NOT NULL REFERENCES orders,
    payment_id      uuid NOT NULL REFERENCES payments,
    provider        text NOT NULL REFERENCES payment_providers,
    -- The provider's name for it.
    reference       text NOT NULL,
    state           text NOT NULL CHECK (state IN ('inquiry', 'needs_response', 'under_review', 'won', 'lost', 'closed')),
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    currency        text NOT NULL,
    -- What the provider takes for it, in the currency it settles in.
    fee_minor       bigint CHECK (fee_minor > 0),
    fee_currency    text CHECK (fee_currency ~ '^[A-Z]{3}$'),
    reason          text NOT NULL CHECK (length(reason) <= 100),
    evidence_due_at timestamptz,
    opened_at       timestamptz NOT NULL,
    closed_at       timestamptz,
    updated_at      timestamptz NOT NULL,
    UNIQUE (provider, reference),
    CHECK ((fee_minor IS NULL) = (fee_currency IS NULL))
);
CREATE INDEX disputes_newest ON disputes (opened_at DESC, id DESC);
CREATE INDEX disputes_order ON disputes (order_id);
