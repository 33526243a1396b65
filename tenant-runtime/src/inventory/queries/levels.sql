-- $1 variant, $2 item, $3 location, $4 most available, $5 and $6 item and location to go on after, $7 limit; all but the last may be null.
SELECT l.item_id, l.location_id, v.id AS variant_id, v.product_id, p.title AS product_title, v.title AS variant_title,
       coalesce(v.sku, i.sku) AS sku, l.on_hand, l.unavailable, l.committed, l.reserved,
       l.on_hand - l.unavailable - l.committed - l.reserved AS available, l.backorderable, l.version, l.updated_at
FROM inventory_levels l
JOIN inventory_items i ON i.id = l.item_id
LEFT JOIN product_variants v ON v.inventory_item_id = l.item_id
LEFT JOIN products p ON p.id = v.product_id
WHERE ($1::uuid IS NULL OR v.id = $1) AND ($2::uuid IS NULL OR l.item_id = $2) AND ($3::uuid IS NULL OR l.location_id = $3)
  AND ($4::bigint IS NULL OR l.on_hand - l.unavailable - l.committed - l.reserved <= $4)
  AND ($5::uuid IS NULL OR (l.item_id, l.location_id) > ($5, $6))
ORDER BY l.item_id, l.location_id
LIMIT $7
