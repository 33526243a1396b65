-- $1 status or null, $2 patterns, $3 collection id or null, $4 collection handle or null, $5 tag or null, $6 id to go on after or null,
-- $7 time, $8 title, $9 amount of the row to go on after, $10 limit, $11 category id or null, $12 category handle or null,
-- $13 whether a shopper looks, $14 on which channel or null. A former handle of a collection counts too. What follows is one of four orders.
SELECT p.id, p.handle, p.title, p.vendor, p.product_type, p.status, p.tags, p.version, p.created_at, p.updated_at, s.currency,
       price.lowest, price.highest, price.former, price.variants, price.only_variant, price.items, price.priced, price.endless, pic.id AS image_id, pic.alt AS image_alt,
       pic.content_type AS image_type, pic.width AS image_width, pic.height AS image_height
FROM store_settings s
CROSS JOIN (SELECT coalesce($3::uuid, (SELECT h.id FROM collections h WHERE h.handle = $4::text),
                            (SELECT r.collection_id FROM collection_redirects r WHERE r.handle = $4)) AS collection) AS chosen
CROSS JOIN products p
CROSS JOIN LATERAL (
    SELECT min(pr.amount_minor) AS lowest, max(pr.amount_minor) AS highest, max(pr.compare_at_minor) AS former, count(*) AS variants,
           CASE count(*) WHEN 1 THEN (array_agg(v.id))[1] END AS only_variant,
           coalesce(array_agg(v.inventory_item_id), '{}') AS items,
           coalesce(array_agg(v.inventory_item_id) FILTER (WHERE pr.amount_minor IS NOT NULL), '{}') AS priced,
           coalesce(bool_or(v.inventory_policy = 'continue' AND pr.amount_minor IS NOT NULL
                            AND NOT EXISTS (SELECT 1 FROM bundle_components b WHERE b.variant_id = v.id)), false) AS endless
    FROM product_variants v
    LEFT JOIN prices pr ON pr.variant_id = v.id AND pr.currency = (SELECT currency FROM store_settings)
    WHERE v.product_id = p.id
) price
LEFT JOIN LATERAL (
    SELECT i.id, i.alt, i.content_type, i.width, i.height FROM product_images i WHERE i.product_id = p.id
    ORDER BY i.position, i.id LIMIT 1
) pic ON true
WHERE ($1::text IS NULL OR p.status = $1)
  AND (NOT $13 OR EXISTS (SELECT 1 FROM product_publications x WHERE x.product_id = p.id AND x.visible AND x.channel_id =
      coalesce($14::uuid, (SELECT c.id FROM sales_channels c WHERE c.is_default))))
  AND NOT EXISTS (
      SELECT 1 FROM unnest($2::text[]) AS word
      WHERE NOT (p.title ILIKE word OR p.vendor ILIKE word OR EXISTS (SELECT 1 FROM unnest(p.tags) AS tag WHERE tag ILIKE word)
                 OR EXISTS (SELECT 1 FROM product_variants v WHERE v.product_id = p.id AND v.sku ILIKE word)))
  AND (($3::uuid IS NULL AND $4::text IS NULL) OR EXISTS (
      SELECT 1 FROM collection_products cp JOIN collections c ON c.id = cp.collection_id
      WHERE cp.product_id = p.id AND cp.collection_id = chosen.collection AND (c.published OR $1 IS DISTINCT FROM 'active')))
  AND ($5::text IS NULL OR p.tags @> ARRAY[$5])
  AND (($11::uuid IS NULL AND $12::text IS NULL) OR p.category_id IN (
      WITH RECURSIVE branch AS (
          SELECT k.id FROM categories k WHERE k.id = $11 OR k.handle = $12
          UNION
          SELECT k.id FROM categories k JOIN branch b ON k.parent_id = b.id
      ) SELECT b.id FROM branch b))
