-- Money a store owes its shoppers: gift cards and store credit. One account each, with every movement of it.

-- `code_hash` is the SHA-256 of a gift card's code, which is shown once and not kept; store credit belongs to a customer instead.
CREATE TABLE credit_accounts (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('gift_card', 'store_credit')),
    code_hash       bytea UNIQUE,
    last_characters text,
    customer_id     uuid REFERENCES customers,
    currency        text NOT NULL,
    balance_minor   bigint NOT NULL CHECK (balance_minor >= 0),
    disabled        boolean NOT NULL DEFAULT false,
    expires_at      timestamptz,
    note            text NOT NULL DEFAULT '',
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CHECK ((kind = 'gift_card') = (code_hash IS NOT NULL)),
    CHECK ((kind = 'store_credit') = (customer_id IS NOT NULL))
);
CREATE UNIQUE INDEX credit_accounts_customer ON credit_accounts (customer_id, currency);
CREATE INDEX credit_accounts_newest ON credit_accounts (kind, created_at DESC, id DESC);

-- Immutable. The amounts of an account add up to its balance.
CREATE TABLE credit_entries (
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL REFERENCES credit_accounts,
    kind         text NOT NULL CHECK (kind IN ('issued', 'added', 'held', 'released', 'returned')),
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    order_id     uuid,
    actor        text NOT NULL,
    at           timestamptz NOT NULL
);
CREATE INDEX credit_entries_account ON credit_entries (account_id, id);
REVOKE UPDATE, DELETE, TRUNCATE ON credit_entries FROM :role;

-- What an order takes of an account: held with the attempt, spent with the order, released or returned when it came to nothing.
CREATE TABLE order_credits (
    order_id     uuid NOT NULL REFERENCES orders,
    account_id   uuid NOT NULL REFERENCES credit_accounts,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    state        text NOT NULL CHECK (state IN ('held', 'spent', 'released', 'returned')),
    PRIMARY KEY (order_id, account_id)
);
CREATE INDEX order_credits_account ON order_credits (account_id);

-- Gift cards the shopper has entered, in that order; store credit is used if a customer wishes.
ALTER TABLE carts ADD COLUMN gift_cards uuid[] NOT NULL DEFAULT '{}';
ALTER TABLE carts ADD COLUMN use_store_credit boolean NOT NULL DEFAULT false;

INSERT INTO role_permissions (role_id, object, action)
SELECT r.id, 'credit', p.action
FROM roles r
JOIN (VALUES ('owner', '*'), ('manager', '*'), ('support', 'view'), ('accountant', 'view')) AS p (name, action) ON p.name = r.name
WHERE r.built_in
ON CONFLICT DO NOTHING;
