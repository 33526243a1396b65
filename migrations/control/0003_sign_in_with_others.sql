-- Signing in with others (OpenID Connect). An account may have no password of its own then.
ALTER TABLE control.accounts DROP CONSTRAINT accounts_check;
ALTER TABLE control.accounts ADD CONSTRAINT accounts_deleted_without_password CHECK (state <> 'deleted' OR password_hash IS NULL);

-- Who somebody is elsewhere. Issuer and subject together are one person for ever; an e-mail address never is.
CREATE TABLE control.identities (
    id              uuid        PRIMARY KEY,
    account_id      uuid        NOT NULL REFERENCES control.accounts (id) ON DELETE CASCADE,
    provider        text        NOT NULL CHECK (length(provider) BETWEEN 1 AND 40),
    issuer          text        NOT NULL CHECK (length(issuer) BETWEEN 1 AND 2000),
    subject         text        NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    -- As the provider last had it, to tell people which one it is.
    email           text        CHECK (length(email) <= 320),
    created_at      timestamptz NOT NULL,
    last_used_at    timestamptz NOT NULL,
    UNIQUE (issuer, subject)
);
CREATE INDEX identities_account ON control.identities (account_id);

-- A browser that is away at a provider. Nonce and PKCE verifier follow from the state, which is kept as its digest only.
CREATE TABLE control.sign_in_flows (
    state_hash      bytea       PRIMARY KEY CHECK (length(state_hash) = 32),
    provider        text        NOT NULL,
    -- SHA-256 of what only the client that began knows.
    challenge       bytea       NOT NULL CHECK (length(challenge) = 32),
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz
);
CREATE INDEX sign_in_flows_age ON control.sign_in_flows (expires_at);

-- Whom a provider vouched for, until the client that began fetches it: single use.
CREATE TABLE control.sign_in_tickets (
    ticket_hash     bytea       PRIMARY KEY CHECK (length(ticket_hash) = 32),
    provider        text        NOT NULL,
    challenge       bytea       NOT NULL CHECK (length(challenge) = 32),
    person          jsonb       NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz
);
CREATE INDEX sign_in_tickets_age ON control.sign_in_tickets (expires_at);
