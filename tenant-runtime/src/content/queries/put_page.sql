-- $1 id, $2 handle, $3 title, $4 text, $5 and $6 for search engines, $7 translations, $8 status, $9 its time, $10 when a worker looks, $11 now.
-- A former handle is kept; whoever takes it has it.
WITH old AS (
    SELECT id, handle FROM pages WHERE id = $1
), gone AS (
    DELETE FROM page_redirects WHERE handle = $2
), kept AS (
    INSERT INTO page_redirects (handle, page_id) SELECT old.handle, old.id FROM old WHERE old.handle <> $2
    ON CONFLICT (handle) DO UPDATE SET page_id = excluded.page_id
)
INSERT INTO pages (id, handle, title, body_html, seo_title, seo_description, translations, status, published_at, next_attempt_at, created_at,
                   updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
ON CONFLICT (id) DO UPDATE
SET handle = excluded.handle, title = excluded.title, body_html = excluded.body_html, seo_title = excluded.seo_title,
    seo_description = excluded.seo_description, translations = excluded.translations, status = excluded.status,
    published_at = excluded.published_at, next_attempt_at = excluded.next_attempt_at, updated_at = excluded.updated_at,
    version = pages.version + 1
