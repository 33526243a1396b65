SELECT s.id, s.order_id, s.provider, s.state, s.amount_minor, s.currency, s.idempotency_key, s.reference, s.redirect_url, s.return_url,
       s.failure_code, s.attempts, s.created_at, s.capture_minor,
       p.id AS payment_id, p.authorized_minor, p.captured_minor, p.refunded_minor,
       c.secret, c.secret_key, c.mode, c.former_until
FROM payment_sessions s
LEFT JOIN payments p ON p.session_id = s.id
LEFT JOIN payment_credentials c ON c.provider = s.provider
WHERE s.id = $1
