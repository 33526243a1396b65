-- What every store stands on: its settings, the people and keys that may act in it, and the records that make acts repeatable and accountable.

CREATE TABLE store_settings (
    only_row            boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    name                text NOT NULL,
    country             text NOT NULL,
    currency            text NOT NULL,
    locale              text NOT NULL,
    time_zone           text NOT NULL,
    contact_email       text NOT NULL,
    prices_include_tax  boolean NOT NULL,
    tax_rounding        text NOT NULL DEFAULT 'half_up' CHECK (tax_rounding IN ('half_up', 'half_even', 'half_down')),
    tax_level           text NOT NULL DEFAULT 'line' CHECK (tax_level IN ('line', 'unit', 'document')),
    reservation_minutes integer NOT NULL DEFAULT 15 CHECK (reservation_minutes BETWEEN 1 AND 60),
    order_prefix        text NOT NULL DEFAULT '#',
    next_order_number   bigint NOT NULL DEFAULT 1001,
    policy_version      bigint NOT NULL DEFAULT 1,
    catalogue_version   bigint NOT NULL DEFAULT 1,
    version             bigint NOT NULL DEFAULT 1,
    updated_at          timestamptz NOT NULL DEFAULT now()
);

-- Roles are editable by the owner; a permission is `object:action`.
CREATE TABLE roles (
    id         uuid PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    built_in   boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE role_permissions (
    role_id uuid NOT NULL REFERENCES roles ON DELETE CASCADE,
    object  text NOT NULL,
    action  text NOT NULL,
    PRIMARY KEY (role_id, object, action)
);

CREATE TABLE staff (
    id         uuid PRIMARY KEY,
    account_id uuid UNIQUE,
    email      text NOT NULL,
    email_key  text NOT NULL UNIQUE,
    name       text NOT NULL,
    role_id    uuid NOT NULL REFERENCES roles,
    state      text NOT NULL DEFAULT 'active' CHECK (state IN ('invited', 'active', 'removed')),
    epoch      bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Only the SHA-256 of a key is kept; `prefix` is what a person recognises it by.
CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('publishable', 'secret')),
    mode         text NOT NULL CHECK (mode IN ('test', 'live')),
    name         text NOT NULL,
    prefix       text NOT NULL,
    hash         bytea NOT NULL UNIQUE,
    scopes       text[] NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    expires_at   timestamptz,
    revoked_at   timestamptz
);

CREATE TABLE idempotency_keys (
    principal        text NOT NULL,
    route            text NOT NULL,
    key              text NOT NULL,
    fingerprint      bytea NOT NULL,
    status           text NOT NULL CHECK (status IN ('running', 'done')),
    leased_until     timestamptz,
    response_status  integer,
    response_headers jsonb,
    response_body    bytea,
    created_at       timestamptz NOT NULL DEFAULT now(),
    expires_at       timestamptz NOT NULL DEFAULT now() + interval '48 hours',
    PRIMARY KEY (principal, route, key)
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

-- Hash-chained: `hash` = SHA-256(previous hash ‖ canonical entry).
CREATE TABLE audit_entries (
    position   bigint PRIMARY KEY,
    id         uuid NOT NULL UNIQUE,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    action     text NOT NULL,
    object     text NOT NULL,
    details    jsonb NOT NULL DEFAULT '{}',
    request_id text,
    previous   bytea NOT NULL,
    hash       bytea NOT NULL
);
REVOKE UPDATE, DELETE, TRUNCATE ON audit_entries FROM :role;

-- An event's effect and this row are one transaction: a second delivery changes nothing.
CREATE TABLE heard_events (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    heard_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
