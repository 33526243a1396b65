SELECT d.id, d.number, d.state, c.customer_id, c.email, d.tags, c.currency, d.total_minor, d.order_id,
       (c.terms ->> 'valid_until')::timestamptz AS valid_until, d.invoice_sent_at, d.ended_at, d.created_at, d.updated_at
FROM draft_orders d
JOIN carts c ON c.id = d.id
WHERE ($1::text IS NULL OR d.state = $1)
  AND ($2::text IS NULL OR lower(c.email) = lower($2))
  AND ($3::uuid IS NULL OR c.customer_id = $3)
  AND ($4::text IS NULL OR d.tags @> ARRAY[$4])
  AND ($5::timestamptz IS NULL OR d.created_at >= $5)
  AND ($6::timestamptz IS NULL OR d.created_at < $6)
  AND ($7::text IS NULL OR d.number::text = ltrim($7, '#Dd') OR lower(c.email) LIKE lower($7) || '%')
