-- $1 items, $2 skus, $3 on hand, $4 backorderable, $5 now, $6 actor.
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) AS w(id, sku, on_hand, backorderable)
), place AS (
    SELECT id FROM locations WHERE active AND bucket_of IS NULL ORDER BY priority, id LIMIT 1
), items AS (
    INSERT INTO inventory_items (id, sku, created_at) SELECT id, sku, $5 FROM wanted
), levels AS (
    INSERT INTO inventory_levels (item_id, location_id, on_hand, backorderable, updated_at)
    SELECT w.id, place.id, w.on_hand, w.backorderable, $5 FROM wanted w, place
)
INSERT INTO stock_movements (id, item_id, location_id, kind, on_hand_delta, reason, actor, at)
SELECT uuidv7(), w.id, place.id, 'received', w.on_hand, 'initial', $6, $5 FROM wanted w, place WHERE w.on_hand > 0
