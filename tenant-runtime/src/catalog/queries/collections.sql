-- $1 id or null, $6 handle or null, $2 published or null, $3 whether only products for sale count, $4 id to go on before or null, $5 limit.
SELECT c.id, c.handle, c.title, c.description_html, c.published, c.version, c.created_at, c.updated_at,
       (SELECT count(*) FROM collection_products cp JOIN products p ON p.id = cp.product_id
        WHERE cp.collection_id = c.id AND (NOT $3 OR p.status = 'active')) AS product_count
FROM collections c
WHERE ($1::uuid IS NULL OR c.id = $1) AND ($6::text IS NULL OR c.handle = $6) AND ($2::boolean IS NULL OR c.published = $2) AND ($4::uuid IS NULL OR c.id < $4)
ORDER BY c.id DESC
LIMIT $5
