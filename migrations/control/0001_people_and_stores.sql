-- The control plane's own schema: who owns businesses, and which businesses they own.
-- Times are UTC; every mutable row carries `version`, which is its ETag; states are text + CHECK (never an ENUM type).

CREATE TABLE control.accounts (
    id              uuid        PRIMARY KEY,
    email           text        NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    email_key       text        NOT NULL CHECK (length(email_key) BETWEEN 3 AND 254),
    name            text        NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    password_hash   text,
    verified_at     timestamptz,
    -- Raised whenever every token that is out must die: password changed or reset, signed out everywhere, account deleted.
    epoch           bigint      NOT NULL DEFAULT 0,
    state           text        NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deleted')),
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    version         bigint      NOT NULL DEFAULT 1,
    CHECK ((state = 'deleted') = (password_hash IS NULL))
);
-- A deleted account frees its address: the key is unique among the living only.
CREATE UNIQUE INDEX accounts_email_key ON control.accounts (email_key) WHERE state = 'active';

-- Verification and reset links: only the SHA-256 of the secret is kept; single use.
CREATE TABLE control.account_secrets (
    secret_hash     bytea       PRIMARY KEY CHECK (length(secret_hash) = 32),
    account_id      uuid        NOT NULL REFERENCES control.accounts (id) ON DELETE CASCADE,
    purpose         text        NOT NULL CHECK (purpose IN ('verify_email', 'reset_password')),
    -- The address the link was sent to: a link for an address the account no longer has is worthless.
    email_key       text        NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz
);
CREATE INDEX account_secrets_account ON control.account_secrets (account_id, purpose);

-- A session is a family of refresh tokens: one reused token ends the whole family.
CREATE TABLE control.sessions (
    id              uuid        PRIMARY KEY,
    account_id      uuid        NOT NULL REFERENCES control.accounts (id) ON DELETE CASCADE,
    user_agent      text        NOT NULL DEFAULT '' CHECK (length(user_agent) <= 300),
    network         text        NOT NULL DEFAULT '' CHECK (length(network) <= 64),
    created_at      timestamptz NOT NULL,
    last_used_at    timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    revoked_because text        CHECK (revoked_because IN ('signed_out', 'signed_out_everywhere', 'password_changed', 'reused', 'account_deleted')),
    CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
);
CREATE INDEX sessions_account ON control.sessions (account_id, created_at DESC);

CREATE TABLE control.refresh_tokens (
    token_hash      bytea       PRIMARY KEY CHECK (length(token_hash) = 32),
    session_id      uuid        NOT NULL REFERENCES control.sessions (id) ON DELETE CASCADE,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz
);
CREATE INDEX refresh_tokens_session ON control.refresh_tokens (session_id);

-- Fixed windows that count refused sign-ins (and other guessable doors), per account, per network, per both.
CREATE TABLE control.throttles (
    bucket          text        PRIMARY KEY CHECK (length(bucket) <= 200),
    window_ends_at  timestamptz NOT NULL,
    failures        integer     NOT NULL CHECK (failures >= 0)
);

CREATE TABLE control.organizations (
    id              uuid        PRIMARY KEY,
    name            text        NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    state           text        NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deleted')),
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    version         bigint      NOT NULL DEFAULT 1
);

CREATE TABLE control.members (
    id              uuid        PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES control.organizations (id),
    account_id      uuid        NOT NULL REFERENCES control.accounts (id),
    role            text        NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer')),
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    version         bigint      NOT NULL DEFAULT 1,
    UNIQUE (organization_id, account_id)
);
CREATE INDEX members_account ON control.members (account_id);

CREATE TABLE control.invitations (
    id              uuid        PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES control.organizations (id),
    email           text        NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    email_key       text        NOT NULL,
    role            text        NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer')),
    secret_hash     bytea       NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    invited_by      uuid        NOT NULL REFERENCES control.accounts (id),
    state           text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'revoked')),
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    closed_at       timestamptz,
    CHECK ((state = 'open') = (closed_at IS NULL))
);
CREATE UNIQUE INDEX invitations_open ON control.invitations (organization_id, email_key) WHERE state = 'open';

CREATE TABLE control.stores (
    -- The operation that opens the store; it is the ledger's owner_ref, so asking twice claims the same schema.
    request_id      uuid        PRIMARY KEY,
    -- Minted by the provisioner, never by us: NULL until the schema is ours.
    id              uuid        UNIQUE,
    organization_id uuid        NOT NULL REFERENCES control.organizations (id),
    name            text        NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    handle          text        NOT NULL CHECK (length(handle) BETWEEN 3 AND 40),
    country         text        NOT NULL CHECK (length(country) = 2),
    currency        text        NOT NULL CHECK (length(currency) = 3),
    locale          text        NOT NULL CHECK (length(locale) BETWEEN 2 AND 35),
    time_zone       text        NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
    plan            text        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('opening', 'failed', 'live', 'suspended', 'deleted', 'purged')),
    purge_after     timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    version         bigint      NOT NULL DEFAULT 1,
    CHECK ((state IN ('opening', 'failed')) = (id IS NULL)),
    CHECK ((state = 'deleted') = (purge_after IS NOT NULL))
);
CREATE INDEX stores_organization ON control.stores (organization_id, request_id DESC);
CREATE INDEX stores_purge ON control.stores (purge_after) WHERE state = 'deleted';

