-- $1 items. Of a bundle there are as many as of the component of which there are fewest; a component that is sold without regard to stock does not
-- count.
SELECT l.item_id, sum(greatest(l.on_hand - l.unavailable - l.committed - l.reserved - l.safety_stock,
           least(l.on_hand - l.unavailable - l.committed - l.reserved, 0)))::bigint AS available
FROM inventory_levels l
JOIN locations loc ON loc.id = l.location_id AND loc.active
WHERE l.item_id = ANY($1::uuid[]) AND NOT EXISTS (SELECT 1 FROM bundle_components b WHERE b.bundle_id = l.item_id)
GROUP BY l.item_id
UNION ALL
SELECT b.bundle_id, min(CASE WHEN s.endless THEN 999999999 ELSE greatest(coalesce(s.available, 0), 0) / b.quantity END)::bigint
FROM bundle_components b
LEFT JOIN LATERAL (
    SELECT sum(greatest(l.on_hand - l.unavailable - l.committed - l.reserved - l.safety_stock,
           least(l.on_hand - l.unavailable - l.committed - l.reserved, 0)))::bigint AS available, bool_or(l.backorderable > 0) AS endless
    FROM inventory_levels l
    JOIN locations loc ON loc.id = l.location_id AND loc.active
    WHERE l.item_id = b.item_id
) s ON true
WHERE b.bundle_id = ANY($1)
GROUP BY b.bundle_id
