-- $1 id, $2 format, $3 match, $4 dry run, $5 may adjust, $6 actor, $7 now, $8 slots, $9 may publish. No row when every slot is taken, or this
-- one was in this moment.
INSERT INTO imports (id, format, match_by, dry_run, may_adjust, may_publish, actor, state, slot, created_at, touched_at)
SELECT $1, $2, $3, $4, $5, $9, $6, 'uploading', s.slot, $7, $7
FROM generate_series(1, $8) AS s(slot)
WHERE NOT EXISTS (SELECT 1 FROM imports i WHERE i.slot = s.slot)
ORDER BY s.slot
LIMIT 1
ON CONFLICT (slot) DO NOTHING
