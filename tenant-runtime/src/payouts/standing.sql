-- Entries with what they belong to, once that has happened here: until then an entry waits.
SELECT e.id, e.kind, e.gross_minor, e.fee_minor, e.currency, e.booked, e.payout_id IS NOT NULL AS is_paid_out,
       coalesce(d.order_id, r.order_id, p.order_id) AS order_id, coalesce(d.payment_id, r.payment_id, p.id) AS payment_id,
       r.id AS refund_id, d.id AS dispute_id,
       coalesce(d.amount_minor, r.amount_minor, p.captured_minor) AS origin_minor, coalesce(d.currency, r.currency, p.currency) AS origin_currency
FROM payout_entries e
LEFT JOIN payments p ON e.kind = 'charge' AND p.session_id = e.told_session AND p.captured_minor > 0
LEFT JOIN refunds r ON e.kind = 'refund' AND r.id = e.told_refund AND r.state = 'succeeded'
LEFT JOIN disputes d ON e.kind = 'dispute' AND d.provider = e.provider AND d.reference = e.source
    AND (d.state = 'won' OR d.state IN ('needs_response', 'under_review', 'lost') AND e.gross_minor < 0)
WHERE e.provider = $1 AND e.reference = ANY($2)
ORDER BY e.reference
FOR UPDATE OF e
