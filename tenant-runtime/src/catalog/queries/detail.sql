-- Products, whole; which of them, whoever adds a condition says.
SELECT p.id, p.handle, p.title, p.description_html, p.vendor, p.product_type, p.status, p.tags, p.seo_title, p.seo_description, p.category_id,
       p.version, p.created_at, p.updated_at, s.currency,
       EXISTS (SELECT 1 FROM product_publications x WHERE x.product_id = p.id AND x.visible) AS published,
       coalesce((SELECT json_agg(json_build_object('id', o.id, 'name', o.name, 'values',
           coalesce((SELECT json_agg(json_build_object('id', x.id, 'value', x.value) ORDER BY x.position, x.id)
                     FROM product_option_values x WHERE x.option_id = o.id), '[]'::json)) ORDER BY o.position)
           FROM product_options o WHERE o.product_id = p.id), '[]'::json) AS options,
       coalesce((SELECT json_agg(json_build_object('id', v.id, 'title', v.title, 'sku', v.sku, 'barcode', v.barcode,
           'options', v.options, 'position', v.position, 'amount_minor', pr.amount_minor, 'compare_at_minor', pr.compare_at_minor,
           'weight_grams', v.weight_grams, 'requires_shipping', v.requires_shipping, 'taxable', v.taxable, 'tax_class', v.tax_class,
           'inventory_item_id', v.inventory_item_id, 'inventory_policy', v.inventory_policy, 'version', v.version,
           'components', coalesce((SELECT json_agg(json_build_object('item_id', b.item_id, 'variant_id', b.component_id, 'quantity', b.quantity,
           'title', bp.title, 'variant_title', bv.title, 'sku', bv.sku) ORDER BY b.position)
           FROM bundle_components b JOIN product_variants bv ON bv.id = b.component_id JOIN products bp ON bp.id = bv.product_id
           WHERE b.variant_id = v.id), '[]'::json))
           ORDER BY v.position, v.id)
           FROM product_variants v LEFT JOIN prices pr ON pr.variant_id = v.id AND pr.currency = s.currency
           WHERE v.product_id = p.id), '[]'::json) AS variants,
       coalesce((SELECT json_agg(json_build_object('id', i.id, 'alt', i.alt, 'content_type', i.content_type, 'width', i.width,
           'height', i.height, 'variant', i.variant_id, 'source', i.source_url) ORDER BY i.position, i.id)
           FROM product_images i WHERE i.product_id = p.id), '[]'::json) AS images,
       coalesce((SELECT json_agg(c.collection_id ORDER BY c.collection_id)
           FROM collection_products c WHERE c.product_id = p.id), '[]'::json) AS collections,
       coalesce((SELECT json_agg(json_build_object('namespace', d.namespace, 'key', d.key, 'kind', d.kind, 'list', d.is_list,
           'shown', d.shown, 'value', m.value, 'variant', m.variant_id) ORDER BY d.namespace, d.key)
           FROM metafields m JOIN metafield_definitions d ON d.id = m.definition_id WHERE m.product_id = p.id), '[]'::json) AS metafields
FROM products p, store_settings s
