-- $1 cart, $2 order, $3 now, $4 actor, $5 items, $6 pieces of each, $7 whether they go back on sale. The levels are locked.
-- Of an item at several locations the first give first.
WITH wanted AS (
    SELECT * FROM unnest($5::uuid[], $6::bigint[], $7::boolean[]) AS w (item_id, quantity, restock)
), had AS (
    SELECT r.id, r.item_id, r.location_id, r.quantity, w.restock,
           least(r.quantity, greatest(w.quantity - (sum(r.quantity) OVER (PARTITION BY r.item_id ORDER BY r.location_id, r.id) - r.quantity), 0))::bigint AS part
    FROM reservations r JOIN wanted w ON w.item_id = r.item_id
    WHERE r.cart_id = $1 AND r.state = 'committed'
), lessened AS (
    UPDATE reservations r
    SET quantity = CASE WHEN h.part = h.quantity THEN r.quantity ELSE r.quantity - h.part END,
        state = CASE WHEN h.part = h.quantity THEN 'released' ELSE r.state END
    FROM had h WHERE r.id = h.id AND h.part > 0
), summed AS (
    SELECT item_id, location_id, restock, sum(part)::bigint AS quantity FROM had WHERE part > 0 GROUP BY item_id, location_id, restock
), lowered AS (
    UPDATE inventory_levels l
    SET committed = l.committed - s.quantity, on_hand = l.on_hand - CASE WHEN s.restock THEN 0 ELSE s.quantity END,
        version = l.version + 1, updated_at = $3
    FROM summed s WHERE l.item_id = s.item_id AND l.location_id = s.location_id
)
INSERT INTO stock_movements (id, item_id, location_id, kind, on_hand_delta, committed_delta, reason, cause_type, cause_id, actor, at)
SELECT uuidv7(), item_id, location_id, CASE WHEN restock THEN 'restocked' ELSE 'released' END,
       CASE WHEN restock THEN 0 ELSE -quantity END, -quantity, 'order_refunded', 'order', $2, $4, $3
FROM summed
