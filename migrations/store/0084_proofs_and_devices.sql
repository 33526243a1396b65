-- Who signs in by the store's provider proves that it is them there, and sees where they are signed in.

-- When a customer who has no password showed who they are: a dangerous act asks for it. Sessions of before have shown nothing.
ALTER TABLE customer_sessions ADD COLUMN proved_at timestamptz;

-- Where a colleague's session began, so that they know it again. Empty in sessions of before.
ALTER TABLE staff_sessions ADD COLUMN user_agent text NOT NULL DEFAULT '';
ALTER TABLE staff_sessions ADD COLUMN network text NOT NULL DEFAULT '';
ALTER TABLE staff_sessions ADD CONSTRAINT staff_sessions_user_agent_check CHECK (length(user_agent) <= 300) NOT VALID;
ALTER TABLE staff_sessions ADD CONSTRAINT staff_sessions_network_check CHECK (length(network) <= 64) NOT VALID;
