-- $1 items, $2 location: what lies there with its buckets, and how much of it may go; none where there is no such item or location.
SELECT i.id AS item_id, coalesce(s.on_hand, 0)::bigint AS on_hand, coalesce(s.room, 0)::bigint AS room
FROM inventory_items i
LEFT JOIN LATERAL (
    SELECT sum(l.on_hand) AS on_hand,
           sum(l.on_hand - l.unavailable - l.committed - l.reserved + l.backorderable) AS room
    FROM inventory_levels l JOIN locations loc ON loc.id = l.location_id
    WHERE l.item_id = i.id AND (loc.id = $2 OR loc.bucket_of = $2)
) s ON true
WHERE i.id = ANY($1::uuid[]) AND EXISTS (SELECT FROM locations loc WHERE loc.id = $2 AND loc.bucket_of IS NULL)
ORDER BY i.id
