-- $1 cart, $2 order, $3 now, $4 actor, $5 items, $6 pieces of each. The levels are locked. Of an item at several locations the first give first.
WITH wanted AS (
    SELECT * FROM unnest($5::uuid[], $6::bigint[]) AS w (item_id, quantity)
), had AS (
    SELECT r.id, r.item_id, r.location_id, r.quantity,
           least(r.quantity, greatest(w.quantity - (sum(r.quantity) OVER (PARTITION BY r.item_id ORDER BY r.location_id, r.id) - r.quantity), 0))::bigint AS part
    FROM reservations r JOIN wanted w ON w.item_id = r.item_id
    WHERE r.cart_id = $1 AND r.state = 'committed'
), lessened AS (
    UPDATE reservations r
    SET quantity = CASE WHEN h.part = h.quantity THEN r.quantity ELSE r.quantity - h.part END,
        state = CASE WHEN h.part = h.quantity THEN 'released' ELSE r.state END
    FROM had h WHERE r.id = h.id AND h.part > 0
), summed AS (
    SELECT item_id, location_id, sum(part)::bigint AS quantity FROM had WHERE part > 0 GROUP BY item_id, location_id
), lowered AS (
    UPDATE inventory_levels l
    SET committed = l.committed - s.quantity, on_hand = l.on_hand - s.quantity, version = l.version + 1, updated_at = $3
    FROM summed s WHERE l.item_id = s.item_id AND l.location_id = s.location_id
), told AS (
    INSERT INTO stock_movements (id, item_id, location_id, kind, on_hand_delta, committed_delta, cause_type, cause_id, actor, at)
    SELECT uuidv7(), item_id, location_id, 'shipped', -quantity, -quantity, 'order', $2, $4, $3 FROM summed
)
-- A bucket is its location to whoever packs.
SELECT s.item_id, coalesce(loc.bucket_of, loc.id) AS location_id, sum(s.quantity)::bigint AS quantity
FROM summed s JOIN locations loc ON loc.id = s.location_id GROUP BY 1, 2 ORDER BY 1, 2
