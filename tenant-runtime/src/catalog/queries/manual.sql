  -- Where the last product of the page before stands now; if it left the collection, the list starts over rather than lose somebody.
  AND ($6::uuid IS NULL
       OR ((SELECT cp.position FROM collection_products cp WHERE cp.product_id = p.id AND cp.collection_id = chosen.collection), p.id)
        > (coalesce((SELECT cp.position FROM collection_products cp WHERE cp.product_id = $6 AND cp.collection_id = chosen.collection),
                    -2147483648), $6))
  AND ($7::timestamptz IS NULL OR true) AND ($8::text IS NULL OR true) AND ($9::bigint IS NULL OR true)
ORDER BY (SELECT cp.position FROM collection_products cp WHERE cp.product_id = p.id AND cp.collection_id = chosen.collection), p.id
LIMIT $10
