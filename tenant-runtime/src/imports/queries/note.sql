-- $1 import, $2 levels, $3 rows, $4 fields, $5 products or null, $6 codes, $7 messages, $8 most entries. The import is locked.
WITH known AS (
    SELECT count(*) AS number FROM import_entries WHERE import_id = $1
)
INSERT INTO import_entries (import_id, number, level, row_number, field, product, code, message)
SELECT $1, known.number + w.place, w.level, w.row_number, w.field, w.product, w.code, w.message
FROM known, unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
     WITH ORDINALITY AS w(level, row_number, field, product, code, message, place)
WHERE known.number + w.place <= $8
