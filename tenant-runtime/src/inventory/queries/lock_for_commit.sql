-- $1 cart, $2 until when. As lock_levels: the rows of what the cart reserved; and, of the items of which something ran out or may run out while
-- the rows are waited for, all rows: it may have to be taken elsewhere, and whoever locks a second time may lock out of order.
WITH mine AS (
    SELECT item_id, location_id, state = 'expired' OR state = 'held' AND expires_at <= $2 AS runs_out FROM reservations WHERE cart_id = $1
)
SELECT l.item_id, l.location_id, coalesce(loc.bucket_of, loc.id) AS main_id,
       l.on_hand - l.unavailable - l.committed - l.reserved AS available, l.safety_stock, l.backorderable, loc.priority, loc.active,
       EXISTS (SELECT 1 FROM reservations r WHERE r.cart_id = $1 AND r.state IN ('held', 'expired')) AS cart_has
FROM inventory_levels l
JOIN locations loc ON loc.id = l.location_id
JOIN inventory_items i ON i.id = l.item_id
WHERE (l.item_id, l.location_id) IN (
    SELECT o.item_id, o.location_id FROM inventory_levels o WHERE o.item_id IN (SELECT item_id FROM mine WHERE runs_out)
    UNION SELECT item_id, location_id FROM mine)
ORDER BY i.buckets > 0, loc.bucket_of IS NOT NULL, l.item_id, l.location_id
FOR UPDATE OF l
