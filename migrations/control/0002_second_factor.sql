-- A second factor beside the password. `kind` leaves room for passkeys; of a TOTP factor only a nonce is kept: the secret is derived from it
-- and the plane's key, so that a copy of the database opens nothing.
CREATE TABLE control.second_factors (
    account_id      uuid        NOT NULL REFERENCES control.accounts (id) ON DELETE CASCADE,
    kind            text        NOT NULL CHECK (kind IN ('totp')),
    nonce           bytea       NOT NULL CHECK (length(nonce) = 16),
    -- The last step a code was taken for: each code works once.
    last_step       bigint      NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    confirmed_at    timestamptz,
    PRIMARY KEY (account_id, kind)
);
CREATE TABLE control.recovery_codes (
    account_id      uuid        NOT NULL REFERENCES control.accounts (id) ON DELETE CASCADE,
    code_hash       bytea       NOT NULL CHECK (length(code_hash) = 32),
    created_at      timestamptz NOT NULL,
    used_at         timestamptz,
    PRIMARY KEY (account_id, code_hash)
);
-- When whoever has the session last proved who they are; dangerous acts ask for it anew.
ALTER TABLE control.sessions ADD COLUMN proved_at timestamptz;
