-- $1 variant, $2 item, $3 location, $4 the movement to go on before, $5 limit; all but the last may be null.
SELECT m.id, m.item_id, m.location_id, v.id AS variant_id, v.sku, m.kind, m.on_hand_delta, m.unavailable_delta,
       m.committed_delta, m.reserved_delta, m.reason, m.cause_type, m.cause_id, m.actor, m.at
FROM stock_movements m
LEFT JOIN product_variants v ON v.inventory_item_id = m.item_id
WHERE ($1::uuid IS NULL OR v.id = $1) AND ($2::uuid IS NULL OR m.item_id = $2) AND ($3::uuid IS NULL OR m.location_id = $3)
  AND ($4::uuid IS NULL OR m.id < $4)
ORDER BY m.id DESC
LIMIT $5
