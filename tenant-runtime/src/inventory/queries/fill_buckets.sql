-- $1 item, $2 location, $3 how many, $4 now: an empty row for each bucket that has none.
INSERT INTO inventory_levels (item_id, location_id, updated_at)
SELECT $1, b.id, $4 FROM locations b WHERE b.bucket_of = $2 AND b.bucket <= $3 ORDER BY b.id
ON CONFLICT DO NOTHING
