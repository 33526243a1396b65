-- $1 variants, $2 currency. What has no price in it cannot be sold and is missing.
SELECT v.id AS variant_id, p.id AS product_id, p.title, v.title AS variant_title, v.sku, v.options, pr.amount_minor, v.weight_grams,
       v.requires_shipping, v.taxable, v.inventory_item_id, v.inventory_policy, p.status,
       (SELECT i.id FROM product_images i WHERE i.product_id = p.id
        ORDER BY (i.variant_id IS NOT DISTINCT FROM v.id) DESC, i.position, i.id LIMIT 1) AS image_id
FROM product_variants v
JOIN products p ON p.id = v.product_id
JOIN prices pr ON pr.variant_id = v.id AND pr.currency = $2
WHERE v.id = ANY($1::uuid[])
