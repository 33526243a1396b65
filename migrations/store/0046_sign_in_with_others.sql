-- Signing in with others (OpenID Connect): the providers a store's owner named, for its customers and for its staff.

CREATE TABLE identity_providers (
    -- In addresses: `google`. The owner chooses it, because the address to come back to is registered at the provider before it is known here.
    id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9-]{1,40}$'),
    audience   text NOT NULL CHECK (audience IN ('customers', 'staff')),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    issuer     text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 2000),
    client_id  text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 500),
    -- Sealed with the store's own key, which is not in the database; `secret_key` names that key.
    secret     bytea,
    secret_key text,
    scopes     text[] NOT NULL,
    enabled    boolean NOT NULL,
    version    bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((secret IS NULL) = (secret_key IS NULL))
);

-- Who somebody is elsewhere. Issuer and subject together are one person for ever; an e-mail address never is.
CREATE TABLE identities (
    id           uuid PRIMARY KEY,
    customer_id  uuid REFERENCES customers ON DELETE CASCADE,
    staff_id     uuid REFERENCES staff ON DELETE CASCADE,
    provider     text NOT NULL CHECK (length(provider) BETWEEN 1 AND 40),
    issuer       text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 2000),
    subject      text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    -- As the provider last had it, to tell people which one it is.
    email        text CHECK (length(email) <= 320),
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    CHECK (num_nonnulls(customer_id, staff_id) = 1)
);
CREATE UNIQUE INDEX identities_of_customers ON identities (issuer, subject) WHERE customer_id IS NOT NULL;
CREATE UNIQUE INDEX identities_of_staff ON identities (issuer, subject) WHERE staff_id IS NOT NULL;
CREATE INDEX identities_customer ON identities (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX identities_staff ON identities (staff_id) WHERE staff_id IS NOT NULL;

-- A browser that is away at a provider. Nonce and PKCE verifier follow from the state, which is kept as its digest only.
CREATE TABLE sign_in_flows (
    state_hash  bytea PRIMARY KEY CHECK (length(state_hash) = 32),
    provider_id text NOT NULL,
    -- SHA-256 of what only the client that began knows.
    challenge   bytea NOT NULL CHECK (length(challenge) = 32),
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
CREATE INDEX sign_in_flows_age ON sign_in_flows (expires_at);

-- Whom a provider vouched for, until the client that began fetches it: single use, and worth nothing once its provider is gone.
CREATE TABLE sign_in_tickets (
    ticket_hash bytea PRIMARY KEY CHECK (length(ticket_hash) = 32),
    provider_id text NOT NULL,
    challenge   bytea NOT NULL CHECK (length(challenge) = 32),
    person      jsonb NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
CREATE INDEX sign_in_tickets_age ON sign_in_tickets (expires_at);
