-- $1 item, $2 location, $3 now. The level is made when it is missing: sold without regard to stock if the item's others are, without a bound.
WITH made AS (
    INSERT INTO inventory_levels (item_id, location_id, backorderable, safety_stock, updated_at)
    SELECT i.id, loc.id,
           CASE WHEN i.backorder_limit IS NULL THEN
               coalesce((SELECT max(o.backorderable) FROM inventory_levels o WHERE o.item_id = i.id), 0) ELSE 0 END,
           i.safety_stock, $3
    FROM inventory_items i, locations loc WHERE i.id = $1 AND loc.id = $2 AND loc.bucket_of IS NULL
    ON CONFLICT (item_id, location_id) DO UPDATE SET item_id = excluded.item_id
    RETURNING on_hand
)
SELECT made.on_hand, i.buckets, EXISTS (
    SELECT FROM inventory_levels l JOIN locations b ON b.id = l.location_id WHERE l.item_id = $1 AND b.bucket_of = $2) AS split
FROM made, inventory_items i WHERE i.id = $1
