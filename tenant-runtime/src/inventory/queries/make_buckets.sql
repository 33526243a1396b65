-- $1 location, $2 how many, $3 now.
INSERT INTO locations (id, name, country, priority, active, created_at, updated_at, bucket_of, bucket)
SELECT uuidv7(), loc.id::text || '/' || n, loc.country, loc.priority, loc.active, $3, $3, loc.id, n
FROM locations loc, generate_series(1, $2) AS n
WHERE loc.id = $1
ON CONFLICT DO NOTHING
