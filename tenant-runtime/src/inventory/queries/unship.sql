-- $1 cart, $2 order, $3 now, $4 actor, $5 items, $6 locations, $7 pieces that come back, $8 of them those the order still wants. The levels
-- are locked.
WITH back AS (
    SELECT * FROM unnest($5::uuid[], $6::uuid[], $7::bigint[], $8::bigint[]) AS b (item_id, location_id, quantity, wanted)
), kept AS (
    INSERT INTO reservations (id, cart_id, item_id, location_id, quantity, state, expires_at, created_at)
    SELECT uuidv7(), $1, item_id, location_id, wanted, 'committed', $3, $3 FROM back WHERE wanted > 0
), raised AS (
    UPDATE inventory_levels l
    SET on_hand = l.on_hand + b.quantity, committed = l.committed + b.wanted, version = l.version + 1, updated_at = $3
    FROM back b WHERE l.item_id = b.item_id AND l.location_id = b.location_id
)
INSERT INTO stock_movements (id, item_id, location_id, kind, on_hand_delta, committed_delta, reason, cause_type, cause_id, actor, at)
SELECT uuidv7(), item_id, location_id, 'restocked', quantity, wanted, 'fulfillment_cancelled', 'order', $2, $4, $3 FROM back
