-- $1 id or null, $6 handle or null, also a former one, $2 published or null, $3 whether a shopper asks, $7 on which channel
-- or null, $4 id to go on before or null, $5 limit.
SELECT c.id, c.handle, c.title, c.description_html, c.published, CASE WHEN NOT $3 THEN c.rules END AS rules, c.match_any, c.version,
       c.created_at, c.updated_at,
       (SELECT count(*) FROM collection_products cp JOIN products p ON p.id = cp.product_id
        WHERE cp.collection_id = c.id AND (NOT $3 OR (p.status = 'active' AND EXISTS (SELECT 1 FROM product_publications x WHERE x.product_id = p.id AND x.visible AND x.channel_id =
      coalesce($7::uuid, (SELECT c.id FROM sales_channels c WHERE c.is_default)))))) AS product_count,
       coalesce((SELECT json_agg(json_build_object('namespace', d.namespace, 'key', d.key, 'kind', d.kind, 'list', d.is_list,
           'shown', d.shown, 'value', m.value, 'variant', NULL) ORDER BY d.namespace, d.key)
           FROM metafields m JOIN metafield_definitions d ON d.id = m.definition_id
           WHERE m.collection_id = c.id AND (NOT $3 OR d.shown)), '[]'::json) AS metafields
FROM collections c
WHERE ($1::uuid IS NULL OR c.id = $1)
  AND ($6::text IS NULL OR c.id = coalesce((SELECT h.id FROM collections h WHERE h.handle = $6),
                                           (SELECT r.collection_id FROM collection_redirects r WHERE r.handle = $6)))
  AND ($2::boolean IS NULL OR c.published = $2) AND ($4::uuid IS NULL OR c.id < $4)
ORDER BY c.id DESC
LIMIT $5
