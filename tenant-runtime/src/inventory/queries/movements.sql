-- $1 variant, $2 item, $3 location, $4 the movement to go on before, $5 limit; all but the last may be null. What happens in a bucket happened
-- at its location; what went between the two is nobody's business.
SELECT m.id, m.item_id, coalesce(loc.bucket_of, m.location_id) AS location_id, v.id AS variant_id, v.sku, m.kind, m.on_hand_delta,
       m.unavailable_delta, m.committed_delta, m.reserved_delta, m.reason, m.cause_type, m.cause_id, m.actor, m.at
FROM stock_movements m
LEFT JOIN locations loc ON loc.id = m.location_id
LEFT JOIN product_variants v ON v.inventory_item_id = m.item_id
WHERE ($1::uuid IS NULL OR v.id = $1) AND ($2::uuid IS NULL OR m.item_id = $2)
  AND ($3::uuid IS NULL OR m.location_id = $3 OR loc.bucket_of = $3)
  AND ($4::uuid IS NULL OR m.id < $4) AND m.kind <> 'dealt'
ORDER BY m.id DESC
LIMIT $5
