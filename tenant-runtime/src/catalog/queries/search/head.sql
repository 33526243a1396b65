-- $1 words as a tsquery, $2 what was typed, in small letters. Then the filters: $3 vendors, $4 types, $5 tags, $6 and $7 price, $8 the
-- order, $9 and $10 the last row of the page before, $11 how many, $12 the channel or null.
WITH hits AS (
    SELECT p.id, p.handle, p.title, p.vendor, p.product_type, p.tags, lowest.price, found.place
      FROM products p
     CROSS JOIN LATERAL (SELECT min(pr.amount_minor) AS price
                           FROM product_variants v
                           JOIN prices pr ON pr.variant_id = v.id AND pr.currency = (SELECT currency FROM store_settings)
                          WHERE v.product_id = p.id) AS lowest
     CROSS JOIN LATERAL (SELECT CASE $8 WHEN 'price' THEN -COALESCE(lowest.price, 1000000000000000)
                                        WHEN '-price' THEN COALESCE(lowest.price, -1)
                                        WHEN 'newest' THEN (extract(epoch FROM p.created_at) * 1000000)::bigint
