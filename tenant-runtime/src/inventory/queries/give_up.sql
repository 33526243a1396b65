-- $1 cart, $2 order, $3 now, $4 actor, $5 items, $6 pieces of each, $7 whether they go back on sale. The levels are locked.
-- Of an item at several locations the first give first. An item may be named several times (two lines of it, some pieces back on sale and
-- some not): each takes what follows on the pieces of the one before.
WITH asked AS (
    SELECT w.item_id, w.restock, sum(w.quantity)::bigint AS quantity
    FROM unnest($5::uuid[], $6::bigint[], $7::boolean[]) AS w (item_id, quantity, restock) GROUP BY w.item_id, w.restock
), wanted AS (
    SELECT item_id, restock, sum(quantity) OVER upto - quantity AS low, sum(quantity) OVER upto AS high
    FROM asked WINDOW upto AS (PARTITION BY item_id ORDER BY restock)
), mine AS (
    SELECT id, item_id, location_id, quantity, sum(quantity) OVER upto - quantity AS low, sum(quantity) OVER upto AS high
    FROM reservations WHERE cart_id = $1 AND state = 'committed'
    WINDOW upto AS (PARTITION BY item_id ORDER BY location_id, id)
), had AS (
    SELECT m.id, m.item_id, m.location_id, m.quantity, w.restock, (least(m.high, w.high) - greatest(m.low, w.low))::bigint AS part
    FROM mine m JOIN wanted w ON w.item_id = m.item_id AND w.low < m.high AND m.low < w.high
), lessened AS (
    UPDATE reservations r
    SET quantity = CASE WHEN h.part = h.quantity THEN r.quantity ELSE r.quantity - h.part END,
        state = CASE WHEN h.part = h.quantity THEN 'released' ELSE r.state END
    FROM (SELECT id, quantity, sum(part)::bigint AS part FROM had GROUP BY id, quantity) h WHERE r.id = h.id
), summed AS (
    SELECT item_id, location_id, restock, sum(part)::bigint AS quantity FROM had GROUP BY item_id, location_id, restock
), lowered AS (
    UPDATE inventory_levels l
    SET committed = l.committed - s.quantity, on_hand = l.on_hand - s.gone, version = l.version + 1, updated_at = $3
    FROM (SELECT item_id, location_id, sum(quantity)::bigint AS quantity,
                 coalesce(sum(quantity) FILTER (WHERE NOT restock), 0)::bigint AS gone
          FROM summed GROUP BY item_id, location_id) s
    WHERE l.item_id = s.item_id AND l.location_id = s.location_id
)
INSERT INTO stock_movements (id, item_id, location_id, kind, on_hand_delta, committed_delta, reason, cause_type, cause_id, actor, at)
SELECT uuidv7(), item_id, location_id, CASE WHEN restock THEN 'restocked' ELSE 'released' END,
       CASE WHEN restock THEN 0 ELSE -quantity END, -quantity, 'order_refunded', 'order', $2, $4, $3
FROM summed
