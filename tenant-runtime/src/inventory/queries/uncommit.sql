-- $1 cart, $2 order, $3 now, $4 actor, $5 whether the goods go back on sale. The levels are locked.
WITH given AS (
    UPDATE reservations SET state = 'released' WHERE cart_id = $1 AND state = 'committed'
    RETURNING item_id, location_id, quantity
), summed AS (
    SELECT item_id, location_id, sum(quantity)::bigint AS quantity FROM given GROUP BY item_id, location_id
), lowered AS (
    UPDATE inventory_levels l
    SET committed = l.committed - s.quantity, on_hand = l.on_hand - gone.pieces, version = l.version + 1, updated_at = $3
    FROM summed s, LATERAL (SELECT CASE WHEN $5 THEN 0 ELSE s.quantity END AS pieces) gone
    WHERE l.item_id = s.item_id AND l.location_id = s.location_id
)
INSERT INTO stock_movements (id, item_id, location_id, kind, on_hand_delta, committed_delta, reason, cause_type, cause_id, actor, at)
SELECT uuidv7(), item_id, location_id, CASE WHEN $5 THEN 'restocked' ELSE 'released' END,
       CASE WHEN $5 THEN 0 ELSE -quantity END, -quantity, 'order_cancelled', 'order', $2, $4, $3
FROM summed
