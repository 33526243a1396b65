-- $1 item, $2 location, $3 buckets (0 gathers what is free), $4 now, $5 actor. The rows are locked. What is free is dealt out evenly, the first
-- buckets take the rest of the division; the location's own row keeps the safety stock, and all of it where more is promised than there is.
WITH here AS (
    SELECT l.location_id, loc.bucket, l.on_hand - l.unavailable - l.committed - l.reserved AS free, l.safety_stock
    FROM inventory_levels l JOIN locations loc ON loc.id = l.location_id
    WHERE l.item_id = $1 AND (loc.id = $2 OR loc.bucket_of = $2)
), pool AS (
    SELECT sum(free)::bigint AS free,
           CASE WHEN $3 = 0 THEN sum(free)::bigint ELSE least(sum(free)::bigint, coalesce(max(safety_stock), 0)) END AS kept
    FROM here
), share AS (
    SELECT h.location_id, CASE
               WHEN h.bucket IS NULL THEN p.kept
               WHEN h.bucket > $3 THEN 0
               ELSE (p.free - p.kept) / $3 + CASE WHEN h.bucket <= (p.free - p.kept) % $3 THEN 1 ELSE 0 END
           END - h.free AS delta
    FROM here h, pool p
), moved AS (
    UPDATE inventory_levels l SET on_hand = l.on_hand + s.delta, dealt = l.dealt + s.delta, version = l.version + 1, updated_at = $4
    FROM share s WHERE l.item_id = $1 AND l.location_id = s.location_id AND s.delta <> 0
    RETURNING l.location_id, s.delta
)
INSERT INTO stock_movements (id, item_id, location_id, kind, on_hand_delta, actor, at)
SELECT uuidv7(), $1, location_id, 'dealt', delta, $5, $4 FROM moved
