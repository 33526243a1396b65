-- $1 item, $2 location, $3 difference, $4 kind, $5 reason or null, $6 actor, $7 now, $8 and $9 what caused it and its id, or null.
WITH changed AS (
    UPDATE inventory_levels SET on_hand = on_hand + $3, version = version + 1, updated_at = $7
    WHERE item_id = $1 AND location_id = $2
    RETURNING item_id, location_id
)
INSERT INTO stock_movements (id, item_id, location_id, kind, on_hand_delta, reason, cause_type, cause_id, actor, at)
SELECT uuidv7(), item_id, location_id, $4, $3, $5, $8, $9, $6, $7 FROM changed
