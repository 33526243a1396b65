-- $1 item, $2 location: the location's row and its buckets, in the order of everybody.
SELECT l.on_hand
FROM inventory_levels l JOIN locations loc ON loc.id = l.location_id
WHERE l.item_id = $1 AND (loc.id = $2 OR loc.bucket_of = $2)
ORDER BY loc.bucket_of IS NOT NULL, l.location_id
FOR UPDATE OF l
