-- $1 whether only products for sale count, $2 on which channel or null. The whole tree, parents before their children, siblings in their order.
WITH RECURSIVE tree AS (
    SELECT k.id, k.parent_id, k.handle, k.title, k.version, k.created_at, k.updated_at, ARRAY[k.position] AS places, ARRAY[k.id] AS path
    FROM categories k WHERE k.parent_id IS NULL
    UNION ALL
    SELECT k.id, k.parent_id, k.handle, k.title, k.version, k.created_at, k.updated_at, t.places || k.position, t.path || k.id
    FROM categories k JOIN tree t ON k.parent_id = t.id
)
SELECT t.id, t.parent_id, t.handle, t.title, t.version, t.created_at, t.updated_at, coalesce(n.products, 0) AS products
FROM tree t
LEFT JOIN (
    SELECT p.category_id, count(*) AS products FROM products p
    WHERE p.category_id IS NOT NULL AND (NOT $1 OR (p.status = 'active' AND EXISTS (SELECT 1 FROM product_publications x WHERE x.product_id = p.id AND x.visible AND x.channel_id =
      coalesce($2::uuid, (SELECT c.id FROM sales_channels c WHERE c.is_default))))) GROUP BY p.category_id
) AS n ON n.category_id = t.id
ORDER BY t.places, t.path
