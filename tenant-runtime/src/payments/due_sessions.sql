-- Takes sessions whose turn it is and moves their next turn away, so that two pollers, or one that dies, do no harm.
WITH due AS (
    SELECT id FROM payment_sessions
    WHERE next_poll_at <= $1
    ORDER BY next_poll_at LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE payment_sessions s
SET attempts = s.attempts + 1, next_poll_at = $1 + least(15 * power(2, least(s.attempts, 8)), 3600) * interval '1 second', updated_at = $1
FROM due WHERE s.id = due.id
RETURNING s.id
