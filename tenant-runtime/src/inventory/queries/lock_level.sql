-- $1 item, $2 location, $3 now. The level is made when it is missing, with the backorders of the item's other levels.
WITH made AS (
    INSERT INTO inventory_levels (item_id, location_id, backorderable, updated_at)
    SELECT i.id, loc.id, coalesce((SELECT max(o.backorderable) FROM inventory_levels o WHERE o.item_id = i.id), 0), $3
    FROM inventory_items i, locations loc WHERE i.id = $1 AND loc.id = $2
    ON CONFLICT (item_id, location_id) DO UPDATE SET item_id = excluded.item_id
    RETURNING on_hand
)
SELECT on_hand FROM made
