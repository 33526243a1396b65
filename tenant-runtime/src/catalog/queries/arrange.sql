-- $1 collection, $2 products in their order, $3 now. The collection is locked.
WITH gone AS (
    DELETE FROM collection_products WHERE collection_id = $1 AND product_id <> ALL ($2::uuid[])
), touched AS (
    UPDATE collections SET version = version + 1, updated_at = $3 WHERE id = $1
)
INSERT INTO collection_products (collection_id, product_id, position)
SELECT $1, w.id, w.number - 1 FROM unnest($2::uuid[]) WITH ORDINALITY AS w (id, number)
ON CONFLICT (collection_id, product_id) DO UPDATE SET position = excluded.position
