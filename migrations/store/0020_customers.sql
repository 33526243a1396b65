-- What a customer's account needs beyond a name: a proven address, sessions, an address book, and counters of guesses.

ALTER TABLE customers
    ADD COLUMN verified_at       timestamptz,
    ADD COLUMN phone             text,
    ADD COLUMN accepts_marketing boolean NOT NULL DEFAULT false,
    ADD COLUMN note              text NOT NULL DEFAULT '',
    ADD COLUMN order_count       bigint NOT NULL DEFAULT 0,
    ADD COLUMN erased_at         timestamptz,
    ADD COLUMN version           bigint NOT NULL DEFAULT 1;
ALTER TABLE customers DROP CONSTRAINT customers_state_check;
ALTER TABLE customers ADD CONSTRAINT customers_state_check
    CHECK (state IN ('invited', 'enabled', 'disabled', 'erased')) NOT VALID;

CREATE TABLE customer_addresses (
    id               uuid PRIMARY KEY,
    customer_id      uuid NOT NULL REFERENCES customers ON DELETE CASCADE,
    address          jsonb NOT NULL,
    default_shipping boolean NOT NULL DEFAULT false,
    default_billing  boolean NOT NULL DEFAULT false,
    version          bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX customer_addresses_customer ON customer_addresses (customer_id, id);
CREATE UNIQUE INDEX customer_addresses_shipping ON customer_addresses (customer_id) WHERE default_shipping;
CREATE UNIQUE INDEX customer_addresses_billing ON customer_addresses (customer_id) WHERE default_billing;

-- A session is a family of refresh tokens: one reused token ends the whole family.
CREATE TABLE customer_sessions (
    id              uuid PRIMARY KEY,
    customer_id     uuid NOT NULL REFERENCES customers ON DELETE CASCADE,
    user_agent      text NOT NULL DEFAULT '' CHECK (length(user_agent) <= 300),
    network         text NOT NULL DEFAULT '' CHECK (length(network) <= 64),
    created_at      timestamptz NOT NULL,
    last_used_at    timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    revoked_because text CHECK (revoked_because IN
        ('signed_out', 'signed_out_everywhere', 'password_changed', 'email_changed', 'reused', 'disabled')),
    CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
);
CREATE INDEX customer_sessions_customer ON customer_sessions (customer_id, id);
CREATE INDEX customer_sessions_over ON customer_sessions (expires_at);

CREATE TABLE customer_refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES customer_sessions ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX customer_refresh_tokens_session ON customer_refresh_tokens (session_id);

-- Mailed links: only the SHA-256 of the secret is kept; single use; worthless once the customer's address is another.
CREATE TABLE customer_secrets (
    secret_hash bytea PRIMARY KEY CHECK (length(secret_hash) = 32),
    customer_id uuid NOT NULL REFERENCES customers ON DELETE CASCADE,
    purpose     text NOT NULL CHECK (purpose IN ('verify_email', 'reset_password', 'email_old', 'email_new')),
    email_key   text NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
CREATE INDEX customer_secrets_customer ON customer_secrets (customer_id, purpose);

-- A wished address, until both mailboxes have agreed.
CREATE TABLE customer_email_changes (
    customer_id      uuid PRIMARY KEY REFERENCES customers ON DELETE CASCADE,
    email            text NOT NULL,
    email_key        text NOT NULL,
    old_confirmed_at timestamptz,
    new_confirmed_at timestamptz,
    created_at       timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL
);

-- Fixed windows that count attempts at guessable doors: per account and network, per account, per network.
CREATE TABLE throttles (
    bucket         text PRIMARY KEY CHECK (length(bucket) <= 200),
    window_ends_at timestamptz NOT NULL,
    failures       integer NOT NULL CHECK (failures >= 0)
);
CREATE INDEX throttles_over ON throttles (window_ends_at);

-- Opens the cart as well: a secret that every device of the signed-in customer is given.
ALTER TABLE carts ADD COLUMN owner_secret_hash bytea;

CREATE INDEX orders_customer ON orders (customer_id, created_at DESC, id DESC) WHERE customer_id IS NOT NULL;
CREATE INDEX carts_customer ON carts (customer_id) WHERE customer_id IS NOT NULL;

-- Where shoppers find their account, and which pages of other origins may call the store from a browser.
CREATE TABLE storefront_settings (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    account_url     text,
    allowed_origins text[] NOT NULL DEFAULT '{}',
    version         bigint NOT NULL DEFAULT 1,
    updated_at      timestamptz NOT NULL DEFAULT now()
);
INSERT INTO storefront_settings DEFAULT VALUES;
