-- $1 id, $2 product, $3 variant or null, $4 alt, $5 content type, $6 digest, $7 width, $8 height, $9 object, $10 now, $11 where it was fetched or null.
INSERT INTO product_images (id, product_id, variant_id, position, alt, content_type, digest, width, height, object_id, created_at, source_url)
SELECT $1, $2, (SELECT v.id FROM product_variants v WHERE v.id = $3 AND v.product_id = $2),
       (SELECT coalesce(max(i.position) + 1, 0) FROM product_images i WHERE i.product_id = $2), $4, $5, $6, $7, $8, $9, $10, $11
