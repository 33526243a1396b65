-- $1 id, $2 handle, $3 title, $4 description, $5 vendor, $6 product type, $7 status, $8 tags, $9 and $10 for search engines, $11 now, $12 category.
WITH old AS (
    SELECT id, handle FROM products WHERE id = $1
), gone AS (
    DELETE FROM product_redirects WHERE handle = $2
), kept AS (
    INSERT INTO product_redirects (handle, product_id) SELECT old.handle, old.id FROM old WHERE old.handle <> $2
    ON CONFLICT (handle) DO UPDATE SET product_id = excluded.product_id
)
UPDATE products
SET handle = $2, title = $3, description_html = $4, vendor = $5, product_type = $6, status = $7, tags = $8, seo_title = $9,
    seo_description = $10, category_id = $12, updated_at = $11, version = version + 1,
    published_at = CASE WHEN $7 = 'active' THEN coalesce(published_at, $11) ELSE published_at END
WHERE id = $1
