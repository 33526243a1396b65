-- A refund that was asked for under this key has failed: one that had left is taken back, with a movement of its own. It gets another key, so
-- that what is still said under this one is old news; retrying it asks under the new one.
-- $1 refund, $2 key, $3 why, $4 now, $5 the movement's id, $6 the refund's name. The caller holds the order's lock.
WITH was AS (
    SELECT id, state = 'succeeded' AS had_left FROM refunds WHERE id = $1 AND idempotency_key = $2 AND state <> 'failed'
), failed AS (
    UPDATE refunds r
    SET state = 'failed', failure_message = $3, next_attempt_at = NULL, updated_at = $4,
        idempotency_key = $6::text || '.' || r.attempts, bounced = r.bounced + was.had_left::integer
    FROM was WHERE r.id = was.id
    RETURNING r.payment_id, r.amount_minor, r.currency, r.reference, was.had_left, $6::text || '.' || r.bounced AS name
), paid AS (
    UPDATE payments p SET refunded_minor = p.refunded_minor - failed.amount_minor, updated_at = $4
    FROM failed WHERE p.id = failed.payment_id AND failed.had_left
), booked AS (
    INSERT INTO payment_transactions (id, payment_id, kind, state, amount_minor, currency, reference, idempotency_key, at)
    SELECT $5, payment_id, 'reversal', 'success', amount_minor, currency, reference, 'refund_bounced:' || name, $4 FROM failed WHERE had_left
)
SELECT name, amount_minor, currency, had_left FROM failed
