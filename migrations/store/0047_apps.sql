-- Integrations: apps that ask for scopes, and what the store's people approved (OAuth 2.0, client credentials).

CREATE TABLE apps (
    id               uuid PRIMARY KEY,
    name             text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    description      text NOT NULL DEFAULT '' CHECK (length(description) <= 500),
    requested_scopes text[] NOT NULL,
    -- What was approved of them, as wide or narrower; empty until then.
    scopes           text[] NOT NULL DEFAULT '{}',
    state            text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'approved', 'revoked')),
    requested_by     text NOT NULL,
    approved_by      text,
    approved_at      timestamptz,
    revoked_at       timestamptz,
    -- When it last asked for a token.
    last_used_at     timestamptz,
    -- Raised with whatever takes something away: every token that is out dies.
    epoch            bigint NOT NULL DEFAULT 1,
    version          bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CHECK ((state = 'revoked') = (revoked_at IS NOT NULL))
);

-- Only the SHA-256 is kept. Two while they are being exchanged.
CREATE TABLE app_secrets (
    hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
    app_id     uuid NOT NULL REFERENCES apps ON DELETE CASCADE,
    -- What a person recognises it by.
    prefix     text NOT NULL,
    created_at timestamptz NOT NULL,
    -- Null: until it is rotated.
    expires_at timestamptz
);
CREATE INDEX app_secrets_app ON app_secrets (app_id);
