-- $1 id, $2 handle, $3 title, $4 description, $5 published, $6 rules or null, $7 whether any of them is enough, $8 now. A former handle is kept;
-- whoever takes it has it.
WITH old AS (
    SELECT id, handle FROM collections WHERE id = $1
), gone AS (
    DELETE FROM collection_redirects WHERE handle = $2
), kept AS (
    INSERT INTO collection_redirects (handle, collection_id) SELECT old.handle, old.id FROM old WHERE old.handle <> $2
    ON CONFLICT (handle) DO UPDATE SET collection_id = excluded.collection_id
)
INSERT INTO collections (id, handle, title, description_html, published, rules, match_any, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
ON CONFLICT (id) DO UPDATE
SET handle = excluded.handle, title = excluded.title, description_html = excluded.description_html, published = excluded.published,
    rules = excluded.rules, match_any = excluded.match_any, updated_at = excluded.updated_at, version = collections.version + 1
