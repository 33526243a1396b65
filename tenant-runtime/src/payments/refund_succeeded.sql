-- Once per refund: the second time it is not pending any more and nothing happens. What is said under a key of former times is old news.
-- $1 refund, $2 reference, $3 now, $4 the movement's id, $5 the refund's name, $6 the key it was asked for under.
WITH done AS (
    UPDATE refunds
    SET state = 'succeeded', reference = $2, next_attempt_at = NULL, failure_message = NULL, updated_at = $3
    WHERE id = $1 AND state <> 'succeeded' AND idempotency_key = $6
    RETURNING payment_id, amount_minor, credit_minor, currency, $5::text || CASE WHEN bounced > 0 THEN '.' || bounced ELSE '' END AS name
), paid AS (
    UPDATE payments p SET refunded_minor = p.refunded_minor + done.amount_minor, updated_at = $3
    FROM done WHERE p.id = done.payment_id
), booked AS (
    INSERT INTO payment_transactions (id, payment_id, kind, state, amount_minor, currency, reference, idempotency_key, at)
    SELECT $4, payment_id, 'refund', 'success', amount_minor, currency, $2, 'refund:' || name, $3 FROM done
)
SELECT name, amount_minor, credit_minor, currency FROM done
