WITH moved AS (
    SELECT item_id, location_id, sum(on_hand_delta)::bigint AS on_hand, sum(unavailable_delta)::bigint AS unavailable,
           sum(committed_delta)::bigint AS committed, sum(reserved_delta)::bigint AS reserved
    FROM stock_movements GROUP BY item_id, location_id
), different AS (
    SELECT l.item_id, l.location_id, l.on_hand, l.unavailable, l.committed, l.reserved, coalesce(m.on_hand, 0) AS moved_on_hand,
           coalesce(m.unavailable, 0) AS moved_unavailable, coalesce(m.committed, 0) AS moved_committed, coalesce(m.reserved, 0) AS moved_reserved
    FROM inventory_levels l LEFT JOIN moved m USING (item_id, location_id)
    WHERE (l.on_hand, l.unavailable, l.committed, l.reserved)
          <> (coalesce(m.on_hand, 0), coalesce(m.unavailable, 0), coalesce(m.committed, 0), coalesce(m.reserved, 0))
)
SELECT (SELECT count(*) FROM inventory_levels l JOIN locations loc ON loc.id = l.location_id AND loc.bucket_of IS NULL) AS levels, (SELECT count(*) FROM different) AS different,
       coalesce((SELECT jsonb_agg(jsonb_build_object('item', item_id,
           'location', coalesce((SELECT loc.bucket_of FROM locations loc WHERE loc.id = location_id), location_id),
           'level', jsonb_build_object('on_hand', on_hand, 'unavailable', unavailable, 'committed', committed, 'reserved', reserved),
           'movements', jsonb_build_object('on_hand', moved_on_hand, 'unavailable', moved_unavailable, 'committed', moved_committed,
               'reserved', moved_reserved)))
           FROM (SELECT * FROM different ORDER BY item_id, location_id LIMIT 100) first), '[]') AS differences
