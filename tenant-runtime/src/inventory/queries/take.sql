-- $1 reservations, $2 items, $3 locations, $4 quantities, $5 cart, $6 expiry, $7 now, $8 actor.
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[]) AS w(id, item_id, location_id, quantity)
), taken AS (
    UPDATE inventory_levels l
    SET reserved = l.reserved + w.quantity, version = l.version + 1, updated_at = $7
    FROM wanted w
    WHERE l.item_id = w.item_id AND l.location_id = w.location_id
      AND l.on_hand - l.unavailable - l.committed - l.reserved - w.quantity
          >= CASE WHEN l.backorderable > 0 THEN -l.backorderable ELSE l.safety_stock END
    RETURNING w.id, w.item_id, w.location_id, w.quantity
), held AS (
    INSERT INTO reservations (id, cart_id, item_id, location_id, quantity, state, expires_at, created_at)
    SELECT id, $5, item_id, location_id, quantity, 'held', $6, $7 FROM taken
)
INSERT INTO stock_movements (id, item_id, location_id, kind, reserved_delta, cause_type, cause_id, actor, at)
SELECT uuidv7(), item_id, location_id, 'reserved', quantity, 'cart', $5, $8, $7 FROM taken
