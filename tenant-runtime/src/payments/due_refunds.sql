-- As due_sessions.sql: whoever takes a refund has a minute to carry it out before another may try, with the same idempotency key.
WITH due AS (
    SELECT id FROM refunds
    WHERE state = 'pending' AND next_attempt_at <= $1
    ORDER BY next_attempt_at LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE refunds r
SET attempts = r.attempts + 1, next_attempt_at = $1 + interval '60 seconds', updated_at = $1
FROM due, payments p LEFT JOIN payment_credentials c ON c.provider = p.provider
WHERE r.id = due.id AND p.id = r.payment_id
RETURNING r.id, r.order_id, p.session_id, p.provider, p.reference AS payment_reference, r.amount_minor, r.currency, r.idempotency_key,
          r.reason, r.attempts, c.secret, c.secret_key, c.mode, c.former_until
