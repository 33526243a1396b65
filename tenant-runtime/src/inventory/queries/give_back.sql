-- $1 cart or null, $2 and $3 items and locations of the rows whose stale reservations end too, $4 now, $5 actor. The rows are locked.
WITH given AS (
    UPDATE reservations r
    SET state = CASE WHEN r.cart_id IS NOT DISTINCT FROM $1 THEN 'released' ELSE 'expired' END
    WHERE r.state = 'held' AND (r.cart_id = $1 OR (r.item_id = ANY($2::uuid[]) AND r.expires_at <= $4
        AND (r.item_id, r.location_id) IN (SELECT * FROM unnest($2::uuid[], $3::uuid[]))))
    RETURNING r.cart_id, r.item_id, r.location_id, r.quantity
), forgotten AS (
    UPDATE reservations SET state = 'released' WHERE cart_id = $1 AND state = 'expired'
), summed AS (
    SELECT item_id, location_id, sum(quantity)::bigint AS quantity FROM given GROUP BY item_id, location_id
), lowered AS (
    UPDATE inventory_levels l
    SET reserved = l.reserved - s.quantity, version = l.version + 1, updated_at = $4
    FROM summed s WHERE l.item_id = s.item_id AND l.location_id = s.location_id
)
INSERT INTO stock_movements (id, item_id, location_id, kind, reserved_delta, reason, cause_type, cause_id, actor, at)
SELECT uuidv7(), item_id, location_id, 'unreserved', -quantity,
       CASE WHEN cart_id IS NOT DISTINCT FROM $1 THEN 'released' ELSE 'expired' END, 'cart', cart_id, $5, $4
FROM given
