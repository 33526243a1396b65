-- Once per refund: the second time it is not pending any more and nothing happens.
WITH done AS (
    UPDATE refunds
    SET state = 'succeeded', reference = $2, next_attempt_at = NULL, failure_message = NULL, updated_at = $3
    WHERE id = $1 AND state <> 'succeeded'
    RETURNING id, payment_id, order_id, amount_minor, currency
), paid AS (
    UPDATE payments p SET refunded_minor = p.refunded_minor + done.amount_minor, updated_at = $3
    FROM done WHERE p.id = done.payment_id
), booked AS (
    INSERT INTO payment_transactions (id, payment_id, kind, state, amount_minor, currency, reference, idempotency_key, at)
    SELECT $4, payment_id, 'refund', 'success', amount_minor, currency, $2, 'refund:' || $5, $3 FROM done
)
SELECT order_id, amount_minor, currency FROM done
