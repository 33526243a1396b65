-- Sessions at the control plane that ended lately: what was issued from them for a store is worth nothing any more. The control plane writes,
-- stores ask `platform.session_ended`. Kept for an hour, four times as long as such a token lives.

CREATE TABLE ended_sessions (
    session_id uuid        PRIMARY KEY,
    ended_at   timestamptz NOT NULL
);
CREATE INDEX ended_sessions_age ON ended_sessions (ended_at);

GRANT SELECT, INSERT, DELETE ON ended_sessions TO control_plane;
