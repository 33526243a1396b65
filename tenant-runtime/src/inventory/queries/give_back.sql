-- $1 cart or null, $2 items whose stale reservations end too, $3 now, $4 actor. The levels are locked.
WITH given AS (
    UPDATE reservations r
    SET state = CASE WHEN r.cart_id IS NOT DISTINCT FROM $1 THEN 'released' ELSE 'expired' END
    WHERE r.state = 'held' AND (r.cart_id = $1 OR (r.item_id = ANY($2::uuid[]) AND r.expires_at <= $3))
    RETURNING r.cart_id, r.item_id, r.location_id, r.quantity
), forgotten AS (
    UPDATE reservations SET state = 'released' WHERE cart_id = $1 AND state = 'expired'
), summed AS (
    SELECT item_id, location_id, sum(quantity)::bigint AS quantity FROM given GROUP BY item_id, location_id
), lowered AS (
    UPDATE inventory_levels l
    SET reserved = l.reserved - s.quantity, version = l.version + 1, updated_at = $3
    FROM summed s WHERE l.item_id = s.item_id AND l.location_id = s.location_id
)
INSERT INTO stock_movements (id, item_id, location_id, kind, reserved_delta, reason, cause_type, cause_id, actor, at)
SELECT uuidv7(), item_id, location_id, 'unreserved', -quantity,
       CASE WHEN cart_id IS NOT DISTINCT FROM $1 THEN 'released' ELSE 'expired' END, 'cart', cart_id, $4, $3
FROM given
