-- Whoever takes one puts its next turn off, so that a worker that dies loses an hour and nothing else.
UPDATE payouts p SET next_poll_at = $1 + interval '1 hour'
FROM (SELECT id FROM payouts WHERE next_poll_at <= $1 ORDER BY next_poll_at, id LIMIT $2 FOR UPDATE SKIP LOCKED) due
WHERE p.id = due.id
RETURNING p.id, p.provider, p.reference
