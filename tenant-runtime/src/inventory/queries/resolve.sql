-- $1 variant or null, $2 item or null, $3 location or null: what an adjustment is about.
SELECT (SELECT i.id FROM inventory_items i
        WHERE i.id = coalesce($2, (SELECT v.inventory_item_id FROM product_variants v WHERE v.id = $1))) AS item_id,
       (SELECT loc.id FROM locations loc WHERE loc.bucket_of IS NULL AND CASE WHEN $3::uuid IS NULL THEN loc.active ELSE loc.id = $3 END
        ORDER BY loc.priority, loc.id LIMIT 1) AS location_id
