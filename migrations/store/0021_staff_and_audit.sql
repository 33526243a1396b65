-- Invitations of staff, versions of roles, what a key may be used for, and the end of the audit chain.

ALTER TABLE staff ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE roles
    ADD COLUMN version    bigint NOT NULL DEFAULT 1,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();

-- Only the SHA-256 of the mailed secret is kept; none until the mail is written.
CREATE TABLE staff_invitations (
    id          uuid PRIMARY KEY,
    email       text NOT NULL,
    email_key   text NOT NULL,
    role_id     uuid NOT NULL REFERENCES roles,
    secret_hash bytea UNIQUE CHECK (length(secret_hash) = 32),
    invited_by  text NOT NULL,
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'revoked')),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    closed_at   timestamptz,
    CHECK ((state = 'open') = (closed_at IS NULL))
);
CREATE UNIQUE INDEX staff_invitations_open ON staff_invitations (email_key) WHERE state = 'open';

ALTER TABLE api_keys
    ADD COLUMN created_by       text NOT NULL DEFAULT 'service:provisioning',
    ADD COLUMN allowed_origins  text[] NOT NULL DEFAULT '{}',
    ADD COLUMN allowed_networks text[] NOT NULL DEFAULT '{}',
    ADD COLUMN rotated_from     uuid REFERENCES api_keys;

-- The end of the chain; its row lock orders the writers.
CREATE TABLE audit_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL,
    hash     bytea NOT NULL CHECK (length(hash) = 32)
);
INSERT INTO audit_head (position, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- Stores that have their roles already hold what new stores hold.
INSERT INTO role_permissions (role_id, object, action)
SELECT r.id, p.object, p.action
FROM roles r JOIN (VALUES
    ('owner', 'customer', '*'), ('owner', 'role', '*'), ('manager', 'customer', '*'),
    ('support', 'customer', 'view'), ('support', 'customer', 'edit'), ('viewer', 'customer', 'view')
) AS p (role, object, action) ON p.role = r.name
WHERE r.built_in
ON CONFLICT DO NOTHING;
