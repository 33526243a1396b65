-- Money in and out. Amounts on a payment are folds over its transactions, which are append-only.

-- `settings`: provider's own, never secrets in clear.
CREATE TABLE payment_providers (
    code    text PRIMARY KEY CHECK (code IN ('manual', 'test', 'stripe')),
    title   text NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    settings jsonb NOT NULL DEFAULT '{}'
);

-- One attempt of a shopper to pay for an order.
CREATE TABLE payment_sessions (
    id              uuid PRIMARY KEY,
    order_id        uuid NOT NULL REFERENCES orders,
    provider        text NOT NULL REFERENCES payment_providers,
    state           text NOT NULL CHECK (state IN ('pending', 'requires_action', 'authorized', 'captured', 'failed', 'canceled')),
    amount_minor    bigint NOT NULL CHECK (amount_minor >= 0),
    currency        text NOT NULL,
    idempotency_key text NOT NULL UNIQUE,
    reference       text,
    redirect_url    text,
    return_url      text,
    token           text,
    failure_code    text,
    failure_message text,
    attempts        integer NOT NULL DEFAULT 0,
    next_poll_at    timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    UNIQUE (provider, reference)
);
CREATE UNIQUE INDEX payment_sessions_one_live ON payment_sessions (order_id) WHERE state IN ('pending', 'requires_action', 'authorized', 'captured');
CREATE INDEX payment_sessions_due ON payment_sessions (next_poll_at) WHERE next_poll_at IS NOT NULL;

CREATE TABLE payments (
    id               uuid PRIMARY KEY,
    order_id         uuid NOT NULL REFERENCES orders,
    session_id       uuid NOT NULL UNIQUE REFERENCES payment_sessions,
    provider         text NOT NULL,
    reference        text,
    currency         text NOT NULL,
    authorized_minor bigint NOT NULL DEFAULT 0 CHECK (authorized_minor >= 0),
    captured_minor   bigint NOT NULL DEFAULT 0 CHECK (captured_minor >= 0),
    refunded_minor   bigint NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0),
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CHECK (refunded_minor <= captured_minor)
);
CREATE INDEX payments_order ON payments (order_id);

CREATE TABLE payment_transactions (
    id                uuid PRIMARY KEY,
    payment_id        uuid NOT NULL REFERENCES payments,
    kind              text NOT NULL CHECK (kind IN ('authorization', 'capture', 'sale', 'void', 'refund', 'chargeback', 'reversal')),
    state             text NOT NULL CHECK (state IN ('success', 'failure', 'error')),
    amount_minor      bigint NOT NULL CHECK (amount_minor > 0),
    currency          text NOT NULL,
    reference         text,
    idempotency_key   text NOT NULL UNIQUE,
    message           text,
    at                timestamptz NOT NULL
);
CREATE INDEX payment_transactions_payment ON payment_transactions (payment_id, id);
REVOKE UPDATE, DELETE, TRUNCATE ON payment_transactions FROM :role;

-- What a provider told us, once each: (provider, event id).
CREATE TABLE provider_events (
    provider    text NOT NULL,
    event_id    text NOT NULL,
    kind        text NOT NULL,
    reference   text,
    payload     jsonb NOT NULL,
    outcome     text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, event_id)
);

-- A wish to give money back, carried out outside the transaction by a worker until the provider has answered.
CREATE TABLE refunds (
    id              uuid PRIMARY KEY,
    order_id        uuid NOT NULL REFERENCES orders,
    payment_id      uuid NOT NULL REFERENCES payments,
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    currency        text NOT NULL,
    reason          text NOT NULL,
    state           text NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
    idempotency_key text NOT NULL UNIQUE,
    reference       text,
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    failure_message text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE INDEX refunds_order ON refunds (order_id);
CREATE INDEX refunds_due ON refunds (next_attempt_at) WHERE state = 'pending';
