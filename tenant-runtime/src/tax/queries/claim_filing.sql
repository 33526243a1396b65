-- $1 now. The next thing to tell the provider, those of an order one after the other; whoever takes it has a minute before another may try.
WITH due AS (
    SELECT f.id
      FROM tax_filings f
     WHERE f.next_attempt_at <= $1
       AND EXISTS (SELECT FROM tax_provider p WHERE p.enabled)
       AND NOT EXISTS (SELECT FROM tax_filings e
                        WHERE e.order_id = f.order_id AND e.next_attempt_at IS NOT NULL AND (e.created_at, e.id) < (f.created_at, f.id))
     ORDER BY f.next_attempt_at, f.id LIMIT 1
       FOR UPDATE SKIP LOCKED
)
UPDATE tax_filings f
   SET attempts = f.attempts + 1, next_attempt_at = $1 + interval '60 seconds'
  FROM due, orders o
 WHERE f.id = due.id AND o.id = f.order_id
RETURNING f.id, f.order_id, f.refund_id, f.step, f.attempts, o.name, o.currency, o.prices_include_tax, o.total_minor, o.tax_minor, o.tax_source,
          (SELECT r.amount_minor FROM refunds r WHERE r.id = f.refund_id) AS refund_minor,
          (SELECT sum(l.tax_minor)::bigint FROM refund_lines l WHERE l.refund_id = f.refund_id) AS refund_tax_minor,
          coalesce((SELECT json_agg(json_build_object('name', t.name, 'jurisdiction', t.jurisdiction, 'rate_ppm', t.rate_ppm,
                       'taxable_minor', t.taxable_minor, 'amount_minor', t.amount_minor) ORDER BY t.id)
                    FROM tax_lines t WHERE t.order_id = o.id), '[]') AS tax_lines
