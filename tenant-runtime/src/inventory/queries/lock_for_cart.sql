-- $1 items, $2 cart, $3 pieces of each. As lock_levels, but of an item that is dealt into buckets it takes one that has enough and that nobody
-- has locked: whoever comes at the same moment takes another. Only for one such item, and only for a cart that holds nothing yet; else all
-- rows are waited for in their order. A bucket is locked last, and without waiting, so it closes no ring.
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $3::bigint[]) AS w (item_id, quantity)
), mine AS MATERIALIZED (
    SELECT r.item_id FROM reservations r WHERE r.cart_id = $2 AND r.state IN ('held', 'expired')
), dealt AS (
    SELECT w.item_id, w.quantity FROM wanted w JOIN inventory_items i ON i.id = w.item_id WHERE i.buckets > 0
), hot AS MATERIALIZED (
    SELECT d.item_id, d.quantity FROM dealt d
    WHERE (SELECT count(*) FROM dealt) = 1 AND NOT EXISTS (SELECT 1 FROM mine)
), waited AS (
    SELECT l.item_id, l.location_id, coalesce(loc.bucket_of, loc.id) AS main_id,
           l.on_hand - l.unavailable - l.committed - l.reserved AS available, l.safety_stock, l.backorderable, loc.priority, loc.active
    FROM inventory_levels l JOIN locations loc ON loc.id = l.location_id JOIN inventory_items i ON i.id = l.item_id
    WHERE l.item_id IN (SELECT item_id FROM wanted UNION SELECT item_id FROM mine) AND l.item_id NOT IN (SELECT item_id FROM hot)
    ORDER BY i.buckets > 0, loc.bucket_of IS NOT NULL, l.item_id, l.location_id
    FOR UPDATE OF l
), place AS MATERIALIZED (
    SELECT coalesce(loc.bucket_of, loc.id) AS id
    FROM hot h JOIN inventory_levels l ON l.item_id = h.item_id JOIN locations loc ON loc.id = l.location_id AND loc.active
    GROUP BY coalesce(loc.bucket_of, loc.id), h.quantity
    HAVING sum(greatest(l.on_hand - l.unavailable - l.committed - l.reserved - l.safety_stock, 0)) >= h.quantity
    ORDER BY min(loc.priority), coalesce(loc.bucket_of, loc.id) LIMIT 1
), picked AS (
    SELECT l.item_id, l.location_id, coalesce(loc.bucket_of, loc.id) AS main_id,
           l.on_hand - l.unavailable - l.committed - l.reserved AS available, l.safety_stock, l.backorderable, loc.priority, loc.active
    FROM inventory_levels l JOIN locations loc ON loc.id = l.location_id
    WHERE l.item_id = (SELECT item_id FROM hot) AND coalesce(loc.bucket_of, loc.id) = (SELECT id FROM place)
      AND l.on_hand - l.unavailable - l.committed - l.reserved - l.safety_stock >= (SELECT quantity FROM hot)
    ORDER BY random() LIMIT 1
    FOR UPDATE OF l SKIP LOCKED
)
SELECT *, EXISTS (SELECT 1 FROM mine) AS cart_has FROM waited
UNION ALL
SELECT *, false AS cart_has FROM picked
