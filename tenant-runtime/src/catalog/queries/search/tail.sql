       AND EXISTS (SELECT 1 FROM product_publications x WHERE x.product_id = p.id AND x.visible AND x.channel_id =
       coalesce($12::uuid, (SELECT c.id FROM sales_channels c WHERE c.is_default)))
       AND (cardinality($3::text[]) = 0 OR p.vendor = ANY ($3))
       AND (cardinality($4::text[]) = 0 OR p.product_type = ANY ($4))
       AND (cardinality($5::text[]) = 0 OR p.tags && $5)
       AND ($6::bigint IS NULL OR lowest.price >= $6)
       AND ($7::bigint IS NULL OR lowest.price <= $7)
), page AS (
    SELECT h.* FROM hits h
     WHERE $9::bigint IS NULL OR (h.place, h.id) < ($9, $10::uuid)
     ORDER BY h.place DESC, h.id DESC
     LIMIT $11
)
SELECT (SELECT count(*) FROM hits) AS total,
       (SELECT currency FROM store_settings) AS currency,
       jsonb_build_object(
           'vendors', (SELECT COALESCE(jsonb_agg(jsonb_build_object('value', f.value, 'count', f.n) ORDER BY f.n DESC, f.value), '[]')
                         FROM (SELECT vendor AS value, count(*) AS n FROM hits WHERE vendor <> '' GROUP BY vendor
                                ORDER BY n DESC, vendor LIMIT 50) f),
           'product_types', (SELECT COALESCE(jsonb_agg(jsonb_build_object('value', f.value, 'count', f.n) ORDER BY f.n DESC, f.value), '[]')
                         FROM (SELECT product_type AS value, count(*) AS n FROM hits WHERE product_type <> '' GROUP BY product_type
                                ORDER BY n DESC, product_type LIMIT 50) f),
           'tags', (SELECT COALESCE(jsonb_agg(jsonb_build_object('value', f.value, 'count', f.n) ORDER BY f.n DESC, f.value), '[]')
                         FROM (SELECT tag AS value, count(*) AS n FROM hits, unnest(tags) AS tag GROUP BY tag
                                ORDER BY n DESC, tag LIMIT 50) f),
           'lowest_minor', (SELECT min(price) FROM hits),
           'highest_minor', (SELECT max(price) FROM hits)) AS facets,
       COALESCE((SELECT jsonb_agg(jsonb_build_object('id', g.id, 'handle', g.handle, 'title', g.title, 'vendor', g.vendor,
                    'product_type', g.product_type, 'tags', g.tags, 'price_minor', g.price, 'place', g.place,
                    'image_id', (SELECT i.id FROM product_images i WHERE i.product_id = g.id ORDER BY i.position, i.id LIMIT 1))
                    ORDER BY g.place DESC, g.id DESC) FROM page g), '[]') AS rows
