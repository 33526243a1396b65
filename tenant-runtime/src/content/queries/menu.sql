-- $1 id or null, $2 handle or null, $3 the channel or null for the default one. What items lead to is looked up: they know targets by their ids.
SELECT m.id, m.handle, m.title, m.version, m.created_at, m.updated_at,
       coalesce((SELECT jsonb_agg(i.doc || jsonb_build_object('handle', coalesce(p.handle, c.handle, k.handle, g.handle), 'live',
                    CASE i.doc ->> 'kind'
                        WHEN 'product' THEN coalesce(p.status = 'active', false) AND EXISTS (SELECT 1 FROM product_publications x
                            WHERE x.product_id = p.id AND x.visible
                              AND x.channel_id = coalesce($3::uuid, (SELECT d.id FROM sales_channels d WHERE d.is_default)))
                        WHEN 'collection' THEN coalesce(c.published, false)
                        WHEN 'category' THEN k.id IS NOT NULL
                        WHEN 'page' THEN coalesce(g.status = 'published', false)
                        WHEN 'policy' THEN coalesce((SELECT v.body_html IS NOT NULL FROM policy_versions v
                            WHERE v.kind = i.doc ->> 'address' ORDER BY v.number DESC LIMIT 1), false)
                        ELSE true END) ORDER BY i.place)
                 FROM jsonb_array_elements(m.items) WITH ORDINALITY AS i (doc, place)
                 LEFT JOIN products p ON i.doc ->> 'kind' = 'product' AND p.id = (i.doc ->> 'target')::uuid
                 LEFT JOIN collections c ON i.doc ->> 'kind' = 'collection' AND c.id = (i.doc ->> 'target')::uuid
                 LEFT JOIN categories k ON i.doc ->> 'kind' = 'category' AND k.id = (i.doc ->> 'target')::uuid
                 LEFT JOIN pages g ON i.doc ->> 'kind' = 'page' AND g.id = (i.doc ->> 'target')::uuid), '[]') AS items
FROM menus m
WHERE m.id = $1 OR m.handle = $2
