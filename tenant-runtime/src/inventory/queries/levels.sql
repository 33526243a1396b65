-- $1 variant, $2 item, $3 location, $4 most available, $5 and $6 item and location to go on after, $7 limit; all but the last may be null.
-- A location is shown with its buckets.
SELECT l.item_id, l.location_id, v.id AS variant_id, v.product_id, p.title AS product_title, v.title AS variant_title,
       coalesce(v.sku, i.sku) AS sku, l.on_hand + b.on_hand AS on_hand, l.unavailable + b.unavailable AS unavailable,
       l.committed + b.committed AS committed, l.reserved + b.reserved AS reserved,
       l.on_hand - l.unavailable - l.committed - l.reserved + b.available AS available, l.safety_stock, l.backorderable,
       coalesce((SELECT sum(t.quantity - t.received - t.lost - t.returned) FROM stock_transfer_lines t
           JOIN stock_transfers w ON w.id = t.transfer_id AND w.state IN ('in_transit', 'partly_received')
           WHERE t.item_id = l.item_id AND w.destination_id = l.location_id), 0)::bigint AS incoming,
       l.version + b.version AS version, greatest(l.updated_at, b.updated_at) AS updated_at
FROM inventory_levels l
JOIN locations loc ON loc.id = l.location_id AND loc.bucket_of IS NULL
JOIN inventory_items i ON i.id = l.item_id
LEFT JOIN product_variants v ON v.inventory_item_id = l.item_id
LEFT JOIN products p ON p.id = v.product_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(o.on_hand), 0)::bigint AS on_hand, coalesce(sum(o.unavailable), 0)::bigint AS unavailable,
           coalesce(sum(o.committed), 0)::bigint AS committed, coalesce(sum(o.reserved), 0)::bigint AS reserved,
           coalesce(sum(o.on_hand - o.unavailable - o.committed - o.reserved), 0)::bigint AS available,
           coalesce(sum(o.version), 0)::bigint AS version, max(o.updated_at) AS updated_at
    FROM inventory_levels o JOIN locations ol ON ol.id = o.location_id
    WHERE o.item_id = l.item_id AND ol.bucket_of = l.location_id
) b
WHERE ($1::uuid IS NULL OR v.id = $1) AND ($2::uuid IS NULL OR l.item_id = $2) AND ($3::uuid IS NULL OR l.location_id = $3)
  AND ($4::bigint IS NULL OR l.on_hand - l.unavailable - l.committed - l.reserved + b.available <= $4)
  AND ($5::uuid IS NULL OR (l.item_id, l.location_id) > ($5, $6))
ORDER BY l.item_id, l.location_id
LIMIT $7
