-- $1 item in buckets, $2 pieces. Every bucket with enough is somebody's at this moment: waits for one of them, in their order. The location's own
-- row is the gate: one waits for a bucket, the others for the gate, and whoever comes meanwhile takes a bucket that becomes free.
WITH place AS MATERIALIZED (
    SELECT coalesce(loc.bucket_of, loc.id) AS id
    FROM inventory_levels l JOIN locations loc ON loc.id = l.location_id AND loc.active
    WHERE l.item_id = $1
    GROUP BY coalesce(loc.bucket_of, loc.id)
    HAVING sum(greatest(l.on_hand - l.unavailable - l.committed - l.reserved - l.safety_stock, 0)) >= $2
    ORDER BY min(loc.priority), coalesce(loc.bucket_of, loc.id) LIMIT 1
), gate AS MATERIALIZED (
    SELECT l.location_id FROM inventory_levels l
    WHERE l.item_id = $1 AND l.location_id = (SELECT id FROM place)
    FOR UPDATE
)
SELECT l.item_id, l.location_id, coalesce(loc.bucket_of, loc.id) AS main_id,
       l.on_hand - l.unavailable - l.committed - l.reserved AS available, l.safety_stock, l.backorderable, loc.priority, loc.active,
       false AS cart_has
FROM inventory_levels l JOIN locations loc ON loc.id = l.location_id
WHERE l.item_id = $1 AND coalesce(loc.bucket_of, loc.id) = (SELECT location_id FROM gate)
  AND l.on_hand - l.unavailable - l.committed - l.reserved - l.safety_stock >= $2
ORDER BY loc.bucket_of IS NOT NULL, l.location_id LIMIT 1
FOR UPDATE OF l
