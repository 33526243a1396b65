-- $1 item, $2 whether it may fall below zero, $3 no bound, $4 now. What is already promised beyond the stock stays promised: the bound does
-- not fall below it. A limit is kept at one location, the first, so that it is one limit.
UPDATE inventory_levels l
SET backorderable = greatest(CASE
        WHEN NOT $2 OR loc.bucket_of IS NOT NULL THEN 0
        WHEN i.backorder_limit IS NULL THEN $3
        WHEN l.location_id = (
            SELECT o.location_id FROM inventory_levels o JOIN locations f ON f.id = o.location_id
            WHERE o.item_id = $1 AND f.bucket_of IS NULL ORDER BY NOT f.active, f.priority, f.id LIMIT 1) THEN i.backorder_limit
        ELSE 0 END, l.unavailable + l.committed + l.reserved - l.on_hand),
    version = l.version + 1, updated_at = $4
FROM inventory_items i, locations loc
WHERE l.item_id = $1 AND i.id = $1 AND loc.id = l.location_id
