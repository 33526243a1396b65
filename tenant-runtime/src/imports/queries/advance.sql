-- $1 import, $2 state, $3 rows more, $4 created, $5 updated, $6 unchanged, $7 failed, $8 errors, $9 warnings, $10 byte and $11 row of the mark,
-- $12 now. The row is locked.
UPDATE imports
SET state = $2, rows_done = rows_done + $3, created = created + $4, updated = updated + $5, unchanged = unchanged + $6,
    failed = failed + $7, errors = errors + $8, warnings = warnings + $9, at_byte = $10, at_row = $11, attempts = 0,
    started_at = coalesce(started_at, $12),
    finished_at = CASE WHEN $2 = 'done' THEN $12 END,
    next_attempt_at = CASE WHEN $2 = 'running' THEN next_attempt_at END,
    slot = CASE WHEN $2 = 'running' THEN slot END
WHERE id = $1
