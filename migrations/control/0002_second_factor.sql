-- A second factor beside the password. `kind` leaves room for passkeys. The app's secret is sealed with a key that is not in the database: a copy
-- of it opens nothing.
CREATE TABLE control.second_factors (
    account_id      uuid        NOT NULL REFERENCES control.accounts (id) ON DELETE CASCADE,
    kind            text        NOT NULL CHECK (kind IN ('totp')),
    sealed          bytea       NOT NULL CHECK (length(sealed) > 40),
    sealed_with     text        NOT NULL,
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
