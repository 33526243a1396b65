-- An endpoint that fails several times in a row is left alone for a while; what waits for it costs nobody a look.

ALTER TABLE webhook_endpoints
    -- In a row, without those that came in while it rested.
    ADD COLUMN failures        integer NOT NULL DEFAULT 0,
    -- Nothing is sent there before.
    ADD COLUMN next_attempt_at timestamptz;
CREATE TRIGGER webhook_endpoints_due AFTER UPDATE OF next_attempt_at ON webhook_endpoints
    FOR EACH ROW WHEN (NEW.next_attempt_at IS NOT NULL AND NEW.next_attempt_at IS DISTINCT FROM OLD.next_attempt_at)
    EXECUTE FUNCTION platform.note_next_attempt('webhook');

-- Looks go through the endpoints, and from each to its next delivery: however much waits for a broken one, they read one row of it.
CREATE INDEX webhook_deliveries_next ON webhook_deliveries (endpoint_id, next_attempt_at, id) WHERE state = 'pending';
DROP INDEX webhook_deliveries_due;
