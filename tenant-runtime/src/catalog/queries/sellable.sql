-- $1 variants, $2 currency, $3 market, $4 now, $5 customer, $6 with lists for groups the customer is not in. What has no price in the currency
-- cannot be sold and is missing.
WITH lists AS MATERIALIZED (
    SELECT * FROM (
        SELECT l.id, l.name, l.kind, l.priority, l.min_quantity, l.adjust_ppm,
               EXISTS (SELECT FROM price_list_groups g WHERE g.list_id = l.id) AS for_groups,
               EXISTS (SELECT FROM price_list_groups g JOIN customer_group_members m ON m.group_id = g.group_id
                        WHERE g.list_id = l.id AND m.customer_id = $5) AS of_group
          FROM price_lists l
         WHERE l.active AND l.currency = $2 AND (l.market_id IS NULL OR l.market_id = $3) AND l.starts_at <= $4
           AND (l.ends_at IS NULL OR l.ends_at > $4)) AS in_force
     WHERE NOT for_groups OR of_group OR $6
)
SELECT v.id AS variant_id, p.id AS product_id, p.title, v.title AS variant_title, v.sku, v.options, pr.amount_minor, pr.compare_at_minor, v.weight_grams,
       v.requires_shipping, v.taxable, v.tax_class, v.inventory_item_id, v.inventory_policy,
       -- What is published nowhere is for sale nowhere.
       CASE WHEN EXISTS (SELECT 1 FROM product_publications x WHERE x.product_id = p.id AND x.visible) THEN p.status ELSE 'draft' END AS status,
       (SELECT i.id FROM product_images i WHERE i.product_id = p.id
        ORDER BY (i.variant_id IS NOT DISTINCT FROM v.id) DESC, i.position, i.id LIMIT 1) AS image_id,
       coalesce((SELECT json_agg(json_build_object('item_id', b.item_id, 'variant_id', b.component_id, 'quantity', b.quantity,
           'title', bp.title, 'variant_title', bv.title, 'sku', bv.sku) ORDER BY b.position)
           FROM bundle_components b JOIN product_variants bv ON bv.id = b.component_id JOIN products bp ON bp.id = bv.product_id
           WHERE b.variant_id = v.id), '[]') AS components,
       coalesce((SELECT json_agg(json_build_object('list', l.id, 'name', l.name, 'priority', l.priority,
                    'min_quantity', coalesce(x.min_quantity, l.min_quantity), 'amount_minor', x.amount_minor, 'adjust_ppm', l.adjust_ppm,
                    'for_groups', l.for_groups, 'admitted', l.of_group OR NOT l.for_groups)
                    ORDER BY l.id, x.min_quantity)
                 FROM lists l LEFT JOIN price_list_prices x ON x.list_id = l.id AND x.variant_id = v.id
                 WHERE l.kind = 'percent' OR x.list_id IS NOT NULL), '[]') AS offers
FROM product_variants v
JOIN products p ON p.id = v.product_id
JOIN prices pr ON pr.variant_id = v.id AND pr.currency = $2
WHERE v.id = ANY($1::uuid[])