-- Names in use and names lately used. The skeleton is what the name looks like: two look-alikes are one row.
-- A released name stays with its organization until `held_until`; then anybody may have it, with an empty store.
CREATE TABLE control.handles (
    skeleton        text        PRIMARY KEY,
    handle          text        NOT NULL UNIQUE CHECK (length(handle) BETWEEN 3 AND 40),
    organization_id uuid        NOT NULL REFERENCES control.organizations (id),
    request_id      uuid        REFERENCES control.stores (request_id) DEFERRABLE INITIALLY DEFERRED,
    held_until      timestamptz,
    CHECK ((request_id IS NULL) = (held_until IS NOT NULL))
);

-- The durable queue: one row is one piece of work, claimed with SKIP LOCKED under a lease.
CREATE TABLE control.operations (
    id                  uuid        PRIMARY KEY,
    kind                text        NOT NULL CHECK (kind IN ('open_store', 'update_store', 'suspend_store', 'resume_store', 'delete_store', 'restore_store', 'purge_store')),
    organization_id     uuid        NOT NULL REFERENCES control.organizations (id),
    store_request_id    uuid        NOT NULL REFERENCES control.stores (request_id),
    -- NULL when the platform's own clock asked (a purge).
    requested_by        uuid        REFERENCES control.accounts (id),
    state               text        NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'succeeded', 'failed')),
    input               jsonb       NOT NULL DEFAULT '{}',
    attempts            integer     NOT NULL DEFAULT 0,
    available_at        timestamptz NOT NULL,
    lease_holder        uuid,
    lease_ends_at       timestamptz,
    error               jsonb,
    -- Reveal-once keys in plain text: erased on reveal, and by the clock at secret_ends_at.
    result_secret       jsonb,
    secret_ends_at      timestamptz,
    secret_revealed_at  timestamptz,
    traceparent         text,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    finished_at         timestamptz,
    version             bigint      NOT NULL DEFAULT 1,
    CHECK ((state IN ('succeeded', 'failed')) = (finished_at IS NOT NULL)),
    CHECK ((state = 'running') = (lease_holder IS NOT NULL)),
    CHECK (result_secret IS NULL OR secret_ends_at IS NOT NULL)
);
-- One piece of unfinished work per store: later wishes wait or are refused, never interleaved.
CREATE UNIQUE INDEX operations_one_per_store ON control.operations (store_request_id) WHERE state IN ('queued', 'running');
CREATE INDEX operations_due ON control.operations (available_at) WHERE state IN ('queued', 'running');
CREATE INDEX operations_organization ON control.operations (organization_id, id DESC);
CREATE INDEX operations_secrets ON control.operations (secret_ends_at) WHERE result_secret IS NOT NULL;

CREATE TABLE control.operation_steps (
    operation_id    uuid        NOT NULL REFERENCES control.operations (id) ON DELETE CASCADE,
    position        integer     NOT NULL CHECK (position > 0),
    name            text        NOT NULL,
    state           text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'running', 'done', 'failed')),
    attempts        integer     NOT NULL DEFAULT 0,
    started_at      timestamptz,
    finished_at     timestamptz,
    -- Why the last attempt failed, in words an owner may read.
    cause           text,
    PRIMARY KEY (operation_id, position)
);

-- Who did what. Append-only, and each entry seals the one before it: hash = sha256(prev_hash || canonical entry).
CREATE TABLE control.audit_entries (
    id              uuid        PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES control.organizations (id),
    position        bigint      NOT NULL CHECK (position > 0),
    at              timestamptz NOT NULL,
    actor           text        NOT NULL,
    action          text        NOT NULL,
    target          text        NOT NULL,
    detail          text        NOT NULL,
    request_id      text        NOT NULL,
    prev_hash       bytea       NOT NULL CHECK (length(prev_hash) = 32),
    hash            bytea       NOT NULL CHECK (length(hash) = 32),
    UNIQUE (organization_id, position)
);
-- The end of each chain; its row lock orders the writers of one organization.
CREATE TABLE control.audit_heads (
    organization_id uuid        PRIMARY KEY REFERENCES control.organizations (id),
    position        bigint      NOT NULL,
    hash            bytea       NOT NULL CHECK (length(hash) = 32)
);
CREATE FUNCTION control.audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON control.audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION control.audit_is_append_only();

-- Mails to people, written in the transaction of the fact they tell, sent after it.
CREATE TABLE control.messages (
    id              uuid        PRIMARY KEY,
    template        text        NOT NULL,
    recipient       text        NOT NULL,
    subject         text        NOT NULL,
    -- Bodies hold single-use links: erased once the mail has left.
    text_body       text,
    html_body       text,
    state           text        NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'captured', 'failed')),
    attempts        integer     NOT NULL DEFAULT 0,
    available_at    timestamptz NOT NULL,
    lease_ends_at   timestamptz,
    last_error      text,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz
);
CREATE INDEX messages_due ON control.messages (available_at) WHERE state = 'queued';
CREATE INDEX messages_recent ON control.messages (created_at DESC);

-- One row is one promise: the same key by the same person on the same route gives the same bytes.
-- Claimed and fulfilled in the transaction of the work, so a row is only ever seen finished: it needs no lease.
CREATE TABLE control.idempotency_keys (
    principal       text        NOT NULL CHECK (length(principal) <= 200),
    route           text        NOT NULL CHECK (length(route) <= 200),
    key             text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint     bytea       NOT NULL,
    status          integer,
    headers         jsonb,
    body            bytea,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (principal, route, key)
);
CREATE INDEX idempotency_keys_age ON control.idempotency_keys (created_at);
