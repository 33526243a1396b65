-- Colleagues whom a provider vouched for stay signed in for a working day: a session is a family of refresh tokens, and one reused token ends
-- the whole family.

CREATE TABLE staff_sessions (
    id           uuid PRIMARY KEY,
    staff_id     uuid NOT NULL REFERENCES staff ON DELETE CASCADE,
    -- The colleague's when it began: what raises theirs (another role, an identity or a provider taken away) ends it.
    epoch        bigint NOT NULL,
    -- When they last proved to the provider who they are. Refreshing proves nothing.
    proved_at    timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);
CREATE INDEX staff_sessions_staff ON staff_sessions (staff_id);
CREATE INDEX staff_sessions_over ON staff_sessions (expires_at);

CREATE TABLE staff_refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES staff_sessions ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX staff_refresh_tokens_session ON staff_refresh_tokens (session_id);
