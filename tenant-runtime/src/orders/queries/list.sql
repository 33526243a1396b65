SELECT o.id, o.number, o.name, o.state, o.financial_status, o.fulfillment_status, o.email, o.currency, o.total_minor, o.placed_at,
       o.cancelled_at, o.created_at,
       (SELECT coalesce(sum(l.quantity), 0)::bigint FROM order_lines l WHERE l.order_id = o.id) AS item_count
FROM orders o
WHERE ($1::text IS NULL OR o.state = $1)
  AND ($2::text IS NULL OR o.financial_status = $2)
  AND ($3::text IS NULL OR o.fulfillment_status = $3)
  AND ($4::text IS NULL OR lower(o.email) = lower($4))
  AND ($5::timestamptz IS NULL OR o.created_at >= $5)
  AND ($6::timestamptz IS NULL OR o.created_at < $6)
  AND ($11::uuid IS NULL OR o.customer_id = $11)
  AND ($7::text IS NULL OR o.name = $7 OR o.number::text = ltrim($7, '#') OR lower(o.email) LIKE lower($7) || '%')
  -- an attempt that never became an order and moved no money is shown only when asked for by its state
  AND ($1 IS NOT NULL OR o.number IS NOT NULL OR o.financial_status NOT IN ('pending', 'voided', 'expired'))
