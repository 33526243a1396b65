-- Writes what a fold decided: the session, its payment, the movements. The caller holds the order's lock, so the sums are absolute.
WITH session AS (
    UPDATE payment_sessions
    SET state = $2, reference = coalesce(reference, $3), redirect_url = coalesce($4, redirect_url), failure_code = $5,
        failure_message = $6, next_poll_at = $7, token = NULL, updated_at = $8
    WHERE id = $1
    RETURNING id, order_id, provider, reference, currency
), payment AS (
    INSERT INTO payments (id, order_id, session_id, provider, reference, currency, authorized_minor, captured_minor, created_at, updated_at)
    SELECT $9, order_id, id, provider, reference, currency, $10, $11, $8, $8 FROM session
    WHERE $10::bigint > 0 OR $11::bigint > 0
    ON CONFLICT (session_id) DO UPDATE
        SET authorized_minor = excluded.authorized_minor, captured_minor = excluded.captured_minor,
            reference = excluded.reference, updated_at = excluded.updated_at
    RETURNING id, currency, reference
)
INSERT INTO payment_transactions (id, payment_id, kind, state, amount_minor, currency, reference, idempotency_key, at)
SELECT t.id, p.id, t.kind, 'success', t.amount_minor, p.currency, p.reference, t.idempotency_key, $8
FROM payment p, unnest($12::uuid[], $13::text[], $14::bigint[], $15::text[]) AS t (id, kind, amount_minor, idempotency_key)
