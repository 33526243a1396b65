-- $1 items, $2 cart or null: also the rows of its reservations. Always in this order, so that nobody waits in a ring:
-- items in buckets last, and of these the locations' own rows before those of buckets.
SELECT l.item_id, l.location_id, coalesce(loc.bucket_of, loc.id) AS main_id,
       l.on_hand - l.unavailable - l.committed - l.reserved AS available, l.safety_stock, l.backorderable, loc.priority, loc.active,
       EXISTS (SELECT 1 FROM reservations r WHERE r.cart_id = $2 AND r.state IN ('held', 'expired')) AS cart_has
FROM inventory_levels l
JOIN locations loc ON loc.id = l.location_id
JOIN inventory_items i ON i.id = l.item_id
WHERE (l.item_id, l.location_id) IN (
    SELECT o.item_id, o.location_id FROM inventory_levels o WHERE o.item_id = ANY($1::uuid[])
    UNION SELECT r.item_id, r.location_id FROM reservations r WHERE r.cart_id = $2)
ORDER BY i.buckets > 0, loc.bucket_of IS NOT NULL, l.item_id, l.location_id
FOR UPDATE OF l
