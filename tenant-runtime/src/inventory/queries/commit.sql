-- $1 cart, $2 order, $3 now, $4 actor. The levels are locked. What ran out is taken again if there is room for all of it.
WITH mine AS (
    SELECT item_id, location_id, sum(quantity)::bigint AS quantity,
           coalesce(sum(quantity) FILTER (WHERE state = 'held'), 0)::bigint AS held
    FROM reservations WHERE cart_id = $1 AND state IN ('held', 'expired') GROUP BY item_id, location_id
), room AS (
    SELECT coalesce(bool_and(
        m.held = m.quantity
        OR l.on_hand - l.unavailable - l.committed - l.reserved + m.held - m.quantity
            >= CASE WHEN l.backorderable > 0 THEN -l.backorderable ELSE l.safety_stock END), true) AS enough
    FROM mine m JOIN inventory_levels l ON l.item_id = m.item_id AND l.location_id = m.location_id
), moved AS (
    UPDATE inventory_levels l
    SET committed = l.committed + m.quantity, reserved = l.reserved - m.held, version = l.version + 1, updated_at = $3
    FROM mine m, room
    WHERE room.enough AND l.item_id = m.item_id AND l.location_id = m.location_id
    RETURNING m.item_id, m.location_id, m.quantity, m.held
), marked AS (
    UPDATE reservations r SET state = 'committed' FROM moved m
    WHERE r.cart_id = $1 AND r.state IN ('held', 'expired') AND r.item_id = m.item_id AND r.location_id = m.location_id
), told AS (
    INSERT INTO stock_movements (id, item_id, location_id, kind, committed_delta, reserved_delta, cause_type, cause_id, actor, at)
    SELECT uuidv7(), item_id, location_id, 'committed', quantity, -held, 'order', $2, $4, $3 FROM moved
)
SELECT (SELECT enough FROM room) AS enough, (SELECT count(*) FROM mine) AS wanted,
       EXISTS (SELECT 1 FROM reservations WHERE cart_id = $1 AND state = 'committed') AS before,
       EXISTS (SELECT 1 FROM reservations WHERE cart_id = $1) AS ever
